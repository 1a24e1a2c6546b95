//! Code cells: what their runtime said of them, and who waited for them.

use std::collections::BTreeSet;

use bytestring::ByteString;

use super::Place;
use super::ending::{end_with_turn, takes_with_it};
use super::{call, close};
use crate::event::{At, Attrs, CallKind, Key, KeyIdentity, MarkKind, Measure, Outcome};
use crate::reduce::facts::CallTold;
use crate::reduce::facts::Closing;
use crate::reduce::graph::{Call, CodeCell, Finding, FindingKind, Reason, Turn};
use crate::semconv::{CODE_CELL_RUNTIME_ID, CODE_CELL_STATUS, TOOL_REQUESTER};

pub(super) fn cell(place: Place<'_>, mut call: Call, told: &CallTold, findings: &mut Vec<Finding>) -> CodeCell {
    // An end that says that the cell goes on is none.
    for word in told.closings.iter().filter_map(goes_on) {
        call.closed_at = call.closed_at.filter(|_| call.outcome.is_some());
        findings.push(Finding { actual: Some(word), ..place.finding(FindingKind::Conflict, Some(call.key), 1) });
    }
    // Where nobody told of its beginning, what it answered may say which it is.
    if call.attrs.value(CODE_CELL_RUNTIME_ID.id()).is_none()
        && let Some(id) = told.marks.iter().find_map(|mark| mark.attrs.get(CODE_CELL_RUNTIME_ID))
    {
        call.attrs.set(CODE_CELL_RUNTIME_ID, id);
    }
    let answers = || told.marks.iter().filter(|mark| matches!(mark.kind, MarkKind::Responded | MarkKind::Yielded));
    let before_end = |at: At| call.closed_at.is_none_or(|end| at <= end);
    // What came after the end says nothing of how the cell is.
    let last = answers().rfind(|mark| before_end(mark.at)).and_then(|mark| mark.attrs.get(CODE_CELL_STATUS));
    let at_end = call.outcome.and_then(|_| call.attrs.get(CODE_CELL_STATUS)).filter(|_| call.closed_at.is_some());
    CodeCell {
        source: call::given_texts(told).into_iter().next().unwrap_or_default(),
        reported: true,
        status: at_end.or(last),
        // Who was given up has answered nobody.
        responded_at: answers()
            .map(|mark| mark.at)
            .next()
            .or(call.closed_at.filter(|_| call.outcome != Some(Outcome::Abandoned))),
        yielded_at: answers().find(|mark| mark.kind == MarkKind::Yielded).map(|mark| mark.at),
        source_item: None,
        output_items: Vec::new(),
        nested: Vec::new(),
        waits: Vec::new(),
        call,
    }
}

/// What an end says that is none.
fn goes_on(closing: &Closing) -> Option<ByteString> {
    let status = closing.attrs.get(CODE_CELL_STATUS).filter(|_| closing.outcome.is_none());
    status.filter(|status| matches!(&**status, "starting" | "running" | "yielded"))
}

/// A cell that was ended by its turn was terminated, whatever its runtime said before.
pub(in crate::reduce) fn status(cell: &CodeCell) -> Option<ByteString> {
    let word = match (cell.call.end_inferred, cell.call.outcome) {
        (true, Some(Outcome::Cancelled)) => "terminated",
        (true, Some(Outcome::Failed)) => "failed",
        (true, Some(Outcome::Timeout | Outcome::Disconnected | Outcome::Denied)) => "terminated",
        (true, Some(Outcome::Abandoned)) => "abandoned",
        _ => return cell.status.clone(),
    };
    Some(ByteString::from_static(word))
}

/// A cell that nobody reported is known from the tools that it called. A cell may outlive its turn, so all turns of the
/// thread are asked for it.
pub(super) fn placeholders(
    thread: &ByteString,
    turns: &mut [Turn],
    closed: Option<Reason>,
    findings: &mut Vec<Finding>,
) {
    let runtime_id = |attrs: &Attrs| attrs.get(CODE_CELL_RUNTIME_ID);
    let reported = turns.iter().flat_map(Turn::code_cells).filter_map(|cell| runtime_id(&cell.call.attrs));
    let mut known: BTreeSet<ByteString> = reported.collect();
    for turn in turns {
        let end = turn.ended_at.zip(turn.outcome).filter(|(_, outcome)| takes_with_it(*outcome));
        for segment in &mut turn.segments {
            let mut made = Vec::new();
            for tool in &segment.tool_calls {
                let of_cell = tool.call.attrs.text(TOOL_REQUESTER) == Some("code_cell");
                let Some(id) = runtime_id(&tool.call.attrs).filter(|_| of_cell) else { continue };
                let Some(key) = key_of(tool.call.key).filter(|_| !known.contains(&id)) else { continue };
                known.insert(id.clone());
                let mut attrs = Attrs::default();
                attrs.set(CODE_CELL_RUNTIME_ID, id);
                let place = Place { thread, turn: &turn.id };
                findings.push(place.finding(FindingKind::Orphan, Some(key), 1));
                let mut call = unreported(key, tool.call.opened_at, attrs);
                match end {
                    Some((at, outcome)) => {
                        end_with_turn(place, &mut call, at, outcome, findings);
                    }
                    None if closed.is_some() => close::abandon(&mut call),
                    None => {}
                }
                made.push(CodeCell {
                    call,
                    source: Measure::default(),
                    reported: false,
                    status: None,
                    responded_at: None,
                    yielded_at: None,
                    source_item: None,
                    output_items: Vec::new(),
                    nested: Vec::new(),
                    waits: Vec::new(),
                });
            }
            segment.code_cells.extend(made);
        }
    }
}

fn unreported(key: Key, opened_at: Option<At>, attrs: Attrs) -> Call {
    Call {
        key,
        span: None,
        opened_at,
        closed_at: None,
        outcome: None,
        end_inferred: false,
        late: false,
        attrs,
        policy: None,
        error: Measure::default(),
        marks: Vec::new(),
        conflicts: Vec::new(),
    }
}

/// The key of a cell that is known from the first tool that it called.
fn key_of(tool: Key) -> Option<Key> {
    (!matches!(tool.id, KeyIdentity::None)).then_some(Key { kind: CallKind::CodeCell, ..tool })
}
