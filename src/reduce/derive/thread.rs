//! One thread: its turns in order, and whether two of them were active at once.

use bytestring::ByteString;

use super::turn::{Place, derive_turn};
use crate::event::Key;
use crate::reduce::facts::ThreadFacts;
use crate::reduce::graph::{Finding, FindingKind, Reason, Thread, Turn};

pub(super) fn derive(
    id: &ByteString,
    facts: &ThreadFacts,
    closed: Option<Reason>,
    findings: &mut Vec<Finding>,
) -> Thread {
    let mut turns: Vec<Turn> = facts
        .turns
        .iter()
        .map(|(turn, told)| derive_turn(Place { thread: id, turn }, told, facts, closed, findings))
        .collect();
    turns.sort_by(|one, other| (one.started_unix_nano, &one.id).cmp(&(other.started_unix_nano, &other.id)));
    overlaps(id, &turns, findings);
    Thread { id: id.clone(), turns }
}

/// A segment while it was active: a wait for a person lies between two of them, so it overlaps with nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Active<'a> {
    start: u64,
    end: u64,
    turn: &'a ByteString,
    index: i64,
    key: Key,
}

/// One pass over the segments by start, against the one that reaches furthest. The same segment told twice is no
/// overlap. Of a segment that is still open only its start is known to be active.
fn overlaps(thread: &ByteString, turns: &[Turn], findings: &mut Vec<Finding>) {
    let mut active: Vec<Active<'_>> = turns.iter().flat_map(of_turn).collect();
    active.sort_unstable();
    let mut furthest: Option<Active<'_>> = None;
    for segment in active {
        if let Some(before) = furthest
            && segment.start < before.end
            && (segment.turn, segment.index) != (before.turn, before.index)
        {
            let place = Place { thread, turn: segment.turn };
            let overlap = place.finding(FindingKind::Overlap, Some(segment.key), 1);
            findings.push(Finding { actual: Some(before.turn.clone()), ..overlap });
        }
        if furthest.is_none_or(|before| segment.end > before.end) {
            furthest = Some(segment);
        }
    }
}

fn of_turn(turn: &Turn) -> impl Iterator<Item = Active<'_>> {
    turn.segments.iter().filter_map(|segment| {
        let call = segment.call.as_ref()?;
        let start = call.opened_at?.time_unix_nano;
        let end = call.closed_at.map_or(start, |at| at.time_unix_nano);
        Some(Active { start, end, turn: &turn.id, index: segment.index, key: call.key })
    })
}
