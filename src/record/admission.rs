//! Admission: the wait of an input for its turn.

use super::builder::Builder;
use super::call::Call;
use super::kind;
use super::place::{CallRef, LentOrigin};
use crate::event::Outcome;
use crate::semconv::ADMISSION;

/// An input that has not arrived.
pub type AdmissionBuilder = Builder<kind::Admission>;

/// An input that waits: the length of its span is the time that it waited.
pub type Admission = Call<kind::Admission>;

impl AdmissionBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>) -> Self {
        Self::new(origin).with(super::builder::Draft::set_own_turn)
    }
}

impl Admission {
    /// It was taken. The answer is for [`TurnBuilder::admitted`](super::TurnBuilder::admitted).
    pub fn admitted(self) -> CallRef {
        let reference = self.reference();
        self.close("admitted", Outcome::Completed);
        reference
    }

    /// It was turned away, since another turn of the thread was running.
    pub fn busy(self) {
        self.close("busy", Outcome::Denied);
    }

    /// It was turned away.
    pub fn rejected(self) {
        self.close("rejected", Outcome::Denied);
    }

    fn close(mut self, admission: &str, outcome: Outcome) {
        self.handle.text(ADMISSION, admission);
        self.handle.close(outcome);
    }
}
