//! Approvals: waits for a person's decision about a call.

use serde_json::{Value, json};

use super::builder::Builder;
use super::call::Call;
use super::kind;
use super::place::{CallRef, InvalidReference, LentOrigin};
use super::recorder::Recorder;
use super::tool::IntoResult;
use crate::event::Outcome;
use crate::semconv::{APPROVAL_DECISION, APPROVAL_INDEX, APPROVAL_WAIT_MS, TOOL_CALL_ID, TOOL_NAME};

/// A wait that has not begun.
pub type ApprovalBuilder = Builder<kind::Approval>;

/// A wait for a person's decision.
pub type Approval = Call<kind::Approval>;

impl ApprovalBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, tool: &str) -> Self {
        Self::new(origin).text(TOOL_NAME, tool)
    }

    /// Which wait of its turn it is, 0 first (`veilspan.approval.index`).
    pub fn index(self, index: u32) -> Self {
        self.int(APPROVAL_INDEX, index)
    }

    /// The provider's id of the call that is decided about (`gen_ai.tool.call.id`).
    pub fn call_id(self, id: &str) -> Self {
        self.text(TOOL_CALL_ID, id)
    }

    /// What the person is asked.
    pub fn question(self, question: impl IntoResult) -> Self {
        self.given_text(|| question.into_result())
    }
}

impl Approval {
    /// Why the person decided so.
    pub fn comment(&mut self, comment: impl IntoResult) -> &mut Self {
        self.handle.add_text(|| comment.into_result());
        self
    }

    /// The call may be made.
    pub fn approved(self) {
        self.decide("approved", Outcome::Completed);
    }

    /// The call may not be made.
    pub fn denied(self) {
        self.decide("denied", Outcome::Denied);
    }

    /// Nobody needs the decision any more.
    pub fn cancelled(self) {
        self.decide("cancelled", Outcome::Cancelled);
    }

    /// Nobody decided in time.
    pub fn expired(self) {
        self.decide("expired", Outcome::Timeout);
    }

    fn decide(mut self, decision: &str, outcome: Outcome) {
        self.handle.text(APPROVAL_DECISION, decision);
        if let Some(nanos) = self.handle.elapsed() {
            self.handle.count(APPROVAL_WAIT_MS, nanos / 1_000_000);
        }
        self.handle.close(outcome);
    }
}

/// A wait that may last longer than the process: kept as a text, and decided wherever it is read again. Nothing stays open
/// for it, and its span is told once the decision is made.
#[derive(Clone)]
pub struct Ticket {
    pub(super) turn: CallRef,
    tool: String,
    index: u32,
    asked_unix_nano: u64,
}

impl super::Turn {
    /// A ticket for a decision about a call of the tool, asked for now. `index` counts the waits of the turn, 0 first.
    pub fn ticket(&self, tool: &str, index: u32) -> Ticket {
        let asked_unix_nano = self.lent().map_or(0, |origin| origin.desk.now());
        Ticket { turn: self.reference(), tool: tool.to_owned(), index, asked_unix_nano }
    }
}

impl Ticket {
    /// The ticket as a text, to be kept and read again by [`from_token`](Self::from_token). Holds ids and the tool's name as
    /// the caller gave them.
    pub fn to_token(&self) -> String {
        let mut token = self.turn.to_json();
        token.insert("tool".to_owned(), json!(self.tool));
        token.insert("index".to_owned(), json!(self.index));
        token.insert("asked".to_owned(), json!(self.asked_unix_nano));
        Value::Object(token).to_string()
    }

    /// Reads what [`to_token`](Self::to_token) wrote.
    ///
    /// # Errors
    ///
    /// The text is something else.
    pub fn from_token(token: &str) -> Result<Self, InvalidReference> {
        let value: Value = serde_json::from_str(token).map_err(|_| InvalidReference)?;
        let number = |key: &str| value.get(key).and_then(Value::as_u64).ok_or(InvalidReference);
        Ok(Self {
            turn: CallRef::from_json(&value)?,
            tool: value.get("tool").and_then(Value::as_str).ok_or(InvalidReference)?.to_owned(),
            index: u32::try_from(number("index")?).map_err(|_| InvalidReference)?,
            asked_unix_nano: number("asked")?,
        })
    }
}

impl Recorder {
    /// The wait that a ticket stands for, from when it was asked: decide it.
    pub fn approval_of(&self, ticket: &Ticket) -> ApprovalBuilder {
        let origin = self.desk().zip(ticket.turn.place.as_ref());
        let origin = origin.map(|(desk, place)| LentOrigin { desk, parent: Some(place.lend()), remote: None });
        let builder = ApprovalBuilder::begin(origin, &ticket.tool).index(ticket.index);
        builder.with(|draft| draft.set_opened_at(ticket.asked_unix_nano))
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").finish_non_exhaustive()
    }
}
