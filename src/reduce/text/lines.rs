//! One line for each thing in the tree. Its parts are two spaces apart.

use bytestring::ByteString;

use super::json_call::id;
use super::words::{count, digest, duration, label, several, short};
use crate::event::{Attrs, Outcome};
use crate::reduce::graph::{
    Call, CodeCell, Compaction, Finding, Inference, OtherCall, Quarantined, Rollout, Segment, TerminalOperation,
    ToolCall, Totals, Turn, VisibleItem,
};
use crate::semconv::{
    ADMISSION, APPROVAL_DECISION, CODE_CELL_ID, CODE_CELL_RUNTIME_ID, FINISH_REASONS, INPUT_TOKENS, OPERATION_NAME,
    OUTPUT_TOKENS, REQUEST_MODEL, RESPONSE_MODEL, TERMINAL_EXIT_CODE, TERMINAL_ID, TERMINAL_OPERATION, TOOL_NAME,
};

pub(super) fn rollout(rollout: &Rollout) -> String {
    let totals = &rollout.totals;
    let mut parts = vec![format!("rollout {}", short(&rollout.id))];
    parts.push(rollout.outcome.map_or("open", Outcome::as_str).to_owned());
    parts.extend(rollout.closed.map(|reason| format!("closed {reason}")));
    parts.extend((rollout.generation > 0).then(|| format!("generation {}", rollout.generation)));
    parts.push(several(totals.turns, "turn", "turns"));
    parts.push(several(totals.inferences, "inference", "inferences"));
    parts.push(several(totals.tool_calls, "tool call", "tool calls"));
    parts.extend(tokens_of(totals));
    parts.join("  ")
}

fn tokens_of(totals: &Totals) -> Option<String> {
    if totals.input_tokens.is_none() && totals.output_tokens.is_none() {
        return None;
    }
    Some(format!("{} in / {} out tokens", tokens(totals.input_tokens), tokens(totals.output_tokens)))
}

pub(super) fn turn(turn: &Turn) -> String {
    let mut parts = vec![format!("turn {}", turn.agent.as_ref().map_or_else(|| short(&turn.id), |name| label(name)))];
    let open = match turn.ended_at {
        _ if turn.waiting => "waiting",
        Some(_) => "ended",
        None => "open",
    };
    parts.push(turn.outcome.map_or(open, Outcome::as_str).to_owned());
    parts.extend(turn.end_inferred.then(|| "end inferred".to_owned()));
    parts.extend((!turn.reported).then(|| "not reported".to_owned()));
    parts.extend(turn.duration_nanos().map(duration));
    parts.extend(tokens_of(&turn.totals));
    parts.join("  ")
}

pub(super) fn segment(segment: &Segment) -> String {
    let mut parts = vec![format!("segment {}", segment.index)];
    match &segment.call {
        None => parts.push("not reported".to_owned()),
        Some(call) if call.closed_at.is_some() && call.outcome.is_none() => parts.push("ends in a wait".to_owned()),
        Some(call) => parts.push(state(call).to_owned()),
    }
    parts.extend(segment.call.as_ref().and_then(Call::duration_nanos).map(duration));
    parts.join("  ")
}

pub(super) fn inference(inference: &Inference, items: &[VisibleItem]) -> String {
    let attrs = &inference.call.attrs;
    let operation = attrs.text(OPERATION_NAME).unwrap_or("chat");
    let model = attrs.text(REQUEST_MODEL).or_else(|| attrs.text(RESPONSE_MODEL)).unwrap_or("?");
    let mut parts = vec![label(&format!("{operation} {model}"))];
    call(&inference.call, &mut parts);
    let (input, output) = (attrs.get(INPUT_TOKENS), attrs.get(OUTPUT_TOKENS));
    if input.is_some() || output.is_some() {
        parts.push(format!("{} → {} tokens", tokens(input), tokens(output)));
    }
    parts.extend(finish_reasons(attrs));
    let digest_of = |number: u32| items.get(number as usize)?.item.digest.as_ref();
    let messages = inference.input.told;
    let chain = inference.input.chain.as_ref().or_else(|| inference.input.items.last().and_then(digest_of));
    if messages > 0 || inference.input.chain.is_some() {
        let chain = chain.map(|chain| format!(" {}", digest(chain))).unwrap_or_default();
        parts.push(format!("in {}{chain}", several(messages, "message", "messages")));
    }
    let answer = inference.output.items.iter().find_map(digest_of);
    parts.extend(answer.map(|answer| format!("out {}", digest(answer))));
    parts.extend(inference.gap.then(|| "gap".to_owned()));
    parts.join("  ")
}

