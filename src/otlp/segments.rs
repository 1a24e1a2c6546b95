//! A message in pieces, which are only joined where it leaves.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

/// Bytes in several pieces. Cloning copies no content; its `Debug` shows none.
#[derive(Clone, Default)]
pub struct Segments {
    pieces: Vec<Bytes>,
    length: usize,
}

impl Segments {
    /// None, with room for some pieces.
    pub fn with_capacity(pieces: usize) -> Self {
        Self { pieces: Vec::with_capacity(pieces), length: 0 }
    }

    /// Appends a piece.
    pub fn push(&mut self, piece: Bytes) {
        if !piece.is_empty() {
            self.length += piece.len();
            self.pieces.push(piece);
        }
    }

    /// Appends all pieces of another. Two requests so joined are one request with the spans of both.
    pub fn append(&mut self, other: Self) {
        self.length += other.length;
        self.pieces.extend(other.pieces);
    }

    /// Puts another piece in the place of the first.
    pub(super) fn replace_first(&mut self, piece: Bytes) {
        if let Some(first) = self.pieces.first_mut() {
            self.length = self.length - first.len() + piece.len();
            *first = piece;
        }
    }

    /// The bytes of all pieces together.
    pub const fn len(&self) -> usize {
        self.length
    }

    /// Whether there are no bytes.
    pub const fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The pieces, in order; none is empty.
    pub fn pieces(&self) -> &[Bytes] {
        &self.pieces
    }

    pub(super) fn into_pieces(self) -> Vec<Bytes> {
        self.pieces
    }

    /// All as one piece; a single piece is handed out as it is, several are copied together.
    pub fn into_bytes(self) -> Bytes {
        match <[Bytes; 1]>::try_from(self.pieces) {
            Ok([single]) => single,
            Err(pieces) => {
                let mut all = BytesMut::with_capacity(self.length);
                for piece in &pieces {
                    all.put_slice(piece);
                }
                all.freeze()
            }
        }
    }
}

impl From<Bytes> for Segments {
    fn from(piece: Bytes) -> Self {
        let mut segments = Self::default();
        segments.push(piece);
        segments
    }
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segments").field("pieces", &self.pieces.len()).field("length", &self.length).finish()
    }
}
