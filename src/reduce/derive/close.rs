//! What becomes of a turn when its rollout closes and nothing more is expected.
//!
//! Whatever is still open has been abandoned: nobody told how it ended. A turn that nobody reported at all is judged by
//! its last call, because producers that tell of model requests alone would otherwise leave nothing but errors: an
//! answer that asks for no tool completes a turn, a cancelled call cancels it, a failed model request fails it, and
//! anything else leaves it abandoned. Others than our producers say that a call failed, or nothing: of theirs a turn, and the
//! answer that a turn is judged by, completed where its span ended.

use crate::event::{CallKind, KeyIdentity, MarkKind, Outcome};
use crate::reduce::graph::{Call, Turn};
use crate::semconv::FINISH_REASONS;

pub(in crate::reduce) fn close(turn: &mut Turn) {
    if turn.outcome.is_none() {
        turn.outcome = Some(match (was_asked_to_stop(turn), turn.reported) {
            (true, _) => Outcome::Cancelled,
            (false, true) if turn.ended_at.is_some() => Outcome::Completed,
            (false, true) => Outcome::Abandoned,
            (false, false) => judge(turn),
        });
        turn.end_inferred = true;
        turn.waiting = false;
    }
    for segment in &mut turn.segments {
        segment.call.iter_mut().for_each(abandon);
        segment.calls_mut().for_each(abandon);
    }
}

/// Somebody asked it to stop, or it was seen to stop: that nobody told its end is no wonder.
pub(in crate::reduce) fn was_asked_to_stop(turn: &Turn) -> bool {
    let spans = turn.segments.iter().filter_map(|segment| segment.call.as_ref());
    spans.chain(turn.calls()).any(|call| {
        call.key.kind == CallKind::Cancel || call.marks.iter().any(|mark| mark.kind == MarkKind::CancelObserved)
    })
}

pub(super) fn abandon(call: &mut Call) {
    if call.closed_at.is_none() {
        call.outcome = Some(Outcome::Abandoned);
        call.end_inferred = true;
    }
}

fn judge(turn: &Turn) -> Outcome {
    if turn.calls().any(|call| call.closed_at.is_none()) {
        return Outcome::Abandoned;
    }
    let spoken = |call: &&Call| matches!(call.key.kind, CallKind::Inference | CallKind::Tool);
    let Some(last) = turn.calls().filter(spoken).max_by_key(|call| (call.closed_at, call.key)) else {
        return Outcome::Abandoned;
    };
    let is_of_others = matches!(last.key.id, KeyIdentity::Span(..));
    match (last.key.kind, last.outcome) {
        (CallKind::Inference, None) if is_of_others && !asks_for_tools(last) => Outcome::Completed,
        (_, Some(Outcome::Cancelled)) => Outcome::Cancelled,
        (CallKind::Inference, Some(Outcome::Completed)) if !asks_for_tools(last) => Outcome::Completed,
        (CallKind::Inference, Some(Outcome::Failed | Outcome::Timeout | Outcome::Disconnected)) => Outcome::Failed,
        _ => Outcome::Abandoned,
    }
}

fn asks_for_tools(call: &Call) -> bool {
    let reasons = call.attrs.get(FINISH_REASONS).unwrap_or_default();
    reasons
        .iter()
        .any(|reason| matches!(&**reason, "tool_call" | "tool_calls" | "tool-calls" | "tool_use" | "function_call"))
}
