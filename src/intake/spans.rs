//! The spans of a layer that are open. They are handed in when they close, so that a shutdown knows of them alone that they
//! are there.

use std::sync::atomic::{AtomicU64, Ordering};

/// The shutdown has counted those that were open.
const SHUT: u64 = 1 << 63;

/// How many were opened, and how many were given up, until a shutdown counts those that are open: opened, neither handed in
/// nor given up. Each is handed in, given up or counted, and never two of these.
///
/// How many were handed in is not written here, where all threads would write it, but at the places that they hand in at.
#[derive(Debug, Default)]
pub(super) struct OpenSpans {
    opened: Apart,
    given_up: AtomicU64,
}

/// Apart from what others read while it changes.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Apart(AtomicU64);

impl OpenSpans {
    /// One opens. `false`: after the shutdown.
    pub(super) fn open(&self) -> bool {
        self.opened.0.fetch_add(1, Ordering::AcqRel) & SHUT == 0
    }

    /// One is not handed in. `false`: it has been counted.
    pub(super) fn give_up(&self) -> bool {
        self.given_up.fetch_add(1, Ordering::AcqRel) & SHUT == 0
    }

    /// How many were opened so far.
    pub(super) fn opened(&self) -> u64 {
        self.opened.0.load(Ordering::Relaxed) & !SHUT
    }

    /// Those that are open count as lost from now on. Answers how many those are, the first time; to be asked when no more
    /// are taken than were `taken`.
    pub(super) fn shut(&self, taken: u64) -> u64 {
        let opened = self.opened.0.fetch_or(SHUT, Ordering::AcqRel);
        let given_up = self.given_up.fetch_or(SHUT, Ordering::AcqRel);
        if opened & SHUT == 0 { opened.saturating_sub(taken + given_up) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_handed_in_or_given_up_or_counted_and_never_two_of_these() {
        let spans = OpenSpans::default();
        assert!((0..5).all(|_| spans.open()));
        assert!(spans.give_up());
        assert_eq!((spans.shut(2), spans.opened()), (2, 5));
        assert!(!spans.give_up() && !spans.open());
        assert_eq!((spans.shut(2), spans.opened()), (0, 6));
    }
}
