//! A message with some of its fields replaced, which is only copied where one is.

use std::ops::Range;

use crate::otlp::wire::{Field, Fields, Malformed};

/// A message on its way through. Nothing is copied before it is finished.
pub(in crate::processor) struct Splice<'a> {
    source: &'a [u8],
    /// In order, and without overlap.
    edits: Vec<Edit>,
}

struct Edit {
    range: Range<usize>,
    by: Vec<u8>,
}

/// An edit that may be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EditId(usize);

impl<'a> Splice<'a> {
    pub(in crate::processor) const fn new(source: &'a [u8]) -> Self {
        Self { source, edits: Vec::new() }
    }

    /// Leaves a range out, and hands out where to write what stands in its place. Ranges are to come in order.
    pub(in crate::processor) fn replace(&mut self, range: Range<usize>) -> &mut Vec<u8> {
        debug_assert!(self.edits.last().is_none_or(|last| last.range.end <= range.start));
        &mut self.edits.push_mut(Edit { range, by: Vec::new() }).by
    }

    /// Leaves a range out until somebody takes that back.
    pub(super) fn leave_out(&mut self, range: Range<usize>) -> EditId {
        self.replace(range);
        EditId(self.edits.len() - 1)
    }

    /// Where to write what stands in the place of what was left out.
    pub(super) fn fill(&mut self, EditId(place): EditId) -> Option<&mut Vec<u8>> {
        self.edits.get_mut(place).map(|edit| &mut edit.by)
    }

    /// Takes an edit back: what stood there stays.
    pub(super) fn keep(&mut self, EditId(place): EditId) {
        if let Some(edit) = self.edits.get_mut(place) {
            // An empty range in the place of a range changes nothing, and is none of the changes.
            edit.range.end = edit.range.start;
        }
    }

    /// Replaces a field by a message field, if there is a message for it.
    pub(super) fn replace_message(&mut self, range: Range<usize>, number: u32, message: Option<Vec<u8>>) {
        if let Some(message) = message {
            crate::otlp::writer::put_bytes(self.replace(range), number, &message);
        }
    }

    /// Where to write what comes after everything else.
    pub(in crate::processor) fn append(&mut self) -> &mut Vec<u8> {
        let end = self.source.len();
        self.replace(end..end)
    }

    pub(super) fn is_changed(&self) -> bool {
        self.edits.iter().any(|edit| !edit.range.is_empty() || !edit.by.is_empty())
    }

    /// The message, if it is another one now.
    pub(in crate::processor) fn finish(self) -> Option<Vec<u8>> {
        if !self.is_changed() {
            return None;
        }
        // Content is long and what stands for it short: room for both would be memory that nobody has touched yet.
        let length = |sum: usize, edit: &Edit| (sum + edit.by.len()).saturating_sub(edit.range.len());
        let mut out = Vec::with_capacity(self.edits.iter().fold(self.source.len(), length));
        let mut settled = 0;
        for Edit { range, by } in &self.edits {
            out.extend_from_slice(self.source.get(settled..range.start).unwrap_or_default());
            out.extend_from_slice(by);
            settled = range.end;
        }
        out.extend_from_slice(self.source.get(settled..).unwrap_or_default());
        Some(out)
    }
}

/// A field, and where it stands in its message.
pub(super) type Placed<'a> = (Range<usize>, Field<'a>);

/// The fields of a message, each with its range.
pub(in crate::processor) fn ranged(message: &[u8]) -> impl Iterator<Item = Result<Placed<'_>, Malformed>> {
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

    #[test]
    fn what_was_left_out_and_is_kept_after_all_changes_nothing() {
        let mut splice = Splice::new(b"abcdef");
        let first = splice.leave_out(1..3);
        let second = splice.leave_out(4..5);
        splice.keep(first);
        assert!(splice.is_changed());
        splice.keep(second);
        assert_eq!(splice.finish(), None);
    }
}
