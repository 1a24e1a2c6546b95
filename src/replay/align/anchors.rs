//! Elements that stand once in each of two sequences, in the longest order that both share: patience sorting, O(n log n).

use std::collections::HashMap;

/// The places of such elements in both, rising.
pub(super) fn find(a: &[u64], b: &[u64]) -> Vec<(usize, usize)> {
    let (in_a, in_b) = (once(a), once(b));
    let candidates = a.iter().enumerate().filter(|(_, element)| in_a.get(element).is_some_and(Option::is_some));
    let pairs: Vec<(usize, usize)> =
        candidates.filter_map(|(place, element)| Some((place, (*in_b.get(element)?)?))).collect();
    rising(&pairs)
}

/// The place of each element, where it has but one.
fn once(side: &[u64]) -> HashMap<u64, Option<usize>> {
    let mut places = HashMap::with_capacity(side.len());
    for (place, element) in side.iter().enumerate() {
        places.entry(*element).and_modify(|known| *known = None).or_insert(Some(place));
    }
    places
}

/// The longest part of the pairs in which the second place rises, as the first does already.
fn rising(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The pair that ends the best part of each length, and for each pair the one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    let second = |pair: usize| pairs.get(pair).map_or(0, |pair| pair.1);
    for (number, pair) in pairs.iter().enumerate() {
        let length = ends.partition_point(|end| second(*end) < pair.1);
        before.push(length.checked_sub(1).and_then(|length| ends.get(length).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = number,
            None => ends.push(number),
        }
    }
    let mut part = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some(pair) = at {
        part.extend(pairs.get(pair).copied());
        at = before.get(pair).copied().flatten();
    }
    part.reverse();
    part
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_moved_is_no_anchor_and_what_repeats_is_none() {
        assert_eq!(find(&[1, 2, 3, 4, 9, 9], &[2, 3, 9, 1, 4]), [(1, 0), (2, 1), (3, 4)]);
        assert_eq!(find(&[1, 1], &[1, 1]), []);
        assert_eq!(find(&[], &[1]), []);
    }
}
