//! When and how a turn ended, over all its segments, and what ended with it.

use std::collections::{BTreeMap, BTreeSet};

use bytestring::ByteString;

use super::items::Late;
use super::settle::settle;
use super::turn::Place;
use crate::event::{At, Attrs, CallKind, Key, Outcome, SpanId, TraceId};
use crate::reduce::facts::CallTold;
use crate::reduce::facts::Closing;
use crate::reduce::graph::{Call, Conflict, Finding, FindingKind, OtherCall, Segment};
use crate::semconv::{APPROVAL_DECISION, APPROVAL_INDEX, FINISH_REASONS, SEGMENT, TOOL_CALL_ID, TOOL_NAME};

/// How far up it is looked for an agent that an agent of the same turn runs inside of.
const DEPTH: usize = 64;

/// The end of a turn. Spans that only wait for a person lose an outcome that they should not have told.
pub(super) fn end(
    place: Place<'_>,
    told: &[(Key, CallTold)],
    spans: &mut [Call],
    whole: &Segment,
    findings: &mut Vec<Finding>,
) -> Option<(At, Outcome)> {
    let inside = Inside::of(told, whole);
    let ends: Vec<(Key, &CallTold)> = told
        .iter()
        .filter(|(key, call)| key.kind == CallKind::Turn && !inside.another(call))
        .map(|(key, call)| (*key, call))
        .collect();
    let beginnings = Beginnings::of(&ends);
    let waits = Waits::of(whole.approvals.iter());
    // What was asked before the last segment began has been decided by then, whatever the clocks say.
    let of_last = Waits::of(whole.approvals.iter().filter(|approval| !beginnings.are_behind(&approval.call)));
    let is_end = |call: &CallTold, key: Key, closing: &Closing| {
        !of_last.holds(closing) && !beginnings.went_on((key, index(call)), closing)
    };
    let is_end = &is_end;
    let closings = ends.iter().flat_map(|(key, call)| call.closings.iter().filter(move |one| is_end(call, *key, one)));
    let settled = settle(closings);
    for span in spans {
        let waited = |at: At| span.outcome == Some(Outcome::Completed) && waits.pending(at);
        if span.closed_at.is_some_and(waited) || stops_for_approval(&span.attrs, span.outcome) {
            span.outcome = None;
        }
    }
    let winner = settled.closing?;
    let outcome = winner.outcome?;
    findings.extend(settled.losers.iter().map(|loser| place.conflict(None, outcome, loser.outcome)));
    // Each segment may say that it completed; the turn did when the last of them had.
    let completed = ends.iter().filter_map(|(key, call)| {
        let end = settle(call.closings.iter()).closing?;
        (end.outcome == Some(Outcome::Completed) && is_end(call, *key, end)).then_some(end)
    });
    let last = completed.map(|end| end.at).max().filter(|_| outcome == Outcome::Completed);
    Some((last.unwrap_or(winner.at), outcome))
}

/// Which segment of its turn a span tells of.
fn index(call: &CallTold) -> i64 {
    call.openings.first().and_then(|opening| opening.attrs.get(SEGMENT)).unwrap_or(0)
}

/// When the last segment of a turn began, each time that it was told of, in order. That one follows from the others, so their
/// numbers say more than their clocks.
struct Beginnings {
    newest: i64,
    all: Vec<(At, Key)>,
    /// The spans of the segments before it.
    before: BTreeSet<(TraceId, SpanId)>,
}

impl Beginnings {
    fn of(spans: &[(Key, &CallTold)]) -> Self {
        let newest = spans.iter().map(|(_, call)| index(call)).max().unwrap_or(0);
        let of_newest = |is: bool| spans.iter().filter(move |(_, call)| (index(call) == newest) == is);
        let began = |(key, call): &(Key, &CallTold)| Some((call.openings.first()?.at, *key));
        let mut all: Vec<_> = of_newest(true).filter_map(began).collect();
        all.sort_unstable();
        let ids = of_newest(false).filter_map(|(_, call)| Some(call.openings.first()?.span));
        Self { newest, all, before: ids.map(|ids| (ids.trace, ids.span)).collect() }
    }

