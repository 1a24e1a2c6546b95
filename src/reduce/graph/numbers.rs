//! Lists of items of which one goes on from another.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use smallvec::SmallVec;

/// Numbers of items, in order.
///
/// Kept as runs of numbers that follow one another. A history that goes on from another shares all that it has in common
/// with it, so that a thread's histories take memory for what each added, however many there are: a copy is O(1).
#[derive(Clone, Default)]
pub struct Numbers {
    last: Option<Arc<Run>>,
}

/// Numbers that follow one another, and those before them.
struct Run {
    first: u32,
    count: u32,
    /// How many numbers stand before these.
    start: usize,
    before: Option<Arc<Self>>,
}

impl Run {
    const fn end(&self) -> usize {
        self.start + self.count as usize
    }

    /// Whether it is the same as another, apart from what stands before them.
    const fn is_like(&self, other: &Self) -> bool {
        self.first == other.first && self.count == other.count && self.start == other.start
    }
}

/// A list may be long, and a call for each of its runs would be deeper than the stack.
impl Drop for Run {
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(mut run) = next.and_then(Arc::into_inner) {
            next = run.before.take();
        }
    }
}

impl Numbers {
    /// Appends a number.
    pub fn push(&mut self, number: u32) {
        match &mut self.last {
            Some(last) if last.first.checked_add(last.count) == Some(number) => {
                if let Some(own) = Arc::get_mut(last) {
                    own.count += 1;
                } else {
                    let Run { first, count, start, ref before } = **last;
                    *last = Arc::new(Run { first, count: count + 1, start, before: before.clone() });
                }
            }
            last => {
                let start = last.as_ref().map_or(0, |last| last.end());
                *last = Some(Arc::new(Run { first: number, count: 1, start, before: last.take() }));
            }
        }
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.some_runs().into_iter().flat_map(|(first, count)| (0..count).map(move |step| first + step))
    }

    /// The runs: the first number of each, and how many there are. O(runs).
    pub fn runs(&self) -> Vec<(u32, u32)> {
        self.some_runs().into_vec()
    }

    /// The same. Most lists are of few.
    fn some_runs(&self) -> SmallVec<[(u32, u32); 4]> {
        let mut runs: SmallVec<_> = self.backwards().map(|run| (run.first, run.count)).collect();
        runs.reverse();
        runs
    }

    fn backwards(&self) -> impl Iterator<Item = &Arc<Run>> {
        std::iter::successors(self.last.as_ref(), |run| run.before.as_ref())
    }

    /// How many numbers there are. O(1).
    pub fn len(&self) -> usize {
        self.last.as_ref().map_or(0, |last| last.end())
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// The last of them. O(1).
    pub fn last(&self) -> Option<u32> {
        self.last.as_ref().map(|last| last.first + (last.count - 1))
    }

    /// Whether these are the first of the others. O(runs of the others that are not of these) where they share memory.
    pub(in crate::reduce) fn begins(&self, other: &Self) -> bool {
        self.len() <= other.len() && other.first(self.len()) == *self
    }

    /// The first `length` of these. O(runs left out).
    pub(in crate::reduce) fn first(&self, length: usize) -> Self {
        let Some(last) = self.backwards().find(|run| run.start < length) else { return Self::default() };
        let kept = length - last.start;
        if kept >= last.count as usize {
            return Self { last: Some(Arc::clone(last)) };
        }
        let Run { first, start, ref before, .. } = **last;
        Self { last: Some(Arc::new(Run { first, count: kept as u32, start, before: before.clone() })) }
    }

    /// How many of the first are the same memory in both, or a few more. Lists that were made apart may have more in
    /// common.
    pub(in crate::reduce) fn shared(&self, other: &Self) -> usize {
        let (mut one, mut two) = (self.last.as_ref(), other.last.as_ref());
        while let (Some(a), Some(b)) = (one, two) {
            if Arc::ptr_eq(a, b) {
                return a.end();
            }
            match a.start.cmp(&b.start) {
                Ordering::Greater => one = a.before.as_ref(),
                Ordering::Less => two = b.before.as_ref(),
                Ordering::Equal => {
                    if a.first == b.first && is_same(a.before.as_ref(), b.before.as_ref()) {
                        return a.start + a.count.min(b.count) as usize;
                    }
                    (one, two) = (a.before.as_ref(), b.before.as_ref());
                }
            }
        }
        0
    }

    /// Those from `start` on. O(runs from there on).
    pub(in crate::reduce) fn starting_at(&self, start: usize) -> Vec<u32> {
        let mut runs: Vec<_> = self.backwards().take_while(|run| run.end() > start).collect();
        runs.reverse();
        let of_run = |run: &Arc<Run>| {
            let (first, skipped) = (run.first, start.saturating_sub(run.start) as u32);
            (skipped..run.count).map(move |step| first + step)
        };
        runs.into_iter().flat_map(of_run).collect()
    }
}

/// Whether both are the same memory, or none.
fn is_same(one: Option<&Arc<Run>>, other: Option<&Arc<Run>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        let (mut one, mut two) = (self.last.as_ref(), other.last.as_ref());
        while !is_same(one, two) {
            let (Some(a), Some(b)) = (one, two) else { return false };
            if !a.is_like(b) {
                return false;
            }
            (one, two) = (a.before.as_ref(), b.before.as_ref());
        }
        true
    }
}

