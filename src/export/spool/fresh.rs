//! Calls that opened since the last write.

/// Calls whose opening is not written. One that closes before the next write needs no record of it: its span tells of both.
#[derive(Debug, Default)]
pub(super) struct Fresh {
    /// The id of each, its time, and where its field ends.
    calls: Vec<(u128, u64, usize)>,
    bytes: Vec<u8>,
}

/// The index of an opening that is not written yet.
pub(super) const FRESH: u64 = u64::MAX;

impl Fresh {
    pub(super) fn add(&mut self, id: u128, unix_nanos: u64, field: &[u8]) {
        self.bytes.extend_from_slice(field);
        self.calls.push((id, unix_nanos, self.bytes.len()));
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u128, u64, &[u8])> {
        let mut start = 0;
        self.calls.iter().map(move |(id, unix_nanos, end)| {
            let field = self.bytes.get(start..*end).unwrap_or_default();
            start = *end;
            (*id, *unix_nanos, field)
        })
    }

    /// Its memory without its calls.
    pub(super) fn emptied(mut self) -> Self {
        self.calls.clear();
        self.bytes.clear();
        self
    }
}
