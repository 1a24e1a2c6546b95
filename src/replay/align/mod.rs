//! Two sequences aligned: which element of the one stands for which of the other.
//!
//! Equal elements are found by the greedy algorithm of Myers (An O(ND) Difference Algorithm and Its Variations, 1986),
//! whose cost follows the number of differences and not the square of the length. Between them, what differs is aligned by
//! weight (Needleman and Wunsch, 1970): an element that is nearly the other is its substitute, not a deletion beside an
//! insertion. Both have a bound. Beyond it elements that stand once on each side divide the work, and beyond that elements
//! are paired in their order; either way the script says that it is approximate.
//!
//! The script of `b` against `a` is that of `a` against `b` turned round: sequences are always aligned in one order.

mod anchors;
mod matches;
mod myers;
mod weighted;

use std::cmp::Ordering;

/// What an element that has no counterpart costs.
pub(super) const GAP: u32 = 10;

/// What becomes of one element, or of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Op {
    /// The one stands for the other.
    Pair(usize, usize),
    /// An element of the first sequence alone.
    Delete(usize),
    /// An element of the second sequence alone.
    Insert(usize),
}

/// How the one sequence becomes the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) ops: Vec<Op>,
    /// A bound was hit: there may be a shorter one.
    pub(super) approximate: bool,
}

/// Aligns two sequences of elements that are told apart by their numbers. `cost(a, b)` is what it costs that element `a` of
/// the first stands for element `b` of the second: 0 where they are equal, and more than 2 [`GAP`]s where it cannot.
pub(super) fn align(a: &[u64], b: &[u64], cost: &mut dyn FnMut(usize, usize) -> u32) -> Script {
    match (a.len(), a).cmp(&(b.len(), b)) {
        Ordering::Equal => {
            Script { ops: (0..a.len()).map(|place| Op::Pair(place, place)).collect(), approximate: false }
        }
        Ordering::Less => ordered(a, b, cost),
        Ordering::Greater => {
            let mut script = ordered(b, a, &mut |b, a| cost(a, b));
            for op in &mut script.ops {
                *op = match *op {
                    Op::Pair(b, a) => Op::Pair(a, b),
                    Op::Delete(b) => Op::Insert(b),
                    Op::Insert(a) => Op::Delete(a),
                };
            }
            script
        }
    }
}

