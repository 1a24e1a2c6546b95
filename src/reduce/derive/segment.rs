//! Which calls belong to which segment of a turn.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{SpanId, TraceId};
use crate::reduce::graph::{Call, Segment};
use crate::semconv::SEGMENT;

/// A call belongs to the segment whose span is its parent, else to the one it names, else to the last one that had
/// begun when it opened.
pub(super) fn derive(spans: Vec<Call>, mut whole: Segment) -> Vec<Segment> {
    let mut segments: Vec<Segment> =
        spans.into_iter().map(|span| Segment::empty(span.attrs.get(SEGMENT).unwrap_or(0), Some(span))).collect();

    // A call may name a segment that nobody reported.
    let reported: BTreeSet<i64> = segments.iter().map(|segment| segment.index).collect();
    let named: BTreeSet<i64> = whole.calls().filter_map(|call| call.attrs.get(SEGMENT)).collect();
    segments.extend(named.difference(&reported).map(|index| Segment::empty(*index, None)));
    if segments.is_empty() {
        segments.push(Segment::empty(0, None));
    }
    segments.sort_by_key(|segment| (segment.index, segment.call.as_ref().map(|call| (call.opened_at, call.key))));

    if let [only] = segments.as_mut_slice() {
        whole.sort();
        let (index, call) = (only.index, only.call.take());
        *only = Segment { index, call, ..whole };
        return segments;
    }
    let places = Places::of(&segments);
    whole.sort();
    macro_rules! share_out {
        ($($calls:ident),*) => {$(
            for one in whole.$calls {
                if let Some(segment) = segments.get_mut(places.find(&one.call)) {
                    segment.$calls.push(one);
                }
            }
        )*};
    }
    share_out!(inferences, tool_calls, code_cells, terminal_operations, compactions, approvals, others);
    segments
}

/// Calls stand in the order of their start; one whose start nobody saw, where it ended.
fn order(call: &Call) -> impl Ord + use<> {
    (call.seen_at(), call.key)
}

/// Sorts what holds calls.
pub(super) fn sort<T>(all: &mut [T], call: impl Fn(&T) -> &Call) {
    // Mostly they are in order, and their times tell.
    let time = |one: &T| call(one).opened_at.map(|at| at.time_unix_nano);
    if !all.is_sorted_by(|one, other| time(one).is_some_and(|time_of_one| Some(time_of_one) < time(other))) {
        all.sort_by_key(|one| order(call(one)));
    }
}

impl Segment {
    fn sort(&mut self) {
        sort(&mut self.inferences, |one| &one.call);
        sort(&mut self.tool_calls, |one| &one.call);
        sort(&mut self.code_cells, |one| &one.call);
        sort(&mut self.terminal_operations, |one| &one.call);
        for others in [&mut self.compactions, &mut self.approvals, &mut self.others] {
            sort(others, |one| &one.call);
        }
    }
}

struct Places {
    by_span: BTreeMap<(TraceId, SpanId), usize>,
    by_index: BTreeMap<i64, usize>,
    /// Starts in order, each with the segment that had begun last by then.
    by_start: Vec<(u64, usize)>,
}

impl Places {
    fn of(segments: &[Segment]) -> Self {
        let mut places = Self { by_span: BTreeMap::new(), by_index: BTreeMap::new(), by_start: Vec::new() };
        for (place, segment) in segments.iter().enumerate() {
            places.by_index.entry(segment.index).or_insert(place);
            if let Some(span) = segment.call.as_ref().and_then(|call| call.span) {
                places.by_span.insert((span.trace, span.span), place);
            }
            if let Some(at) = segment.call.as_ref().and_then(|call| call.opened_at) {
                places.by_start.push((at.time_unix_nano, place));
            }
        }
        places.by_start.sort_unstable();
        places
    }

    fn find(&self, call: &Call) -> usize {
        let parent = call.span.and_then(|span| Some((span.trace, span.parent?)));
        let by_parent = parent.and_then(|parent| self.by_span.get(&parent)).copied();
        let by_name = || call.attrs.get(SEGMENT).and_then(|index| self.by_index.get(&index)).copied();
        let by_time = || {
            let time = call.opened_at.or(call.closed_at)?.time_unix_nano;
            let begun = self.by_start.partition_point(|(start, _)| *start <= time);
            self.by_start.get(begun.checked_sub(1)?).map(|(_, place)| *place)
        };
        by_parent.or_else(by_name).or_else(by_time).unwrap_or(0)
    }
}
