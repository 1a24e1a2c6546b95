//! The bytes of a row: numbers take as few as they need.

use crate::event::{Algorithm, Digest};

/// How long a row is that needs no memory of its own.
const SHORT: usize = 192;

/// Appends to a row.
#[derive(Debug)]
pub(super) struct RowWriter {
    short: [u8; SHORT],
    filled: usize,
    /// All of it, where it is longer.
    long: Vec<u8>,
}

impl Default for RowWriter {
    fn default() -> Self {
        Self { short: [0; SHORT], filled: 0, long: Vec::new() }
    }
}

impl RowWriter {
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
            self.filled = SHORT;
        }
        self.long.extend_from_slice(bytes);
    }

    /// Most numbers take one byte.
    #[inline]
    pub(super) fn number(&mut self, number: u64) {
        if number < 0x80 {
            self.byte(number as u8);
        } else {
            self.long_number(number);
        }
    }

    fn long_number(&mut self, number: u64) {
        let mut rest = number;
        while rest >= 0x80 {
            self.byte(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.byte(rest as u8);
    }

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
pub(super) struct RowReader<'a> {
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
        let mut number = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte();
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        number
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
        let numbers = [0, 1, 127, 128, 1 << 40, u64::MAX - 1, u64::MAX];
        for number in numbers {
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
