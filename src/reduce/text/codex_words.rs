//! What Codex always tells, where we may not know it, and the words that it has for the rest.

use serde_json::Value;

use crate::event::{ItemKind, Outcome, Role};
use crate::reduce::graph::{CodeCell, Producer, VisibleItem};

/// Puts an empty text where a member is missing that Codex' readers take for a text.
pub(super) fn always(mut value: Value, members: &[&str]) -> Value {
    for member in members {
        if let Some(missing @ Value::Null) = value.get_mut(member) {
            *missing = Value::from("");
        }
    }
    value
}

/// Codex has no role for what it does not know: what a model made is the assistant's, what it was shown the user's.
pub(super) fn role(item: &VisibleItem) -> &'static str {
    let is_made = item.produced_by.iter().any(|producer| matches!(producer, Producer::Inference(_)));
    match item.item.role {
        Role::Other if is_made => "assistant",
        Role::Other => "user",
        known => known.as_str(),
    }
}

/// What Codex does not know is a message whose one part is a reference.
pub(super) fn kind(kind: ItemKind) -> &'static str {
    if kind == ItemKind::Unknown { "message" } else { kind.as_str() }
}

/// How the runtime of a cell is. Nothing closes one that was left open.
pub(super) fn runtime_status(cell: &CodeCell, told: Option<&str>) -> &'static str {
    const TOLD: [&str; 6] = ["starting", "running", "yielded", "completed", "failed", "terminated"];
    if let Some(told) = TOLD.into_iter().find(|word| Some(*word) == told) {
        return told;
    }
    match cell.call.outcome.filter(|_| cell.call.closed_at.is_some()) {
        Some(Outcome::Completed) => "completed",
        Some(Outcome::Failed) => "failed",
        Some(Outcome::Cancelled | Outcome::Denied | Outcome::Timeout | Outcome::Disconnected) => "terminated",
        None | Some(Outcome::Abandoned) if cell.yielded_at.is_some() => "yielded",
        None | Some(Outcome::Abandoned) if cell.responded_at.is_some() => "running",
        None | Some(Outcome::Abandoned) => "starting",
    }
}
