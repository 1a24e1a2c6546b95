//! One turn: its segments, its calls, how it ended.

use bytestring::ByteString;
use hashbrown::HashMap;

use super::ending::{end, end_open_calls, late_cancels, mark_late};
use super::items::Late;
use super::told::TurnTold;
use super::{agents, call, cells, checks, close, segment, stopped};
use crate::event::{CallKind, Key, MarkKind, Outcome};
use crate::reduce::facts::{CallTold, InputFact, Reading, shown};
use crate::reduce::graph::{
    Answer, Call, Finding, FindingKind, Inference, OtherCall, Reason, Runtime, Segment, TerminalOperation, ToolCall,
    Totals, Turn,
};
use crate::semconv::{AGENT_NAME, EVIDENCE_REF, RUNTIME_STATUS, TOOL_CALL_ID, TOOL_NAME};

/// Where in a rollout something is.
#[derive(Clone, Copy)]
pub(in crate::reduce) struct Place<'a> {
    pub(in crate::reduce) thread: &'a ByteString,
    pub(in crate::reduce) turn: &'a ByteString,
}

impl Place<'_> {
    pub(super) fn finding(self, kind: FindingKind, call: Option<Key>, count: u64) -> Finding {
        let (thread, turn) = (Some(self.thread.clone()), Some(self.turn.clone()));
        Finding { kind, thread, turn, call, subject: None, expected: None, actual: None, count }
    }

    pub(super) fn conflict(self, call: Option<Key>, expected: Outcome, actual: Outcome) -> Finding {
        let word = |outcome: Outcome| Some(ByteString::from_static(outcome.as_str()));
        let finding = self.finding(FindingKind::Conflict, call, 1);
        Finding { expected: word(expected), actual: word(actual), ..finding }
    }
}

