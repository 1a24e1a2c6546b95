//! The rows of a call: what they have in common stands before them, once.
//!
//! Of a call there are mostly two rows, so whether one is known already is seen by looking at them. Of one with many there
//! is a table.

use super::ident::{ident_of, kind_of};
use super::row::{RowReader, RowWriter};
use super::tables::Tables;
use crate::event::{At, CallKind};

/// Where what was told of a call stands.
#[derive(Clone, Copy, Debug)]
pub(in crate::reduce) struct CallRows {
    /// The time that those of its rows are counted from: of what was told first.
    pub(super) base: At,
    /// Its last row.
    pub(super) last: u32,
    /// How many there are, if it is no more than [`FEW`].
    pub(super) count: u8,
}

/// What stands before the rows of a call: its last row and how many there are, which change; how far before it the call
/// before it of its turn stands; which call it is; and when it was told of first.
#[derive(Clone, Copy, Debug)]
pub(in crate::reduce) struct Head<'a> {
    /// Its last row.
    pub(super) last: u32,
    /// How many rows there are, if it is no more than [`FEW`].
    pub(super) count: u8,
    /// How far before it the call before it of its turn stands; 0 if there is none.
    pub(super) before: u32,
    /// Which call it is, and behind that when it was told of first.
    pub(super) rest: &'a [u8],
}

/// The most rows of a call that are compared one by one.
pub(super) const FEW: u8 = 8;
/// The bytes of a head that change.
const CHANGING: usize = 5;
/// The most bytes of a head: of an ident turn, kind, tag, trace or number, span and occurrence; of a time itself, a producer
/// and a count.
pub(super) const MOST: usize = CHANGING + 5 + (5 + 1 + 1 + 16 + 8 + 5) + (10 + 5 + 11);

impl<'a> Head<'a> {
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let last = u32::from_le_bytes(*bytes.first_chunk()?);
        let mut row = RowReader { rest: bytes.get(4..)? };
        let (count, before) = (row.byte(), row.index());
        Some(Self { last, count, before, rest: row.rest })
    }

    /// Which call it is, as [`Tables::ident`] writes it.
    pub(super) fn ident(&self) -> &'a [u8] {
        ident_of(self.rest)
    }

    /// The kind of call.
    pub(in crate::reduce) fn kind(&self) -> CallKind {
        let mut row = RowReader { rest: self.rest };
        row.number();
        kind_of(row.byte())
    }

    /// What tells which call it is, and then when it was told of first.
    #[inline]
    pub(super) const fn row(&self) -> RowReader<'a> {
        RowReader { rest: self.rest }
    }

    /// Where its rows are; its ident has been read.
    #[inline]
    pub(super) fn rows(&self, mut row: RowReader<'_>, tables: &Tables) -> CallRows {
        CallRows { base: tables.read_at(&mut row), last: self.last, count: self.count }
    }

    /// When it was told of first; its ident is so long.
    pub(super) fn base(&self, ident: usize, tables: &Tables) -> At {
        tables.read_at(&mut RowReader { rest: self.rest.get(ident..).unwrap_or_default() })
    }
}

/// Writes a head that has no row yet.
pub(super) fn write_head(before: u32, ident: &[u8], base: &[u8]) -> RowWriter {
    let mut head = RowWriter::default();
    head.raw(&[0; CHANGING]);
    head.number(u64::from(before));
    head.raw(ident);
    head.raw(base);
    head
}

/// Notes how many rows a head has, and the last of them.
pub(super) fn note_row(head: &mut [u8], last: u32, count: u8) {
    if let Some(changing) = head.first_chunk_mut::<CHANGING>() {
        let [a, b, c, d] = last.to_le_bytes();
        *changing = [a, b, c, d, count];
    }
}
