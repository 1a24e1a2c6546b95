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
    /// Most lists are no more than this. Empty only where there is none before it.
    last: Run,
    before: Option<Arc<Earlier>>,
}

/// Numbers that follow one another.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Run {
    first: u32,
    count: u32,
    /// How many numbers stand before these.
    start: usize,
}

impl Run {
    const fn end(self) -> usize {
        self.start + self.count as usize
    }
}

/// A run that another follows.
struct Earlier {
    run: Run,
    before: Option<Arc<Self>>,
}

/// A list may be long, and a call for each of its runs would be deeper than the stack.
impl Drop for Earlier {
    fn drop(&mut self) {
        let mut next = self.before.take();
        while let Some(mut earlier) = next.and_then(Arc::into_inner) {
            next = earlier.before.take();
        }
    }
}

/// A run of a list, and those before it.
type Place<'a> = (Run, Option<&'a Arc<Earlier>>);

impl Numbers {
    /// Appends a number.
    pub fn push(&mut self, number: u32) {
        let Run { first, count, .. } = self.last;
        if count == 0 {
            self.last = Run { first: number, count: 1, start: 0 };
        } else if first.checked_add(count) == Some(number) {
            self.last.count += 1;
        } else {
            let start = self.len();
            self.before = Some(Arc::new(Earlier { run: self.last, before: self.before.take() }));
            self.last = Run { first: number, count: 1, start };
        }
    }

    /// Appends numbers that follow one another.
    pub(in crate::reduce) fn push_run(&mut self, first: u32, count: u32) {
        self.push(first);
        if let Some(more) = count.checked_sub(1) {
            self.last.count += more;
        }
    }

    /// The numbers, in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let runs = |(first, count)| (0..count).map(move |step| first + step);
        let earlier = if self.before.is_none() { SmallVec::new() } else { self.earlier() };
        earlier.into_iter().flat_map(runs).chain(runs((self.last.first, self.last.count)))
    }

    /// Does something with each of them, in order.
    pub(in crate::reduce) fn for_each(&self, mut each: impl FnMut(u32)) {
        if self.before.is_some() {
            for (first, count) in self.earlier() {
                (0..count).for_each(|step| each(first + step));
            }
        }
        (0..self.last.count).for_each(|step| each(self.last.first + step));
    }

    /// The runs: the first number of each, and how many there are. O(runs).
    pub fn runs(&self) -> Vec<(u32, u32)> {
        let last = Some((self.last.first, self.last.count)).filter(|_| !self.is_empty());
        self.earlier().into_iter().chain(last).collect()
    }

    /// The runs before the last, in order.
    fn earlier(&self) -> SmallVec<[(u32, u32); 4]> {
        let mut runs: SmallVec<_> = self.backwards().skip(1).map(|(run, _)| (run.first, run.count)).collect();
        runs.reverse();
        runs
    }

    /// The runs, the last one first.
    fn backwards(&self) -> impl Iterator<Item = Place<'_>> {
        let last = (!self.is_empty()).then_some((self.last, self.before.as_ref()));
        std::iter::successors(last, |(_, before)| earlier(*before))
    }

    /// How many numbers there are. O(1).
    pub fn len(&self) -> usize {
        self.last.end()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.last.count == 0
    }

    /// The last of them. O(1).
    pub fn last(&self) -> Option<u32> {
        self.last.count.checked_sub(1).map(|more| self.last.first + more)
    }

    /// Whether these are the first of the others. O(runs of the others that are not of these) where they share memory.
    pub(in crate::reduce) fn begins(&self, other: &Self) -> bool {
        if self.is_empty() {
            return true;
        }
        let reaching = other.backwards().find(|(run, _)| run.start < self.len());
        reaching.is_some_and(|(run, before)| {
            let is_of_it = run.first == self.last.first && run.start == self.last.start && run.end() >= self.len();
            is_of_it && is_same(before, self.before.as_ref())
        })
    }

    /// The first `length` of these. O(runs left out).
    pub(in crate::reduce) fn first(&self, length: usize) -> Self {
        let Some((run, before)) = self.backwards().find(|(run, _)| run.start < length) else { return Self::default() };
        let count = u32::try_from(length - run.start).unwrap_or(u32::MAX).min(run.count);
        Self { last: Run { count, ..run }, before: before.cloned() }
    }

    /// How many of the first are the same memory in both, or a few more. Lists that were made apart may have more in
    /// common.
    pub(in crate::reduce) fn shared(&self, other: &Self) -> usize {
        let (mut ours, mut theirs) = (self.backwards(), other.backwards());
        let (mut one, mut two) = (ours.next(), theirs.next());
        while let (Some((a, before_a)), Some((b, before_b))) = (one, two) {
            match a.start.cmp(&b.start) {
                Ordering::Greater => one = ours.next(),
                Ordering::Less => two = theirs.next(),
                Ordering::Equal => {
                    if a.first == b.first && is_same_memory(before_a, before_b) {
                        return a.start + a.count.min(b.count) as usize;
                    }
                    (one, two) = (ours.next(), theirs.next());
                }
            }
        }
        0
    }

    /// Those from `start` on. O(runs from there on).
    pub(in crate::reduce) fn starting_at(&self, start: usize) -> Vec<u32> {
        let mut runs: Vec<_> = self.backwards().map(|(run, _)| run).take_while(|run| run.end() > start).collect();
        runs.reverse();
        let of_run = |run: Run| {
            let skipped = start.saturating_sub(run.start) as u32;
            (skipped..run.count).map(move |step| run.first + step)
        };
        runs.into_iter().flat_map(of_run).collect()
    }
}

fn earlier(before: Option<&Arc<Earlier>>) -> Option<Place<'_>> {
    before.map(|earlier| (earlier.run, earlier.before.as_ref()))
}

/// Whether both are the same memory, or none.
fn is_same_memory(one: Option<&Arc<Earlier>>, other: Option<&Arc<Earlier>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// Whether both are the same runs.
fn is_same(one: Option<&Arc<Earlier>>, other: Option<&Arc<Earlier>>) -> bool {
    let (mut one, mut other) = (one, other);
    while !is_same_memory(one, other) {
        let (Some(a), Some(b)) = (one, other) else { return false };
        if a.run != b.run {
            return false;
        }
        (one, other) = (a.before.as_ref(), b.before.as_ref());
    }
    true
}

impl PartialEq for Numbers {
    fn eq(&self, other: &Self) -> bool {
        self.last == other.last && is_same(self.before.as_ref(), other.before.as_ref())
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
