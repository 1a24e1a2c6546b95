//! The equal elements of two sequences, as runs.

use super::{anchors, myers};

/// Elements that follow one another in both sequences and are equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) a: usize,
    pub(super) b: usize,
    pub(super) length: usize,
}

/// Below so many comparisons the weighted alignment does all by itself, and finds the best there is.
const SMALL: usize = 1 << 14;

/// The runs of equal elements that an alignment keeps, in order.
pub(super) fn find(a: &[u64], b: &[u64], approximate: &mut bool) -> Vec<Run> {
    let head = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (rest_a, rest_b) = (a.get(head..).unwrap_or_default(), b.get(head..).unwrap_or_default());
    let tail = rest_a.iter().rev().zip(rest_b.iter().rev()).take_while(|(a, b)| a == b).count();
    let middle_a = rest_a.get(..rest_a.len() - tail).unwrap_or_default();
    let middle_b = rest_b.get(..rest_b.len() - tail).unwrap_or_default();

    let mut runs = Vec::new();
    push(&mut runs, Run { a: 0, b: 0, length: head });
    if middle_a.len().saturating_mul(middle_b.len()) > SMALL {
        for (x, y) in pairs(middle_a, middle_b, approximate) {
            push(&mut runs, Run { a: head + x, b: head + y, length: 1 });
        }
    }
    push(&mut runs, Run { a: a.len() - tail, b: b.len() - tail, length: tail });
    slide(a, b, &mut runs);
    runs
}

fn push(runs: &mut Vec<Run>, run: Run) {
    match runs.last_mut() {
        Some(last) if last.a + last.length == run.a && last.b + last.length == run.b => last.length += run.length,
        _ if run.length > 0 => runs.push(run),
        _ => {}
    }
}

/// Equal elements in order, of two sequences that neither begin nor end alike.
fn pairs(a: &[u64], b: &[u64], approximate: &mut bool) -> Vec<(usize, usize)> {
    if let Some(pairs) = myers::pairs(a, b) {
        return pairs;
    }
    *approximate = true;
    let anchors = anchors::find(a, b);
    let mut pairs = Vec::new();
    let (mut at_a, mut at_b) = (0, 0);
    for (x, y) in anchors.into_iter().map(Some).chain([None]).map(|anchor| anchor.unwrap_or((a.len(), b.len()))) {
        let (between_a, between_b) = (a.get(at_a..x).unwrap_or_default(), b.get(at_b..y).unwrap_or_default());
        let found = myers::pairs(between_a, between_b).unwrap_or_default();
        pairs.extend(found.into_iter().map(|(one, other)| (at_a + one, at_b + other)));
        if x < a.len() {
            pairs.push((x, y));
        }
        (at_a, at_b) = (x + 1, y + 1);
    }
    pairs
}

/// Moves a gap along equal elements until it meets the next one, where it can: what was deleted beside what was inserted
/// may be a substitution. O(n): a run is looked at from its two ends.
fn slide(a: &[u64], b: &[u64], runs: &mut Vec<Run>) {
    for place in 1..runs.len().saturating_sub(1) {
        let Some([before, run, after]) =
            runs.get(place - 1..place + 2).and_then(|three| <[Run; 3]>::try_from(three).ok())
        else {
            continue;
        };
        let gap_a = run.a - (before.a + before.length);
        let gap_b = run.b - (before.b + before.length);
        let after_a = after.a - (run.a + run.length);
        let after_b = after.b - (run.b + run.length);
        let same = |side: &[u64], from: usize, to: usize| {
            side.get(from..from + run.length).is_some_and(|one| side.get(to..to + run.length) == Some(one))
        };
        // A gap on one side alone, and on the other side alone after the run: one of them may move over to the other.
        let moved = match (gap_a, gap_b, after_a, after_b) {
            (0, gap, 1.., 0) if same(b, run.b - gap, run.b) => Some(Run { b: run.b - gap, ..run }),
            (gap, 0, 0, 1..) if same(a, run.a - gap, run.a) => Some(Run { a: run.a - gap, ..run }),
            (0, 1.., gap, 0) if same(a, run.a, run.a + gap) => Some(Run { a: run.a + gap, ..run }),
            (1.., 0, 0, gap) if same(b, run.b, run.b + gap) => Some(Run { b: run.b + gap, ..run }),
            _ => None,
        };
        if let Some((entry, moved)) = runs.get_mut(place).zip(moved) {
            *entry = moved;
        }
    }
    let mut joined = Vec::with_capacity(runs.len());
    runs.drain(..).for_each(|run| push(&mut joined, run));
    *runs = joined;
}