impl Eq for Numbers {}

impl PartialOrd for Numbers {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Numbers {
    fn cmp(&self, other: &Self) -> Ordering {
        if self == other { Ordering::Equal } else { self.runs().cmp(&other.runs()) }
    }
}

impl fmt::Debug for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.runs()).finish()
    }
}

impl Extend<u32> for Numbers {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, numbers: I) {
        numbers.into_iter().for_each(|number| self.push(number));
    }
}

impl FromIterator<u32> for Numbers {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut all = Self::default();
        all.extend(numbers);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(numbers: &[u32]) -> Numbers {
        numbers.iter().copied().collect()
    }

    #[test]
    fn a_list_is_the_same_however_it_was_made() {
        let whole = of(&[0, 1, 2, 7, 9, 10]);
        assert_eq!(whole.runs(), [(0, 3), (7, 1), (9, 2)]);
        assert_eq!((whole.len(), whole.last()), (6, Some(10)));
        for length in 0..8 {
            let mut again = whole.first(length);
            assert_eq!(again.iter().collect::<Vec<_>>(), whole.iter().take(length).collect::<Vec<_>>());
            assert!(again.begins(&whole));
            assert_eq!(again.shared(&whole), again.len());
            assert_eq!(whole.starting_at(length), whole.iter().skip(length).collect::<Vec<_>>());
            again.extend(whole.starting_at(length));
            assert_eq!((&again, again.cmp(&whole)), (&whole, Ordering::Equal));
        }
        assert!(!of(&[0, 1, 3]).begins(&whole) && !whole.begins(&of(&[0, 1, 2])));
        assert!(of(&[0, 2]) < of(&[0, 1, 5]), "by the runs, a short one first");
    }

    #[test]
    fn what_goes_on_from_another_leaves_that_as_it_was() {
        let before = of(&[0, 1, 5]);
        let (mut one, mut other) = (before.clone(), before.clone());
        one.extend([6, 7]);
        other.extend([9]);
        assert_eq!(before.runs(), [(0, 2), (5, 1)]);
        assert_eq!((one.runs(), other.runs()), (vec![(0, 2), (5, 3)], vec![(0, 2), (5, 1), (9, 1)]));
        assert_eq!((one.shared(&other), other.shared(&one)), (3, 3));
        assert_eq!(of(&[3]).shared(&one), 0);
    }

    #[test]
    fn a_list_of_a_million_runs_is_let_go_of_on_a_small_stack() {
        let long: Numbers = (0..1_000_000).map(|number| number * 2).collect();
        let again = long.clone();
        let thread = std::thread::Builder::new().stack_size(64 << 10);
        thread.spawn(move || drop((long, again))).unwrap().join().unwrap();
    }
}
