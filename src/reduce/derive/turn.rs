//! One turn: its segments, its calls, how it ended.

use bytestring::ByteString;

use super::{call, close, segment, settle};
use crate::event::{At, CallKind, Key, Outcome};
use crate::reduce::facts::{CallFacts, Shown, ThreadFacts, TurnFacts};
use crate::reduce::graph::{Call, Conflict, Finding, FindingKind, Inference, Reason, Segment, ToolCall, Totals, Turn};
use crate::semconv::AGENT_NAME;

/// Where in a rollout something is.
#[derive(Clone, Copy)]
pub(in crate::reduce) struct Place<'a> {
    pub(in crate::reduce) thread: &'a ByteString,
    pub(in crate::reduce) turn: &'a ByteString,
}

impl Place<'_> {
    pub(super) fn finding(self, kind: FindingKind, call: Option<Key>, count: u64) -> Finding {
        let (thread, turn) = (Some(self.thread.clone()), Some(self.turn.clone()));
        Finding { kind, thread, turn, call, expected: None, actual: None, count }
    }

    pub(super) fn conflict(self, call: Option<Key>, expected: Outcome, actual: Outcome) -> Finding {
        let word = |outcome: Outcome| Some(ByteString::from_static(outcome.as_str()));
        let finding = self.finding(FindingKind::Conflict, call, 1);
        Finding { expected: word(expected), actual: word(actual), ..finding }
    }
}

/// Derives one turn on its own. `thread` is asked for the chains it has shown, nothing else.
pub(in crate::reduce) fn derive_turn(
    place: Place<'_>,
    facts: &TurnFacts,
    thread: &ThreadFacts,
    closed: Option<Reason>,
    findings: &mut Vec<Finding>,
) -> Turn {
    let mut spans = Vec::new();
    let mut inferences = Vec::new();
    let mut tools = Vec::new();
    for (key, told) in &facts.calls {
        let call = call::derive(place, *key, told, findings);
        match key.kind {
            CallKind::Turn => spans.push(call),
            CallKind::Inference => inferences.push(inference(place, call, told, thread, findings)),
            CallKind::Tool => tools.push(call::tool(call, told)),
            // No other kind becomes a fact.
            _ => {}
        }
    }
    let reported = !spans.is_empty();
    if !reported {
        findings.push(place.finding(FindingKind::Orphan, None, (inferences.len() + tools.len()) as u64));
    }
    let end = end(place, facts, &spans, findings);
    if let Some((at, outcome)) = end {
        inferences.iter_mut().for_each(|inference| end_with_turn(place, inference, at, outcome, findings));
        let calls = inferences.iter_mut().map(|inference| &mut inference.call);
        calls.chain(tools.iter_mut().map(|tool| &mut tool.call)).for_each(|call| mark_late(call, at));
    }
    let waiting = end.is_none() && spans.iter().all(|span| span.closed_at.is_some()) && reported;
    let segments = segment::derive(spans, inferences, tools);
    let mut turn = Turn {
        id: place.turn.clone(),
        agent: agent(&segments),
        reported,
        started_unix_nano: started(&segments),
        ended_at: end.map(|(at, _)| at),
        outcome: end.map(|(_, outcome)| outcome),
        end_inferred: false,
        waiting,
        spawned_by: None,
        totals: totals(&segments),
        segments,
    };
    if closed.is_some() {
        close::close(&mut turn);
    }
    turn
}

fn inference(
    place: Place<'_>,
    call: Call,
    facts: &CallFacts,
    thread: &ThreadFacts,
    findings: &mut Vec<Finding>,
) -> Inference {
    let mut inference = call::inference(call, facts);
    let shown = inference.input.prefix.and_then(|prefix| thread.chains.get(&prefix));
    let shown_by_another = shown.is_some_and(|shown| *shown != Shown::Once(inference.call.key));
    if inference.input.prefix.is_some() && !shown_by_another {
        inference.gap = true;
        findings.push(place.finding(FindingKind::Gap, Some(inference.call.key), 1));
    }
    inference
}

