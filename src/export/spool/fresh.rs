//! Calls that opened since the last write.

use std::fmt;

/// Makes the field of a call's opening.
pub(in crate::export) type Told = Box<dyn FnOnce(&mut Vec<u8>) + Send>;

/// The index of an opening that is not written yet.
pub(super) const FRESH: u64 = u64::MAX;

/// Calls whose opening is not written. One that closes before the next write needs no record of it, as its span tells of
/// both; so it is not even encoded.
#[derive(Default)]
pub(super) struct Fresh {
    calls: Vec<(u128, u64, Told)>,
    bytes: usize,
}

impl Fresh {
    /// A call of this id that opened then, and the most bytes that its field takes.
    pub(super) fn add(&mut self, id: u128, unix_nanos: u64, most: usize, told: Told) {
        self.bytes = self.bytes.saturating_add(most);
        self.calls.push((id, unix_nanos, told));
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn take(&mut self) -> Vec<(u128, u64, Told)> {
        self.bytes = 0;
        std::mem::take(&mut self.calls)
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh").field("calls", &self.calls.len()).finish_non_exhaustive()
    }
}