    /// Whether the turn was told of once more after this segment of it had completed, or was given up: then it was not
    /// the last one.
    fn went_on(&self, (of, index): (Key, i64), closing: &Closing) -> bool {
        if !matches!(closing.outcome, Some(Outcome::Completed | Outcome::Abandoned)) {
            return false;
        }
        let behind = self.all.partition_point(|(at, _)| *at <= closing.at);
        // The segment itself is among them once, so two at either end are enough to see one that is another.
        let first = self.all.get(behind..).unwrap_or_default().iter().take(2);
        let mut some = first.chain(self.all.iter().rev().take(2));
        index < self.newest || some.any(|(at, key)| *key != of && at.is_after(&closing.at))
    }

    /// Whether they came after the segment that this call is of.
    fn are_behind(&self, call: &Call) -> bool {
        call.span.is_some_and(|span| span.parent.is_some_and(|parent| self.before.contains(&(span.trace, parent))))
    }
}

/// Which calls of a turn run inside which.
struct Inside {
    /// By its ids, whether a span is one of the turn itself, and its parent. Of two that claim the same ids the one of the turn
    /// counts, whichever way they were read.
    parents: BTreeMap<(TraceId, SpanId), (bool, Option<SpanId>)>,
}

impl Inside {
    fn of(told: &[(Key, CallTold)], whole: &Segment) -> Self {
        let is_single = told.iter().filter(|(key, _)| key.kind == CallKind::Turn).nth(1).is_none();
        let mut parents = BTreeMap::new();
        if is_single {
            return Self { parents };
        }
        let opened = |call: &CallTold| call.openings.first().map(|opening| opening.span);
        let observed = told.iter().filter_map(|(key, call)| Some((opened(call)?, key.kind == CallKind::Turn)));
        let read = whole.calls().filter_map(|call| Some((call.span?, false)));
        for (span, is_turn) in read.chain(observed) {
            let place = parents.entry((span.trace, span.span)).or_insert((is_turn, span.parent));
            *place = (*place).max((is_turn, span.parent));
        }
        Self { parents }
    }

    /// Whether it runs inside another span of the same turn, as an agent does that an agent asks for help: how it ends is
    /// not how the turn ends.
    fn another(&self, call: &CallTold) -> bool {
        let Some(span) = call.openings.first().map(|opening| opening.span) else { return false };
        let mut parent = span.parent;
        for _ in 0..DEPTH {
            match parent.and_then(|parent| self.parents.get(&(span.trace, parent))) {
                Some((true, _)) => return true,
                Some((false, above)) => parent = *above,
                None => return false,
            }
        }
        false
    }
}

/// When a turn waited for a person.
struct Waits {
    asked: Vec<At>,
    /// The latest decision about all that was asked by then; nothing where one is open.
    decided: Vec<Option<At>>,
}

