//! Compactions: attempts to make a history shorter. What takes the place of the history is told as a mark of the turn:
//! [`Call::compaction_installed`].

use super::answer::Failure;
use super::builder::Builder;
use super::call::Call;
use super::kind;
use super::place::LentOrigin;
use super::request::IntoRequest;
use crate::event::{Given, Message, Returned};
use crate::semconv::{COMPACTION_ID, COMPACTION_TRIGGER, PROVIDER_NAME, REQUEST_MODEL};

/// An attempt that has not started.
pub type CompactionBuilder = Builder<kind::Compaction>;

/// An attempt that runs.
pub type Compaction = Call<kind::Compaction>;

impl CompactionBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, id: &str) -> Self {
        Self::new(origin).text(COMPACTION_ID, id)
    }

    /// What led to it (`veilspan.compaction.trigger`).
    pub fn trigger(self, trigger: &str) -> Self {
        self.text(COMPACTION_TRIGGER, trigger)
    }

    /// The model that makes it shorter.
    pub fn model(self, provider: &str, model: &str) -> Self {
        self.text(PROVIDER_NAME, provider).text(REQUEST_MODEL, model)
    }

    /// The history that is to become shorter.
    pub fn input(self, input: impl IntoRequest) -> Self {
        self.with(|draft| {
            if let Some(Given::Request(request)) = draft.given() {
                input.into_request(request.get_or_insert_default());
            }
        })
    }
}

impl Compaction {
    /// Adds a message to what it came to.
    pub fn output(&mut self, message: Message) -> &mut Self {
        if let Some(Returned::Answer(answer)) = self.handle.returned() {
            answer.push(message);
        }
        self
    }

    /// The outcome is the result's.
    pub fn finish_with<T, E: Failure>(self, result: &Result<T, E>) {
        self.settle_with(result);
    }
}