/// Derives one turn on its own. The facts are asked for the histories that its thread has shown, nothing else.
pub(in crate::reduce) fn derive_turn(
    place: Place<'_>,
    facts: &Reading<'_>,
    told: TurnTold,
    closed: Option<Reason>,
    (findings, late): (&mut Vec<Finding>, &mut Late),
) -> Turn {
    let TurnTold { calls: mut told, inferences, tools } = told;
    for (key, call) in &mut told {
        if key.kind == CallKind::Tool {
            call::reject_foreign(place, *key, call, findings);
        }
    }
    let mut whole = Segment { inferences, tool_calls: tools, ..Segment::empty(0, None) };
    let plain = whole.inferences.iter().map(|one| (&one.call, one.gap));
    for (call, gap) in plain.chain(whole.tool_calls.iter().map(|one| (&one.call, false))) {
        if call.span.is_none() {
            findings.push(place.finding(FindingKind::Orphan, Some(call.key), 1));
        }
        if gap {
            findings.push(place.finding(FindingKind::Gap, Some(call.key), 1));
        }
    }
    let mut spans = Vec::new();
    for (key, told) in &mut told {
        let call = call::derive(place, *key, told, findings);
        let other = |call| OtherCall { call, given: call::given_texts(told), returned: call::returned_texts(told) };
        match key.kind {
            CallKind::Turn => spans.push(call),
            CallKind::Inference => whole.inferences.push(inference(place, call, told, facts, findings)),
            CallKind::Tool => whole.tool_calls.push(tool(call, told)),
            CallKind::CodeCell => whole.code_cells.push(cells::cell(place, call, told, findings)),
            CallKind::Terminal => whole.terminal_operations.push(operation(call, told)),
            CallKind::Compaction => whole.compactions.push(other(call)),
            CallKind::Approval => whole.approvals.push(other(call)),
            // Those of a thread are told there.
            CallKind::Admission => {}
            _ => whole.others.push(other(call)),
        }
    }
    stopped::fold(&mut whole.tool_calls);
    stopped::deny(&mut whole.tool_calls, &whole.approvals);
    let reported = !spans.is_empty();
    if !reported {
        findings.push(place.finding(FindingKind::Orphan, None, whole.calls().count() as u64));
    }
    checks::parameters(place, &whole.inferences, findings);
    let end = end(place, &told, &mut spans, &whole, findings);
    if let Some((at, outcome)) = end {
        end_open_calls(place, &mut whole, at, outcome, findings, late);
        whole.calls_mut().for_each(|call| mark_late(call, at));
        late_cancels(place, &whole.others, at, findings);
    }
    let has_stopped = end.is_none() && spans.iter().all(|span| span.closed_at.is_some()) && reported;
    // Others have no word for a wait: their agent has ended when its span has.
    let is_of_others = spans.iter().any(|span| agents::is_activation_of_others(place.turn, span));
    let waiting = has_stopped && !is_of_others;
    let ended = spans.iter().filter_map(|span| span.closed_at).max().filter(|_| has_stopped && is_of_others);
    let mut segments = segment::derive(spans, whole);
    segments.iter_mut().for_each(|segment| number_occurrences(&mut segment.tool_calls));
    let mut turn = Turn {
        id: place.turn.clone(),
        agent: agent(&segments),
        reported,
        started_unix_nano: started(&segments),
        ended_at: end.map(|(at, _)| at).or(ended),
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
    told: &CallTold,
    facts: &Reading<'_>,
    findings: &mut Vec<Finding>,
) -> Inference {
    let nothing = InputFact::default();
    let input = call::input(told).unwrap_or(&nothing);
    let gap = input.prefix.is_some_and(|prefix| !facts.histories(place.thread).shows(&prefix, call.key));
    if gap {
        findings.push(place.finding(FindingKind::Gap, Some(call.key), 1));
    }
    let input = shown(input.clone(), facts.list(&input.items));
    let output = call::output(told).map_or_else(Answer::default, |output| Answer {
        items: facts.list(&output.items).0,
        blobs: output.blobs.clone(),
    });
    Inference { call, input, output, gap, started: Vec::new() }
}

fn tool(call: Call, told: &CallTold) -> ToolCall {
    let mut runtime = Runtime::default();
    for mark in &told.marks {
        match mark.kind {
            MarkKind::RuntimeBegan => runtime.began_at = runtime.began_at.or(Some(mark.at)),
            MarkKind::RuntimeEnded if runtime.ended_at.is_none() => {
                runtime.ended_at = Some(mark.at);
                runtime.outcome = mark.attrs.get(RUNTIME_STATUS);
            }
            MarkKind::RuntimeEnded => {}
            _ => continue,
        }
        runtime.evidence.extend(mark.attrs.get(EVIDENCE_REF));
    }
    ToolCall {
        arguments: call::arguments(told),
        result: call::result(told),
        placeholders: call::placeholders(told),
        call,
        occurrence: 0,
        call_items: Vec::new(),
        output_items: Vec::new(),
        runtime,
        cell: None,
        terminal: None,
    }
}

fn operation(call: Call, told: &CallTold) -> TerminalOperation {
    TerminalOperation { request: call::given_texts(told), result: call::returned_texts(told), call, tool: None }
}

/// Providers use their ids more than once: which use it is in its segment, of one id and one tool.
fn number_occurrences(tools: &mut [ToolCall]) {
    let mut uses: HashMap<_, u32> = HashMap::new();
    let mut occurrence = |tool: &ToolCall| {
        let uses = uses.entry((tool.call.attrs.get(TOOL_CALL_ID)?, tool.call.attrs.get(TOOL_NAME))).or_default();
        *uses += 1;
        Some(*uses - 1)
    };
    for tool in tools {
        tool.occurrence = occurrence(tool).unwrap_or_default();
    }
}

fn agent(segments: &[Segment]) -> Option<ByteString> {
    let named = |call: &Call| call.attrs.get(AGENT_NAME);
    let by_turn = segments.iter().filter_map(|segment| segment.call.as_ref()).find_map(named);
    by_turn.or_else(|| segments.iter().flat_map(Segment::calls).find_map(named))
}

fn started(segments: &[Segment]) -> Option<u64> {
    let opened = |call: &Call| call.opened_at.map(|at| at.time_unix_nano);
    let spans = || segments.iter().filter_map(|segment| segment.call.as_ref());
    let seen = |call: &Call| call.seen_at().map(|at| at.time_unix_nano);
    let first = || segments.iter().flat_map(Segment::calls).chain(spans()).filter_map(seen).min();
    spans().filter_map(opened).min().or_else(first)
}

fn totals(segments: &[Segment]) -> Totals {
    let mut totals = Totals { turns: 1, ..Totals::default() };
    for segment in segments {
        segment.inferences.iter().for_each(|inference| totals.add_inference(inference));
        segment.tool_calls.iter().for_each(|tool| totals.add_tool(tool));
        segment.approvals.iter().for_each(|approval| totals.add_wait(approval));
    }
    totals
}
