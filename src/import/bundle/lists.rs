//! The lists of the threads that spoke last.
//!
//! Agents of one bundle take turns, and each goes on from its own list: so as many lists are kept as agents are mostly at
//! work, within a bound of bytes. One that was let go of is read anew.

use bytestring::ByteString;

use super::repeated::Repeated;

/// The threads whose lists are kept at most.
const THREADS: usize = 16;
/// The bytes of lists that are kept at most, beside the newest.
const BYTES: usize = 64 << 20;

/// The list of a thread, and what was made of it.
pub(super) struct Listed<T> {
    thread: ByteString,
    pub(super) repeated: Repeated,
    pub(super) made: T,
}

/// By thread, the one that spoke last at the end.
pub(super) struct Lists<T>(Vec<Listed<T>>);

impl<T> Lists<T> {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    /// The list of a thread: what it was taken for before, or a new one.
    pub(super) fn take(&mut self, thread: &ByteString, new: impl FnOnce() -> T) -> Listed<T> {
        match self.0.iter().position(|listed| listed.thread == *thread) {
            Some(place) => self.0.remove(place),
            None => Listed { thread: thread.clone(), repeated: Repeated::default(), made: new() },
        }
    }

    /// Keeps it as the newest. Over the bounds the oldest are let go of.
    pub(super) fn keep(&mut self, listed: Listed<T>) {
        let mut left = BYTES;
        let mut fits = |listed: &Listed<T>| {
            let rest = left.checked_sub(listed.repeated.held());
            left = rest.unwrap_or_default();
            rest.is_some()
        };
        let kept = self.0.iter().rev().take(THREADS - 1).take_while(|listed| fits(listed)).count();
        self.0.drain(..self.0.len() - kept);
        self.0.push(listed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_of_the_threads_that_spoke_last_are_kept() {
        let mut lists = Lists::new();
        let thread = |number: usize| ByteString::from(number.to_string());
        for number in 0..2 * THREADS {
            let listed = lists.take(&thread(number), || number);
            assert_eq!(listed.made, number, "it is new");
            lists.keep(listed);
            // The first goes on.
            let listed = lists.take(&thread(0), || 99);
            assert_eq!(listed.made, 0);
            lists.keep(listed);
            assert!(lists.0.len() <= THREADS);
        }
        assert_eq!(lists.take(&thread(1), || 99).made, 99);
        assert_eq!(lists.take(&thread(2 * THREADS - 1), || 99).made, 2 * THREADS - 1);
    }
}
