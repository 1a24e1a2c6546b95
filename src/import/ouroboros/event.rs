//! One event of a journal.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::import::session::{Loose, Object, Text};

/// An event's envelope.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow, default)]
    pub(super) aggregate_type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) aggregate_id: Text<'a>,
    #[serde(borrow, default)]
    data: Object<Data<'a>>,
    #[serde(borrow, default)]
    payload: Object<Data<'a>>,
}

impl<'a> Envelope<'a> {
    /// What it says, which has two spellings: one that has both says it in the first.
    pub(super) fn said(&self) -> Option<&Data<'a>> {
        self.data.0.as_ref().or(self.payload.0.as_ref())
    }
}

/// What an event says. Each member that has another type than it should is absent.
#[derive(Deserialize)]
pub(super) struct Data<'a> {
    #[serde(borrow, default)]
    pub(super) call_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) session_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) execution_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) lineage_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) model_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) prompt_hash: Text<'a>,
    #[serde(borrow, default)]
    pub(super) completion_hash: Text<'a>,
    #[serde(borrow, default)]
    pub(super) args_hash: Text<'a>,
    #[serde(borrow, default)]
    pub(super) result_hash: Text<'a>,
    #[serde(borrow, default)]
    pub(super) tool_name: Text<'a>,
    #[serde(borrow, default)]
    pub(super) mcp_server: Text<'a>,
    #[serde(borrow, default)]
    pub(super) caller: Text<'a>,
    #[serde(borrow, default)]
    pub(super) finish_reason: Text<'a>,
    #[serde(borrow, default)]
    pub(super) error_kind: Text<'a>,
    /// Of any type: only `false` says that nothing went wrong.
    #[serde(borrow, default)]
    pub(super) is_error: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) duration_ms: Loose<i64>,
    #[serde(default)]
    pub(super) token_count_in: Loose<i64>,
    #[serde(default)]
    pub(super) token_count_out: Loose<i64>,
    #[serde(default)]
    pub(super) max_tokens: Loose<i64>,
    #[serde(default)]
    pub(super) temperature: Loose<f64>,
}

impl Data<'_> {
    /// Whether the call went wrong. What says so and what says otherwise, and what cannot be understood, is a failure.
    pub(super) fn is_failure(&self) -> bool {
        let is_error = self.is_error.map(RawValue::get).filter(|told| *told != "null");
        is_error.is_some_and(|told| told != "false") || self.error_kind.some().is_some()
    }
}

/// Which half of which pair an event is.
pub(super) fn half(kind: &str) -> Option<(crate::event::CallKind, bool)> {
    use crate::event::CallKind::{Inference, Tool};
    match kind {
        "llm.call.requested" => Some((Inference, true)),
        "llm.call.returned" => Some((Inference, false)),
        "tool.call.started" => Some((Tool, true)),
        "tool.call.returned" => Some((Tool, false)),
        _ => None,
    }
}
