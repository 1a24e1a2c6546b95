//! Steps that ran beside others in one run and one after the other in the other run.

use std::collections::{HashMap, HashSet};

use crate::replay::run::Step;

/// A step, or a step on one side alone.
#[derive(Clone, Copy)]
pub(super) enum Pair<'a> {
    Both(&'a Step, &'a Step),
    Deleted(&'a Step),
    Inserted(&'a Step),
}

/// A step that ran beside others in one run and alone in the other is the same step, wherever it stands among those that
/// were only inserted or deleted around it.
pub(super) fn join_siblings(mut pairs: Vec<(Pair<'_>, bool)>, with_digests: bool) -> Vec<Pair<'_>> {
    let is_alone = |pair: &(Pair<'_>, bool)| !matches!(pair.0, Pair::Both(..));
    let (mut place, mut joined) = (0, false);
    while place < pairs.len() {
        // Everything between two steps that stand for one another in order, sets of them included.
        let near = |pair: &(Pair<'_>, bool)| is_alone(pair) || pair.1;
        let end = place + pairs.get(place..).unwrap_or_default().iter().take_while(|pair| near(pair)).count();
        if let Some(stretch) = pairs.get_mut(place..end)
            && stretch.iter().any(|pair| is_alone(pair) && pair.1)
        {
            joined |= join(stretch, with_digests);
        }
        place = end + 1;
    }
    if !joined {
        return pairs.into_iter().map(|(pair, _)| pair).collect();
    }
    // What was joined is still among what was inserted.
    let both = pairs.iter().filter_map(|(pair, _)| if let Pair::Both(_, b) = pair { Some(*b) } else { None });
    let paired: HashSet<*const Step> = both.map(std::ptr::from_ref).collect();
    let stays = |pair: &Pair<'_>| match pair {
        Pair::Inserted(b) => !paired.contains(&std::ptr::from_ref(*b)),
        _ => true,
    };
    pairs.into_iter().map(|(pair, _)| pair).filter(stays).collect()
}

/// Whether any were joined.
fn join(stretch: &mut [(Pair<'_>, bool)], with_digests: bool) -> bool {
    let mut inserted: HashMap<u64, Vec<(&Step, bool)>> = HashMap::new();
    for (pair, set) in stretch.iter().rev() {
        if let Pair::Inserted(step) = pair {
            inserted.entry(step.id(with_digests)).or_default().push((step, *set));
        }
    }
    let mut joined = false;
    for (pair, set) in stretch.iter_mut() {
        if let Pair::Deleted(a) = *pair
            && let Some(free) = inserted.get_mut(&a.id(with_digests))
            && free.last().is_some_and(|(_, of_set)| *set || *of_set)
            && let Some((b, _)) = free.pop()
        {
            *pair = Pair::Both(a, b);
            joined = true;
        }
    }
    joined
}
