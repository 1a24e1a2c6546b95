//! Steps that ran at the same time, as sets: which of the one stands for which of the other.

use std::collections::HashMap;

use super::cost;
use crate::replay::align::GAP;
use crate::replay::run::Step;

/// The most pairs of steps that are weighed. Beyond it those that are not equal are paired in their order.
const PAIRS: usize = 1 << 14;

/// Which steps of one set stand for which of another.
#[derive(Clone, Debug, Default)]
pub(super) struct Pairing {
    /// Both places, by the place in the first.
    pub(super) pairs: Vec<(usize, usize)>,
    /// What the second does not have.
    pub(super) deleted: Vec<usize>,
    /// What the first does not have.
    pub(super) inserted: Vec<usize>,
    /// Whether equal steps stand in another order.
    pub(super) reordered: bool,
    /// A bound was hit.
    pub(super) approximate: bool,
    pub(super) cost: u32,
}

/// Pairs equal steps, then the nearest of the rest. The same whichever of the two is the first.
pub(super) fn pair(a: &[Step], b: &[Step], with_digests: bool) -> Pairing {
    let mut pairing = Pairing::default();
    let mut free: HashMap<u64, Vec<usize>> = HashMap::new();
    for (place, step) in b.iter().enumerate().rev() {
        free.entry(step.id(with_digests)).or_default().push(place);
    }
    for (place, step) in a.iter().enumerate() {
        match free.get_mut(&step.id(with_digests)).and_then(Vec::pop) {
            Some(other) => pairing.pairs.push((place, other)),
            None => pairing.deleted.push(place),
        }
    }
    pairing.reordered = !pairing.pairs.is_sorted_by_key(|(_, other)| *other);
    pairing.inserted = free.into_values().flatten().collect();
    pairing.inserted.sort_unstable();
    rest(a, b, with_digests, &mut pairing);
    pairing.pairs.sort_unstable();
    pairing
}

/// Pairs what has no equal with what is nearest to it.
fn rest(a: &[Step], b: &[Step], with_digests: bool, pairing: &mut Pairing) {
    let (deleted, inserted) = (std::mem::take(&mut pairing.deleted), std::mem::take(&mut pairing.inserted));
    let mut weighed = Vec::new();
    let all = deleted.len().saturating_mul(inserted.len()) <= PAIRS;
    for (rank, (x, one)) in deleted.iter().filter_map(|place| Some((*place, a.get(*place)?))).enumerate() {
        for (other_rank, (y, other)) in inserted.iter().filter_map(|place| Some((*place, b.get(*place)?))).enumerate() {
            if all || rank == other_rank {
                let (id, of_other) = (one.id(with_digests), other.id(with_digests));
                let cost = cost::of_steps(one, other, with_digests);
                weighed.push(((cost, rank.abs_diff(other_rank), id.min(of_other), id.max(of_other)), x, y));
            } else if other_rank > rank {
                break;
            }
        }
    }
    pairing.approximate |= !all;
    weighed.sort_by_key(|(weight, x, y)| (*weight, x + y, *x));
    let (mut taken_a, mut taken_b) = (vec![false; a.len()], vec![false; b.len()]);
    for ((cost, ..), x, y) in weighed {
        if let (Some(one @ false), Some(other @ false)) = (taken_a.get_mut(x), taken_b.get_mut(y)) {
            (*one, *other) = (true, true);
            pairing.pairs.push((x, y));
            pairing.cost += cost;
        }
    }
    let is_free = |taken: &[bool], place: usize| taken.get(place) == Some(&false);
    pairing.deleted = deleted.into_iter().filter(|place| is_free(&taken_a, *place)).collect();
    pairing.inserted = inserted.into_iter().filter(|place| is_free(&taken_b, *place)).collect();
    pairing.cost += GAP * (pairing.deleted.len() + pairing.inserted.len()) as u32;
}
