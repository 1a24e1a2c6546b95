//! A message with some of its fields replaced, which is only copied where one is.

use std::ops::Range;

use crate::otlp::wire::{Field, Fields, Malformed};

/// A message on its way through. Nothing is copied before the first change.
pub(super) struct Splice<'a> {
    source: &'a [u8],
    /// How much of the source is settled: copied or left out.
    settled: usize,
    out: Vec<u8>,
    is_changed: bool,
}

impl<'a> Splice<'a> {
    pub(super) const fn new(source: &'a [u8]) -> Self {
        Self { source, settled: 0, out: Vec::new(), is_changed: false }
    }

    /// Leaves a range out, and hands out where to write what stands in its place. Ranges are to come in order.
    pub(super) fn replace(&mut self, range: Range<usize>) -> &mut Vec<u8> {
        if !self.is_changed {
            self.is_changed = true;
            self.out.reserve(self.source.len());
        }
        self.out.extend_from_slice(self.source.get(self.settled..range.start).unwrap_or_default());
        self.settled = range.end;
        &mut self.out
    }

    /// Replaces a field by a message field, if there is a message for it.
    pub(super) fn replace_message(&mut self, range: Range<usize>, number: u32, message: Option<Vec<u8>>) {
        if let Some(message) = message {
            crate::otlp::writer::put_bytes(self.replace(range), number, &message);
        }
    }

    /// Where to write what comes after everything else.
    pub(super) fn append(&mut self) -> &mut Vec<u8> {
        let end = self.source.len();
        self.replace(end..end)
    }

    pub(super) const fn is_changed(&self) -> bool {
        self.is_changed
    }

    /// The message, if it is another one now.
    pub(super) fn finish(mut self) -> Option<Vec<u8>> {
        if !self.is_changed {
            return None;
        }
        self.append();
        Some(self.out)
    }
}

/// The fields of a message, each with its range.
pub(super) fn ranged(message: &[u8]) -> impl Iterator<Item = Result<(Range<usize>, Field<'_>), Malformed>> {
    let mut fields = Fields::new(message);
    std::iter::from_fn(move || {
        let start = fields.position();
        let field = fields.next()?;
        Some(field.map(|field| (start..fields.position(), field)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_replaced_stays_in_its_place() {
        let mut splice = Splice::new(b"abcdef");
        splice.replace(1..2).extend_from_slice(b"BBB");
        splice.replace(4..5);
        splice.append().extend_from_slice(b"!");
        assert_eq!(splice.finish().unwrap(), b"aBBBcdf!");
        assert_eq!(Splice::new(b"abc").finish(), None);
    }
}
