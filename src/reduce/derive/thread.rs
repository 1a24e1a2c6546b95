//! One thread: its turns in order, its history, and whether two of its turns were active at once.

use std::collections::{BTreeMap, VecDeque};

use bytestring::ByteString;

use super::edges::{self, Linked};
use super::items::{self, Install, Late};
use super::sighting::Sightings;
use super::told::{self, TurnTold};
use super::turn::{Place, derive_turn};
use super::{Told, call, cells, link};
use crate::event::{At, CallKind, ItemKind, Key, TraceId};
use crate::reduce::facts::{CallTold, NotedFact, Reading};
use crate::reduce::graph::{
    Compaction, Finding, FindingKind, OtherCall, Reason, TerminalSession, Thread, Turn, VisibleItem,
};
use crate::semconv::{COMPACTION_ID, EVIDENCE_REF, TERMINAL_ID};

pub(super) fn derive<'a>(
    facts: &'a Reading<'a>,
    sightings: &mut Sightings<'a>,
    id: &'a ByteString,
    all_told: Vec<Told>,
    closed: Option<Reason>,
    linked: &mut Vec<Linked>,
    findings: &mut Vec<Finding>,
) -> Thread {
    let mut installs = Vec::new();
    let mut admissions = Vec::new();
    let mut turns = Vec::with_capacity(all_told.len());
    let mut late = Late::default();
    for told in all_told {
        let (turn, told, above) = match told {
            Told::Later(turn) => (turn.clone(), told::turn(facts, id, &turn), None),
            Told::Now(part) => (part.turn, part.told, part.above),
        };
        let turn = &turn;
        let place = Place { thread: id, turn };
        linked.extend(told.calls.iter().filter_map(|(key, call)| edges::linked(place, *key, call, above)));
        installs.extend(installs_of(turn, &told));
        admissions.extend(admissions_of(place, &told, findings));
        if told::is_turn(&told) {
            turns.push(derive_turn(place, facts, told, closed, (findings, &mut late)));
        }
    }
    turns.sort_by(|one: &Turn, other| (one.started_unix_nano, &one.id).cmp(&(other.started_unix_nano, &other.id)));
    cells::placeholders(id, &mut turns, closed, findings);
    installs.sort_by_key(|install: &Install| (install.at, install.key));
    admissions.sort_by_key(|admission: &OtherCall| (admission.call.seen_at(), admission.call.key));
    overlaps(id, &turns, findings);

    let (mut items, installed) = items::derive(facts, sightings, id, &mut turns, (&installs, &late), findings);
    link::derive(&mut turns, &mut items);
    unknown_items(id, &items, findings);
    let attempts = attempts(&turns, &installs);
    let compactions =
        installs.into_iter().zip(installed).zip(attempts).map(|((install, installed), attempts)| Compaction {
            attempts,
            id: install.id,
            turn: install.turn,
            at: install.at,
            marker: installed.marker,
            replaced: installed.replaced,
            replacement: installed.replacement,
            chain: install.chain,
            evidence: install.evidence,
        });
    let compactions = compactions.collect();
    let terminals = terminals(&turns);
    Thread { id: id.clone(), turns, items, compactions, terminals, admissions, ..Thread::default() }
}

fn installs_of(turn: &ByteString, told: &TurnTold) -> Vec<Install> {
    let marks = told.calls.iter().flat_map(|(key, call)| call.marks.iter().map(move |mark| (key, mark)));
    let installs = marks.filter_map(|(key, mark)| match &mark.noted {
        NotedFact::Histories(histories) => Some(Install {
            turn: turn.clone(),
            key: *key,
            at: mark.at,
            id: mark.attrs.get(COMPACTION_ID),
            evidence: mark.attrs.get(EVIDENCE_REF),
            replaced: histories.replaced.items.clone(),
            replacement: histories.replacement.items.clone(),
            chain: histories.replacement.chain,
        }),
        _ => None,
    });
    installs.collect()
}

/// An input that was turned away made no turn: it is told of with its thread.
fn admissions_of(place: Place<'_>, told: &TurnTold, findings: &mut Vec<Finding>) -> Vec<OtherCall> {
    let admissions = told.calls.iter().filter(|(key, _)| key.kind == CallKind::Admission);
    let other = |(key, told): &(Key, CallTold)| OtherCall {
        call: call::settled(place, *key, told, findings),
        given: call::given_texts(told),
        returned: call::returned_texts(told),
    };
    admissions.map(other).collect()
}

