//! Sets of numbers that come almost in order.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

/// Numbers, kept as ranges: as many numbers as one likes, in as much memory as there are holes between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges {
    /// From the first of each range to its last.
    ranges: BTreeMap<u64, u64>,
}

impl Ranges {
    pub(crate) fn insert(&mut self, number: u64) {
        self.insert_range(number..=number);
    }

    pub(crate) fn insert_range(&mut self, range: RangeInclusive<u64>) {
        let (mut first, mut last) = range.into_inner();
        if first > last {
            return;
        }
        // Mostly it goes on where the last one ends.
        if let Some(mut greatest) = self.ranges.last_entry()
            && greatest.get().checked_add(1) == Some(first)
        {
            greatest.insert(last);
            return;
        }
        if let Some((before, end)) = self.ranges.range_mut(..=first).next_back()
            && end.saturating_add(1) >= first
        {
            if *end >= last {
                return;
            }
            first = *before;
        }
        while let Some((next, end)) = self.ranges.range(first..).next().map(|(next, end)| (*next, *end))
            && next <= last.saturating_add(1)
        {
            last = last.max(end);
            self.ranges.remove(&next);
        }
        self.ranges.insert(first, last);
    }

    /// Takes all numbers of another set in.
    pub(crate) fn absorb(&mut self, other: &mut Self) {
        for (first, last) in std::mem::take(&mut other.ranges) {
            self.insert_range(first..=last);
        }
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        self.ranges.range(..=number).next_back().is_some_and(|(_, last)| *last >= number)
    }

    /// The last number of all from zero on that are in it without a hole.
    pub(crate) fn unbroken(&self) -> Option<u64> {
        self.ranges.get(&0).copied()
    }

    /// Forgets what is below a number.
    pub(crate) fn forget_below(&mut self, number: u64) {
        while let Some((first, last)) = self.ranges.first_key_value().map(|(first, last)| (*first, *last))
            && first < number
        {
            self.ranges.remove(&first);
            if last >= number {
                self.ranges.insert(number, last);
            }
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = RangeInclusive<u64>> {
        self.ranges.iter().map(|(first, last)| *first..=*last)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    use super::*;

    proptest! {
        #[test]
        fn it_holds_what_was_put_in_and_nothing_else(
            inserted in proptest::collection::vec((0u64..60, 0u64..5), 0..40),
            below in 0u64..60,
        ) {
            let (mut ranges, mut oracle) = (Ranges::default(), BTreeSet::new());
            for (first, more) in inserted {
                ranges.insert_range(first..=first + more);
                oracle.extend(first..=first + more);
            }
            let unbroken = (0..).take_while(|number| oracle.contains(number)).last();
            prop_assert_eq!(ranges.unbroken(), unbroken);
            for number in 0..70 {
                prop_assert_eq!(ranges.contains(number), oracle.contains(&number));
            }
            let parts: Vec<_> = ranges.iter().collect();
            prop_assert!(parts.windows(2).all(|pair| pair[0].end() + 1 < *pair[1].start()), "they are joined");
            ranges.forget_below(below);
            for number in 0..70 {
                prop_assert_eq!(ranges.contains(number), number >= below && oracle.contains(&number));
            }
        }
    }

    #[test]
    fn the_greatest_numbers_do_no_harm() {
        let mut ranges = Ranges::default();
        ranges.insert(u64::MAX);
        ranges.insert_range(0..=u64::MAX - 1);
        assert_eq!(ranges.unbroken(), Some(u64::MAX));
    }
}
