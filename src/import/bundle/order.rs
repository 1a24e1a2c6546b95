//! Records by their number, within a bounded window.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// How many records may stand before one of a smaller number. One that stands further off is taken where it stands.
pub(super) const WINDOW: usize = 4096;

/// Sorts what comes nearly in order.
pub(super) struct Order<T> {
    waiting: BinaryHeap<Numbered<T>>,
    /// Of two with one number the first counts.
    taken: u64,
}

struct Numbered<T> {
    number: u64,
    place: u64,
    item: T,
}

impl<T> Order<T> {
    pub(super) fn new() -> Self {
        Self { waiting: BinaryHeap::new(), taken: 0 }
    }

    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= WINDOW
    }

    pub(super) fn push(&mut self, number: u64, item: T) {
        self.taken += 1;
        self.waiting.push(Numbered { number, place: self.taken, item });
    }

    /// The one with the smallest number.
    pub(super) fn pop(&mut self) -> Option<T> {
        self.waiting.pop().map(|first| first.item)
    }
}

impl<T> Numbered<T> {
    const fn key(&self) -> (u64, u64) {
        (self.number, self.place)
    }
}

// The heap gives the greatest first.
impl<T> Ord for Numbered<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl<T> PartialOrd for Numbered<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Numbered<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl<T> Eq for Numbered<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b28_records_come_by_their_number() {
        let mut order = Order::new();
        for number in [1, 3, 2, 2] {
            order.push(number, (number, order.taken));
        }
        let sorted: Vec<_> = std::iter::from_fn(|| order.pop()).collect();
        assert_eq!(sorted, [(1, 0), (2, 2), (2, 3), (3, 1)]);
    }
}