impl Waits {
    fn of<'a>(approvals: impl Iterator<Item = &'a OtherCall>) -> Self {
        let mut in_order: Vec<_> = approvals.map(|approval| &approval.call).collect();
        in_order.sort_by_key(|call| (call.opened_at, call.closed_at, call.key));
        let mut waits: BTreeMap<_, Vec<(At, Option<At>)>> = BTreeMap::new();
        for call in in_order {
            let Some(asked) = call.opened_at else { continue };
            // The place among the waits of its turn names one, else the call that it is about. One of which neither is told
            // cannot be told from others, so each is its own.
            let index = call.attrs.get(APPROVAL_INDEX);
            let id = call.attrs.get(TOOL_CALL_ID).filter(|_| index.is_none());
            let own = (index.is_none() && id.is_none()).then_some(call.key);
            let waits = waits.entry((own, index, id, call.attrs.get(TOOL_NAME))).or_default();
            match waits.last_mut().filter(|(_, decided)| decided.is_none_or(|decided| asked <= decided)) {
                // Who decides once more what is decided makes nobody wait again.
                Some((_, decided)) => *decided = decided.iter().copied().chain(call.closed_at).min(),
                None => waits.push((asked, call.closed_at)),
            }
        }
        let mut all: Vec<_> = waits.into_values().flatten().collect();
        all.sort_unstable();
        let later = |latest: &mut Option<Option<At>>, (_, decided): &(At, Option<At>)| {
            let both = latest.map_or(*decided, |latest| latest.zip(*decided).map(|(one, other)| one.max(other)));
            *latest = Some(both);
            Some(both)
        };
        let decided = all.iter().scan(None, later).collect();
        Self { asked: all.into_iter().map(|(asked, _)| asked).collect(), decided }
    }

    fn pending(&self, at: At) -> bool {
        let asked = self.asked.partition_point(|asked| *asked <= at);
        let latest = asked.checked_sub(1).and_then(|place| self.decided.get(place));
        latest.is_some_and(|decided| decided.is_none_or(|decided| decided > at))
    }

    /// An end that says "completed" while the turn waits for a person ends nothing.
    fn holds(&self, closing: &Closing) -> bool {
        closing.outcome == Some(Outcome::Completed)
            && (self.pending(closing.at) || stops_for_approval(&closing.attrs, closing.outcome))
    }
}

fn stops_for_approval(attrs: &Attrs, outcome: Option<Outcome>) -> bool {
    let reasons = attrs.get(FINISH_REASONS).unwrap_or_default();
    outcome == Some(Outcome::Completed) && reasons.iter().any(|reason| reason == "awaiting_approval")
}

/// A turn that was stopped or has failed takes with it what was open then and cannot go on without it: the model request,
/// the code cell, the wait for a decision. They ended as the turn did, whatever is told of them later. A tool may well go
/// on, so it stays open until somebody tells.
pub(super) fn end_open_calls(
    place: Place<'_>,
    whole: &mut Segment,
    at: At,
    outcome: Outcome,
    findings: &mut Vec<Finding>,
    late: &mut Late,
) {
    if !takes_with_it(outcome) {
        return;
    }
    for inference in &mut whole.inferences {
        let told = inference.call.closed_at;
        if end_with_turn(place, &mut inference.call, at, outcome, findings) {
            late.extend(told.map(|told| (inference.call.key, told)));
        }
    }
    for cell in &mut whole.code_cells {
        end_with_turn(place, &mut cell.call, at, outcome, findings);
    }
    for approval in &mut whole.approvals {
        if end_with_turn(place, &mut approval.call, at, outcome, findings) {
            // Nobody decided in time: what was decided later is kept as a conflict.
            approval.call.attrs.set(APPROVAL_DECISION, ByteString::from_static("cancelled"));
        }
    }
}

/// Whether a turn that ends so ends what cannot go on without it.
pub(super) const fn takes_with_it(outcome: Outcome) -> bool {
    !matches!(outcome, Outcome::Completed | Outcome::Abandoned)
}

/// Ends a call that was open when its turn ended. Whether it was.
pub(super) fn end_with_turn(
    place: Place<'_>,
    call: &mut Call,
    at: At,
    outcome: Outcome,
    findings: &mut Vec<Finding>,
) -> bool {
    if call.closed_at.is_some_and(|closed| !closed.is_after(&at)) {
        return false;
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
    true
}

pub(super) fn mark_late(call: &mut Call, end: At) {
    call.late |= call.closed_at.is_some_and(|closed| closed.is_after(&end));
}

/// A stop that was asked for after the end changes nothing, and is told of.
pub(super) fn late_cancels(place: Place<'_>, others: &[OtherCall], end: At, findings: &mut Vec<Finding>) {
    for other in others.iter().filter(|other| other.call.key.kind == CallKind::Cancel) {
        if other.call.opened_at.is_some_and(|at| at.is_after(&end)) {
            findings.push(place.finding(FindingKind::Cancel, Some(other.call.key), 1));
        }
    }
}
