//! The bytes of a row: numbers take as few as they need.

use crate::event::{Algorithm, Digest};

/// How long most rows are at most.
const SHORT: usize = 192;

/// What most rows are written with.
pub(super) type RowWriter = Writer<SHORT>;

/// Appends to a row. One that is no longer than `LENGTH` needs no memory of its own.
#[derive(Debug)]
pub(super) struct Writer<const LENGTH: usize> {
    short: [u8; LENGTH],
    filled: usize,
    /// All of it, where it is longer.
    long: Vec<u8>,
}

impl<const LENGTH: usize> Default for Writer<LENGTH> {
    fn default() -> Self {
        Self { short: [0; LENGTH], filled: 0, long: Vec::new() }
    }
}

impl<const LENGTH: usize> Writer<LENGTH> {
    /// What was written.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        if self.long.is_empty() { self.short.get(..self.filled).unwrap_or_default() } else { &self.long }
    }

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        match self.short.get_mut(self.filled) {
            Some(place) => {
                *place = byte;
                self.filled += 1;
            }
            None => self.spill(&[byte]),
        }
    }

    #[inline]
    pub(super) fn raw(&mut self, bytes: &[u8]) {
        match self.short.get_mut(self.filled..self.filled + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.filled += bytes.len();
            }
            None => self.spill(bytes),
        }
    }

    #[cold]
    fn spill(&mut self, bytes: &[u8]) {
        if self.long.is_empty() {
            self.long.extend_from_slice(self.short.get(..self.filled).unwrap_or_default());
            self.filled = LENGTH;
        }
        self.long.extend_from_slice(bytes);
    }

    /// Most numbers take one byte.
    #[inline(always)]
    pub(super) fn number(&mut self, number: u64) {
        if number < 0x80 {
            self.byte(number as u8);
        } else {
            self.long_number(number);
        }
    }

    /// As many ones begin the first byte as bytes follow it; what is left of it are the lowest bits.
    #[inline(never)]
    fn long_number(&mut self, number: u64) {
        let more = (63 - number.leading_zeros()) / 7;
        let (first, rest) = match more {
            0..=7 => (!(u8::MAX >> more) | (number as u8 & (0x7f >> more)), number >> (7 - more)),
            _ => (u8::MAX, number),
        };
        let more = more.min(8) as usize;
        self.byte(first);
        let rest = rest.to_le_bytes();
        match self.short.get_mut(self.filled..).and_then(<[u8]>::first_chunk_mut) {
            Some(place) => {
                *place = rest;
                self.filled += more;
            }
            None => self.raw(rest.get(..more).unwrap_or_default()),
        }
    }

    #[inline]
    pub(super) fn signed(&mut self, number: i64) {
        self.number(zigzag(number));
    }

    /// A number that may be missing. The greatest takes ten bytes like any other of its size.
    pub(super) fn optional(&mut self, number: Option<u64>) {
        match number {
            None => self.number(0),
            Some(u64::MAX) => {
                self.number(1);
                self.byte(1);
            }
            Some(0) => {
                self.number(1);
                self.byte(0);
            }
            Some(number) => self.number(number + 1),
        }
    }
}

/// Numbers near zero, of either sign, as small ones.
pub(super) const fn zigzag(number: i64) -> u64 {
    (number.wrapping_shl(1) ^ (number >> 63)) as u64
}

pub(super) const fn unzigzag(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

pub(super) const fn algorithm_byte(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Sha256 => 0,
        Algorithm::HmacSha256 => 1,
    }
}

pub(super) const fn algorithm_of(byte: u8) -> Algorithm {
    match byte {
        0 => Algorithm::Sha256,
        _ => Algorithm::HmacSha256,
    }
}

/// Reads a row. What was not written by a [`RowWriter`] reads as zeros; there is no such row.
#[derive(Clone, Copy, Debug)]
pub(in crate::reduce) struct RowReader<'a> {
    pub(super) rest: &'a [u8],
}

impl<'a> RowReader<'a> {
    #[inline]
    pub(super) fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.rest.split_first() else { return 0 };
        self.rest = rest;
        *first
    }

    #[inline]
    pub(super) fn number(&mut self) -> u64 {
        match self.byte() {
            short @ 0..0x80 => u64::from(short),
            first => self.long(first),
        }
    }

    fn long(&mut self, first: u8) -> u64 {
        let more = first.leading_ones();
        let (rest, left) = self.rest.split_at_checked(more as usize).unwrap_or_default();
        let word = match self.rest.first_chunk() {
            Some(word) => u64::from_le_bytes(*word) & (u64::MAX >> (64 - 8 * more)),
            None => rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        };
        self.rest = left;
        if more < 8 { word << (7 - more) | u64::from(first & (0x7f >> more)) } else { word }
    }

    /// A number that counts what follows in this row: never more than that has bytes.
    pub(super) fn count(&mut self) -> usize {
        usize::try_from(self.number()).unwrap_or(usize::MAX).min(self.rest.len())
    }

    pub(super) fn index(&mut self) -> u32 {
        u32::try_from(self.number()).unwrap_or(u32::MAX)
    }

    pub(super) fn signed(&mut self) -> i64 {
        unzigzag(self.number())
    }

    pub(super) fn optional(&mut self) -> Option<u64> {
        match self.number() {
            0 => None,
            1 if self.byte() == 1 => Some(u64::MAX),
            1 => Some(0),
            number => Some(number - 1),
        }
    }

    pub(super) fn raw<const N: usize>(&mut self) -> [u8; N] {
        match self.rest.split_first_chunk() {
            Some((chunk, rest)) => {
                self.rest = rest;
                *chunk
            }
            None => [0; N],
        }
    }

    /// A text behind its length.
    pub(super) fn text(&mut self) -> &'a str {
        let length = self.count();
        let (text, rest) = self.rest.split_at_checked(length).unwrap_or_default();
        self.rest = rest;
        std::str::from_utf8(text).unwrap_or_default()
    }

    pub(super) fn digest(&mut self) -> Digest {
        Digest { algorithm: algorithm_of(self.byte()), bytes: self.raw() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let mut writer = RowWriter::default();
        let powers = (0..64).flat_map(|bits| [(1u64 << bits) - 1, 1 << bits, (1 << bits) + 1]);
        let numbers: Vec<u64> = powers.chain([u64::MAX - 1, u64::MAX]).collect();
        for number in numbers.iter().copied() {
            writer.number(number);
            writer.signed(number as i64);
            writer.optional(Some(number));
        }
        writer.optional(None);
        let mut reader = RowReader { rest: writer.bytes() };
        for number in numbers {
            assert_eq!(reader.number(), number);
            assert_eq!(reader.signed(), number as i64);
            assert_eq!(reader.optional(), Some(number));
        }
        assert_eq!(reader.optional(), None);
        assert!(reader.rest.is_empty());
    }

    #[test]
    fn a_row_is_the_same_however_long_it_is() {
        for length in [0, 1, SHORT - 1, SHORT, SHORT + 1, 5 * SHORT] {
            let (mut by_bytes, mut by_parts) = (RowWriter::default(), RowWriter::default());
            let whole: Vec<u8> = (0..length).map(|number| number as u8).collect();
            whole.iter().for_each(|byte| by_bytes.byte(*byte));
            whole.chunks(7).for_each(|part| by_parts.raw(part));
            assert_eq!((by_bytes.bytes(), by_parts.bytes()), (&*whole, &*whole));
        }
    }
}