/// When and how the turn ended, over all its segments.
fn end(place: Place<'_>, facts: &TurnFacts, spans: &[Call], findings: &mut Vec<Finding>) -> Option<(At, Outcome)> {
    let of_turn = facts.calls.iter().filter(|(key, _)| key.kind == CallKind::Turn);
    let settled = settle::settle(of_turn.flat_map(|(_, told)| told.closings.iter()));
    let winner = settled.closing?;
    let outcome = winner.outcome?;
    findings.extend(settled.losers.iter().map(|loser| place.conflict(None, outcome, loser.outcome)));
    match outcome {
        Outcome::Abandoned => {
            // Who gave it up was wrong if it went on afterwards.
            let gone_on = |span: &Call| span.outcome.is_none() && span.opened_at.is_some_and(|at| at > winner.at);
            (!spans.iter().any(gone_on)).then_some((winner.at, outcome))
        }
        // Each segment may say that it completed; the turn did when the last of them had.
        Outcome::Completed => {
            let completed = spans.iter().filter(|span| span.outcome == Some(Outcome::Completed));
            Some((completed.filter_map(|span| span.closed_at).max().unwrap_or(winner.at), outcome))
        }
        _ => Some((winner.at, outcome)),
    }
}

/// A turn that was cancelled or has failed takes the model request with it that was open then: it ended as the turn did,
/// whatever is told of it later. A tool may well go on, so it stays open until somebody tells.
fn end_with_turn(place: Place<'_>, inference: &mut Inference, at: At, outcome: Outcome, findings: &mut Vec<Finding>) {
    let call = &mut inference.call;
    let open_then = call.closed_at.is_none_or(|closed| closed.time_unix_nano > at.time_unix_nano);
    if !matches!(outcome, Outcome::Cancelled | Outcome::Failed) || !open_then {
        return;
    }
    if let (Some(told), Some(told_at)) = (call.outcome, call.closed_at)
        && told != outcome
        && told != Outcome::Abandoned
    {
        findings.push(place.conflict(Some(call.key), outcome, told));
        call.conflicts.push(Conflict { outcome: told, at: told_at });
        call.conflicts.sort_unstable();
    }
    call.late = call.closed_at.is_some();
    call.end_inferred = true;
    call.closed_at = Some(at);
    call.outcome = Some(outcome);
}

fn mark_late(call: &mut Call, end: At) {
    call.late |= call.closed_at.is_some_and(|closed| closed.time_unix_nano > end.time_unix_nano);
}

fn agent(segments: &[Segment]) -> Option<ByteString> {
    let named = |call: &Call| call.attrs.get(AGENT_NAME);
    let by_turn = segments.iter().filter_map(|segment| segment.call.as_ref()).find_map(named);
    by_turn.or_else(|| segments.iter().flat_map(children).find_map(named))
}

fn started(segments: &[Segment]) -> Option<u64> {
    let opened = |call: &Call| call.opened_at.map(|at| at.time_unix_nano);
    let by_turn = segments.iter().filter_map(|segment| segment.call.as_ref()).filter_map(opened).min();
    let seen = |call: &Call| call.opened_at.or(call.closed_at).map(|at| at.time_unix_nano);
    by_turn.or_else(|| segments.iter().flat_map(children).filter_map(seen).min())
}

fn children(segment: &Segment) -> impl Iterator<Item = &Call> {
    let inferences = segment.inferences.iter().map(|inference: &Inference| &inference.call);
    inferences.chain(segment.tool_calls.iter().map(|tool: &ToolCall| &tool.call))
}

fn totals(segments: &[Segment]) -> Totals {
    let mut totals = Totals { turns: 1, ..Totals::default() };
    for segment in segments {
        segment.inferences.iter().for_each(|inference| totals.add_inference(inference));
        segment.tool_calls.iter().for_each(|tool| totals.add_tool(tool));
    }
    totals
}
