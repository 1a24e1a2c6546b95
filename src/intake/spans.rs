//! The spans of a layer that are open. They are handed in when they close, so that a shutdown knows of them alone that they
//! are there.

use std::sync::atomic::{AtomicU64, Ordering};

/// The shutdown has counted those that were open.
const SHUT: u64 = 1 << 63;

/// How many are open, until a shutdown counts them; each is handed in or counted, and never both.
///
/// Apart from what others read while it changes.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct OpenSpans(AtomicU64);

impl OpenSpans {
    /// One opens. `false`: after the shutdown.
    pub(super) fn open(&self) -> bool {
        self.0.fetch_add(1, Ordering::AcqRel) & SHUT == 0
    }

    /// One closes. `false`: it has been counted.
    pub(super) fn close(&self) -> bool {
        self.0.fetch_sub(1, Ordering::AcqRel) & SHUT == 0
    }

    /// Those that are open count as lost from now on. Answers how many those are, the first time.
    pub(super) fn shut(&self) -> u64 {
        let before = self.0.fetch_or(SHUT, Ordering::AcqRel);
        if before & SHUT == 0 { before } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_handed_in_or_counted_and_never_both() {
        let spans = OpenSpans::default();
        assert!(spans.open() && spans.open() && spans.open());
        assert!(spans.close());
        assert_eq!(spans.shut(), 2);
        assert!(!spans.close() && !spans.open() && !spans.close() && !spans.close());
        assert_eq!(spans.shut(), 0);
    }
}