/// The attempts that led to each install. An id that is used again begins anew behind its install.
fn attempts(turns: &[Turn], installs: &[Install]) -> Vec<Vec<Key>> {
    let mut attempts: BTreeMap<ByteString, VecDeque<(Option<At>, Key)>> = BTreeMap::new();
    for OtherCall { call, .. } in turns.iter().flat_map(|turn| &turn.segments).flat_map(|segment| &segment.compactions)
    {
        if let Some(id) = call.attrs.get(COMPACTION_ID) {
            attempts.entry(id).or_default().push_back((call.seen_at(), call.key));
        }
    }
    attempts.values_mut().for_each(|of_id| of_id.make_contiguous().sort_unstable());
    let mut left: BTreeMap<&ByteString, usize> = BTreeMap::new();
    installs.iter().filter_map(|install| install.id.as_ref()).for_each(|id| *left.entry(id).or_default() += 1);
    let of_install = |install: &Install| {
        let Some((of_id, left)) = install.id.as_ref().and_then(|id| attempts.get_mut(id).zip(left.get_mut(id))) else {
            return Vec::new();
        };
        *left -= 1;
        let is_last = *left == 0;
        let begun = of_id.partition_point(|(began, _)| is_last || *began <= Some(install.at));
        of_id.drain(..begun).map(|(_, key)| key).collect()
    };
    installs.iter().map(of_install).collect()
}

fn terminals(turns: &[Turn]) -> Vec<TerminalSession> {
    let mut operations: Vec<_> = turns
        .iter()
        .flat_map(|turn| turn.segments.iter().map(move |segment| (&turn.id, segment)))
        .flat_map(|(turn, segment)| segment.terminal_operations.iter().map(move |operation| (turn, operation)))
        .collect();
    operations.sort_by_key(|(_, operation)| (operation.call.seen_at(), operation.call.key));
    let mut sessions: BTreeMap<ByteString, TerminalSession> = BTreeMap::new();
    for (turn, operation) in operations {
        let Some(id) = operation.call.attrs.get(TERMINAL_ID) else { continue };
        let started_at = operation.call.seen_at();
        let session =
            sessions.entry(id.clone()).or_insert_with(|| TerminalSession { id, started_at, operations: Vec::new() });
        session.operations.push((turn.clone(), operation.call.key));
    }
    sessions.into_values().collect()
}

/// Items of a kind that this version does not know are kept, and reported by name.
fn unknown_items(thread: &ByteString, items: &[VisibleItem], findings: &mut Vec<Finding>) {
    let mut unknown: BTreeMap<(&ByteString, Option<&ByteString>), u64> = BTreeMap::new();
    for item in items {
        if let Some(facet) = item.facet.as_ref().filter(|facet| facet.kind == ItemKind::Unknown) {
            *unknown.entry((&item.turn, facet.name.as_ref())).or_default() += 1;
        }
    }
    for ((turn, name), count) in unknown {
        let finding = Place { thread, turn }.finding(FindingKind::Unknown, None, count);
        findings.push(Finding { actual: name.cloned(), ..finding });
    }
}

/// A segment while it was active: a wait for a person lies between two of them, so it overlaps with nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Active<'a> {
    start: u64,
    end: u64,
    turn: &'a ByteString,
    index: i64,
    key: Key,
    trace: Option<TraceId>,
}

/// One pass over the segments by start, against the one that reaches furthest. Two spans of one segment in one trace may be
/// one inside of the other, so they are no overlap; in two traces it went on twice. Of a segment that is still open only its
/// start is known to be active.
fn overlaps(thread: &ByteString, turns: &[Turn], findings: &mut Vec<Finding>) {
    let mut active: Vec<Active<'_>> = turns.iter().flat_map(of_turn).collect();
    active.sort_unstable();
    let mut furthest: Option<Active<'_>> = None;
    for segment in active {
        if let Some(before) = furthest
            && segment.start < before.end
            && (segment.turn, segment.index, segment.trace) != (before.turn, before.index, before.trace)
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
        let trace = call.span.map(|span| span.trace);
        Some(Active { start, end, turn: &turn.id, index: segment.index, key: call.key, trace })
    })
}
