//! Code cells: what their runtime said of them, and who waited for them.

use std::collections::BTreeMap;

use bytestring::ByteString;

use super::Place;
use super::call;
use super::told::CallTold;
use crate::event::{Attrs, CallKind, Key, KeyIdentity, MarkKind, Measure, Outcome};
use crate::reduce::graph::{Call, CodeCell, Finding, FindingKind, Segment};
use crate::semconv::{CODE_CELL_RUNTIME_ID, CODE_CELL_STATUS, TOOL_REQUESTER};

pub(super) fn cell(place: Place<'_>, mut call: Call, told: &CallTold, findings: &mut Vec<Finding>) -> CodeCell {
    // An end that says that the cell goes on is none.
    if call.closed_at.is_some() && call.attrs.text(CODE_CELL_STATUS) == Some("yielded") && call.outcome.is_none() {
        call.closed_at = None;
        findings.push(Finding {
            actual: Some(ByteString::from_static("yielded")),
            ..place.finding(FindingKind::Conflict, Some(call.key), 1)
        });
    }
    let answers = || told.marks.iter().filter(|mark| matches!(mark.kind, MarkKind::Responded | MarkKind::Yielded));
    let before_end = |at: crate::event::At| call.closed_at.is_none_or(|end| at <= end);
    // What came after the end says nothing of how the cell is.
    let last = answers().rfind(|mark| before_end(mark.at)).and_then(|mark| mark.attrs.get(CODE_CELL_STATUS));
    let at_end = call.outcome.and_then(|_| call.attrs.get(CODE_CELL_STATUS)).filter(|_| call.closed_at.is_some());
    CodeCell {
        source: call::given_texts(told).into_iter().next().unwrap_or_default(),
        reported: true,
        status: at_end.or(last),
        responded_at: answers().map(|mark| mark.at).next().or(call.closed_at),
        yielded_at: answers().find(|mark| mark.kind == MarkKind::Yielded).map(|mark| mark.at),
        source_item: None,
        output_items: Vec::new(),
        nested: Vec::new(),
        waits: Vec::new(),
        call,
    }
}

/// A cell that was ended by its turn was terminated, whatever its runtime said before.
pub(in crate::reduce) fn status(cell: &CodeCell) -> Option<ByteString> {
    let word = match (cell.call.end_inferred, cell.call.outcome) {
        (true, Some(Outcome::Cancelled)) => "terminated",
        (true, Some(Outcome::Failed)) => "failed",
        (true, Some(Outcome::Abandoned)) => "abandoned",
        _ => return cell.status.clone(),
    };
    Some(ByteString::from_static(word))
}

/// A cell that nobody reported is known from the tools that it called.
pub(super) fn placeholders(place: Place<'_>, whole: &mut Segment, findings: &mut Vec<Finding>) {
    let runtime_id = |attrs: &Attrs| attrs.get(CODE_CELL_RUNTIME_ID);
    let mut cells: BTreeMap<ByteString, Key> =
        whole.code_cells.iter().filter_map(|cell| Some((runtime_id(&cell.call.attrs)?, cell.call.key))).collect();
    let mut made = Vec::new();
    for tool in &whole.tool_calls {
        let of_cell = tool.call.attrs.text(TOOL_REQUESTER) == Some("code_cell");
        let Some(id) = runtime_id(&tool.call.attrs).filter(|_| of_cell) else { continue };
        if cells.contains_key(&id) {
            continue;
        }
        let Some(key) = key_of(tool.call.key, cells.len()) else { continue };
        cells.insert(id.clone(), key);
        let mut attrs = Attrs::default();
        attrs.set(CODE_CELL_RUNTIME_ID, id);
        findings.push(place.finding(FindingKind::Orphan, Some(key), 1));
        made.push(CodeCell {
            call: Call {
                key,
                span: None,
                opened_at: tool.call.opened_at,
                closed_at: None,
                outcome: None,
                end_inferred: false,
                late: false,
                attrs,
                policy: None,
                error: Measure::default(),
                marks: Vec::new(),
                conflicts: Vec::new(),
            },
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
    whole.code_cells.extend(made);
}

/// The key of a cell that is known from a tool alone.
fn key_of(tool: Key, number: usize) -> Option<Key> {
    let known = !matches!(tool.id, KeyIdentity::None);
    known.then(|| Key { kind: CallKind::CodeCell, id: tool.id, occurrence: u32::try_from(number).unwrap_or(u32::MAX) })
}