fn ordered(a: &[u64], b: &[u64], cost: &mut dyn FnMut(usize, usize) -> u32) -> Script {
    let mut script = Script::default();
    let matches = matches::find(a, b, &mut script.approximate);
    let (mut at_a, mut at_b) = (0, 0);
    for matched in matches.iter().chain([&matches::Run { a: a.len(), b: b.len(), length: 0 }]) {
        weighted::hunk(at_a..matched.a, at_b..matched.b, cost, &mut script);
        script.ops.extend((0..matched.length).map(|step| Op::Pair(matched.a + step, matched.b + step)));
        (at_a, at_b) = (matched.a + matched.length, matched.b + matched.length);
    }
    script
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Elements of one ten are nearly alike.
    fn aligned(a: &[u64], b: &[u64]) -> Script {
        align(a, b, &mut |x, y| match (a[x], b[y]) {
            (x, y) if x == y => 0,
            (x, y) if x / 10 == y / 10 => 4,
            _ => 30,
        })
    }

    fn gaps(script: &Script) -> (Vec<usize>, Vec<usize>) {
        let deleted = script.ops.iter().filter_map(|op| if let Op::Delete(place) = op { Some(*place) } else { None });
        let inserted = script.ops.iter().filter_map(|op| if let Op::Insert(place) = op { Some(*place) } else { None });
        (deleted.collect(), inserted.collect())
    }

    fn substituted(script: &Script, a: &[u64], b: &[u64]) -> Vec<(usize, usize)> {
        let pairs = script.ops.iter().filter_map(|op| if let Op::Pair(x, y) = op { Some((*x, *y)) } else { None });
        pairs.filter(|(x, y)| a[*x] != b[*y]).collect()
    }

    /// Every element once, in order.
    fn assert_whole(script: &Script, a: &[u64], b: &[u64]) {
        let (mut x, mut y) = (0, 0);
        for op in &script.ops {
            match *op {
                Op::Pair(one, other) => {
                    assert_eq!((one, other), (x, y));
                    (x, y) = (x + 1, y + 1);
                }
                Op::Delete(one) => {
                    assert_eq!(one, x);
                    x += 1;
                }
                Op::Insert(other) => {
                    assert_eq!(other, y);
                    y += 1;
                }
            }
        }
        assert_eq!((x, y), (a.len(), b.len()));
    }

    #[test]
    fn what_is_nearly_the_other_is_its_substitute() {
        let (a, b) = (vec![10, 20, 30], vec![10, 21, 30]);
        let script = aligned(&a, &b);
        assert_eq!(substituted(&script, &a, &b), [(1, 1)]);
        // Also where the substitute is equal to its neighbour.
        let (a, b) = (vec![10, 11, 30], vec![10, 10, 30]);
        assert_eq!(substituted(&aligned(&a, &b), &a, &b), [(1, 1)]);
    }

    #[test]
    fn sequences_without_anything_in_common_are_aligned_within_the_bound() {
        let a: Vec<u64> = (0..20_000).map(|number| number * 10).collect();
        let b: Vec<u64> = (0..20_000).map(|number| number * 10 + 5_000_000).collect();
        let script = aligned(&a, &b);
        assert_whole(&script, &a, &b);
        assert!(script.approximate);
    }

    #[test]
    fn what_stands_once_divides_sequences_that_differ_too_much() {
        let side = |offset: u64| {
            let blocks = (0..40u64).flat_map(move |block| {
                std::iter::once(block + 1_000_000_000)
                    .chain((0..200).map(move |step| offset + block * 2_000 + step * 10))
            });
            blocks.collect::<Vec<_>>()
        };
        let (a, b) = (side(0), side(10_000_000));
        let script = aligned(&a, &b);
        assert_whole(&script, &a, &b);
        for block in 0..40usize {
            assert!(script.ops.contains(&Op::Pair(block * 201, block * 201)), "{block}");
        }
    }

    fn sequence() -> impl Strategy<Value = Vec<u64>> {
        prop_oneof![
            proptest::collection::vec(10u64..16, 0..24),
            proptest::collection::vec((1u64..40).prop_map(|number| number * 7), 0..300),
        ]
    }

    proptest! {
        #[test]
        fn an_alignment_is_whole_and_symmetric_up_to_direction(a in sequence(), b in sequence()) {
            let (there, back) = (aligned(&a, &b), aligned(&b, &a));
            assert_whole(&there, &a, &b);
            let turned: Vec<Op> = back.ops.iter().map(|op| match *op {
                Op::Pair(x, y) => Op::Pair(y, x),
                Op::Delete(x) => Op::Insert(x),
                Op::Insert(x) => Op::Delete(x),
            }).collect();
            prop_assert_eq!(there.ops, turned);
        }

        #[test]
        fn one_insertion_is_one_insertion(a in sequence(), place: prop::sample::Index, new in 10u64..300) {
            let mut b = a.clone();
            b.insert(place.index(a.len() + 1), new);
            let script = aligned(&a, &b);
            let (deleted, inserted) = gaps(&script);
            prop_assert_eq!((deleted.len(), inserted.len()), (0, 1));
            prop_assert!(substituted(&script, &a, &b).is_empty());
            prop_assert_eq!(b[inserted[0]], new);
        }

        #[test]
        fn one_substitution_is_one_substitution(a in sequence(), place: prop::sample::Index, by in 1u64..9) {
            prop_assume!(!a.is_empty());
            let mut b = a.clone();
            let place = place.index(a.len());
            b[place] = b[place] / 10 * 10 + (b[place] % 10 + by) % 10;
            let script = aligned(&a, &b);
            prop_assert_eq!(gaps(&script), (vec![], vec![]));
            prop_assert_eq!(substituted(&script, &a, &b), [(place, place)]);
        }
    }
}
