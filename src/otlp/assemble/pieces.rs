//! A message that is put together from ranges of an older one and from new bytes.

use std::ops::Range;

use bytes::Bytes;

use crate::otlp::segments::Segments;
use crate::otlp::writer::{BYTES, put_key, put_varint};

/// New bytes that are too small to be a piece of their own each: the heads of fields.
#[derive(Default)]
pub(super) struct Heads(Vec<u8>);

impl Heads {
    fn field(&mut self, number: u32, length: usize) -> Piece {
        let start = self.0.len();
        put_key(&mut self.0, number, BYTES);
        put_varint(&mut self.0, length as u64);
        Piece::Head(start..self.0.len())
    }
}

enum Piece {
    /// A range of the older message.
    Old(Range<usize>),
    /// A range of the heads.
    Head(Range<usize>),
    New(Bytes),
}

impl Piece {
    fn len(&self) -> usize {
        match self {
            Self::Old(range) | Self::Head(range) => range.len(),
            Self::New(bytes) => bytes.len(),
        }
    }
}

/// Pieces in order, ranges that touch made one.
#[derive(Default)]
pub(super) struct Pieces {
    list: Vec<Piece>,
    length: usize,
}

impl Pieces {
    /// Appends a range of the older message.
    pub(super) fn old(&mut self, range: Range<usize>) {
        self.push(Piece::Old(range));
    }

    /// Appends a message field with a new message.
    pub(super) fn field(&mut self, heads: &mut Heads, number: u32, message: Bytes) {
        self.push(heads.field(number, message.len()));
        self.push(Piece::New(message));
    }

    /// Appends a message field with a range of the older message in it.
    pub(super) fn old_field(&mut self, heads: &mut Heads, number: u32, message: Range<usize>) {
        self.push(heads.field(number, message.len()));
        self.push(Piece::Old(message));
    }

    /// Appends a message field that is put together from pieces itself.
    pub(super) fn nested(&mut self, heads: &mut Heads, number: u32, message: Self) {
        self.push(heads.field(number, message.length));
        for piece in message.list {
            self.push(piece);
        }
    }

    fn push(&mut self, piece: Piece) {
        if piece.len() == 0 {
            return;
        }
        self.length += piece.len();
        match (self.list.last_mut(), piece) {
            (Some(Piece::Old(last)), Piece::Old(next)) if last.end == next.start => last.end = next.end,
            (Some(Piece::Head(last)), Piece::Head(next)) if last.end == next.start => last.end = next.end,
            (_, piece) => self.list.push(piece),
        }
    }

    /// The message, with the older one shared and not copied.
    pub(super) fn finish(self, heads: Heads, old: &Bytes) -> Segments {
        let heads = Bytes::from(heads.0);
        let mut segments = Segments::with_capacity(self.list.len());
        for piece in self.list {
            segments.push(match piece {
                Piece::Old(range) => old.slice(range),
                Piece::Head(range) => heads.slice(range),
                Piece::New(bytes) => bytes,
            });
        }
        segments
    }
}