pub(super) fn tool(tool: &ToolCall) -> String {
    let name = tool.call.attrs.text(TOOL_NAME).unwrap_or("?");
    let mut parts = vec![label(&format!("execute_tool {name}"))];
    call(&tool.call, &mut parts);
    parts.extend(tool.arguments.digest.as_ref().map(|arguments| format!("arguments {}", digest(arguments))));
    parts.extend(tool.result.digest.as_ref().map(|result| format!("result {}", digest(result))));
    parts.join("  ")
}

pub(super) fn code_cell(cell: &CodeCell) -> String {
    let id = cell.call.attrs.text(CODE_CELL_RUNTIME_ID).or_else(|| cell.call.attrs.text(CODE_CELL_ID)).unwrap_or("?");
    let mut parts = vec![format!("code_cell {}", short(id))];
    call(&cell.call, &mut parts);
    parts.extend((!cell.reported).then(|| "not reported".to_owned()));
    parts.extend(cell.yielded_at.is_some().then(|| "yielded".to_owned()));
    parts.join("  ")
}

pub(super) fn operation(operation: &TerminalOperation) -> String {
    let attrs = &operation.call.attrs;
    let mut parts = vec![format!("terminal {}", label(attrs.text(TERMINAL_OPERATION).unwrap_or("?")))];
    call(&operation.call, &mut parts);
    parts.extend(attrs.text(TERMINAL_ID).map(|id| format!("in {}", short(id))));
    parts.extend(attrs.get(TERMINAL_EXIT_CODE).map(|code| format!("exit {code}")));
    parts.join("  ")
}

/// A wait for a person, an attempt at a compaction, a search.
pub(super) fn other(other: &OtherCall) -> String {
    let attrs = &other.call.attrs;
    let operation = attrs.text(OPERATION_NAME).unwrap_or(other.call.key.kind.default_operation());
    let target = other.call.key.kind.target().and_then(|target| attrs.get(target));
    let target = target.or_else(|| attrs.get(TOOL_NAME)).map(|target| format!(" {target}")).unwrap_or_default();
    let mut parts = vec![label(&format!("{operation}{target}"))];
    call(&other.call, &mut parts);
    parts.extend(attrs.text(APPROVAL_DECISION).or_else(|| attrs.text(ADMISSION)).map(label));
    parts.join("  ")
}

pub(super) fn compaction(compaction: &Compaction) -> String {
    let mut parts = vec!["history replaced".to_owned()];
    parts.push(format!(
        "{} by {}",
        several(compaction.replaced.len() as u64, "item", "items"),
        compaction.replacement.len()
    ));
    parts.join("  ")
}

pub(super) fn quarantined(quarantined: &Quarantined) -> String {
    format!("set aside {}  {}", label(&quarantined.place), label(&quarantined.reason))
}

pub(super) fn finding(finding: &Finding) -> String {
    let mut parts = vec![format!("finding {}", finding.kind)];
    parts.extend(finding.thread.as_ref().map(|thread| format!("thread {}", short(thread))));
    parts.extend(finding.turn.as_ref().map(|turn| format!("turn {}", short(turn))));
    parts.extend(finding.call.map(|key| format!("call {}", id(key))));
    parts.extend(finding.subject.as_ref().map(|subject| short(subject)));
    let told = |text: &ByteString| short(text);
    parts.extend(finding.expected.as_ref().map(|expected| format!("expected {}", told(expected))));
    parts.extend(finding.actual.as_ref().map(|actual| format!("actual {}", told(actual))));
    parts.extend((finding.count > 1).then(|| format!("{} times", count(finding.count))));
    parts.join("  ")
}

fn call(call: &Call, parts: &mut Vec<String>) {
    parts.push(state(call).to_owned());
    parts.extend(call.late.then(|| "late".to_owned()));
    parts.extend(call.duration_nanos().map(duration));
}

fn state(call: &Call) -> &'static str {
    match call.outcome {
        Some(outcome) => outcome.as_str(),
        None if call.closed_at.is_some() => "ended",
        None => "open",
    }
}

fn tokens(number: Option<i64>) -> String {
    number.map_or_else(|| "?".to_owned(), count)
}

fn finish_reasons(attrs: &Attrs) -> Option<String> {
    let reasons = attrs.get(FINISH_REASONS).filter(|reasons| !reasons.is_empty())?;
    Some(reasons.iter().map(|reason| label(reason)).collect::<Vec<_>>().join(","))
}
