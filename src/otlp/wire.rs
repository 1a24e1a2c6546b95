//! Protobuf as it stands in memory: fields, borrowed from the bytes that hold them.
//!
//! Promises that no input makes it panic, allocate or recurse, and that it accepts what prost accepts: padded varints,
//! fields in any order, unknown fields and groups. Costs a few nanoseconds a field. Knows no message; what the fields
//! mean is for `view`, whether they are the shortest way to say it for `form`.

use std::fmt;

use super::varint::{long_varint, varint_len};

/// Bytes that are no protobuf message. Says nothing of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a protobuf message")]
pub struct Malformed;

/// The value of a field, by its wire type. Its `Debug` shows no value: it may be content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wire<'a> {
    /// An integer, boolean or enumeration.
    Varint(u64),
    /// A double or a 64-bit integer of fixed size, as little-endian bits.
    Fixed64(u64),
    /// A string, bytes or a message.
    Bytes(&'a [u8]),
    /// Fields between a start and an end mark: deprecated, never a part of OTLP.
    Group,
    /// A float or a 32-bit integer of fixed size, as little-endian bits.
    Fixed32(u32),
}

/// A field of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its number.
    pub number: u32,
    /// Its value.
    pub value: Wire<'a>,
    /// Whether key, length and varint value are as short as they can be.
    pub minimal: bool,
}

impl fmt::Debug for Wire<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Varint(_) => f.write_str("Varint"),
            Self::Fixed64(_) => f.write_str("Fixed64"),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Group => f.write_str("Group"),
            Self::Fixed32(_) => f.write_str("Fixed32"),
        }
    }
}

/// The fields of a message, in the order in which they stand. Ends after the first error.
#[derive(Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
    length: usize,
}

/// How deep groups may lie in each other. Each holds at least two bytes, so that the limit is one of sense, not cost.
const MAX_GROUPS: usize = 32;

impl<'a> Fields<'a> {
    /// The fields of the message that `bytes` are.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, length: bytes.len() }
    }

    /// How many bytes of the message have been read: where the last field ended and the next begins.
    pub const fn position(&self) -> usize {
        self.length - self.rest.len()
    }

    /// What has not been read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Passes over so many bytes, which are known to be whole fields.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    #[inline(never)]
    fn next_of_any_kind(&mut self) -> Option<Result<Field<'a>, Malformed>> {
        if self.rest.is_empty() {
            return None;
        }
        let field = self.read();
        if field.is_err() {
            self.rest = &[];
        }
        Some(field)
    }

    fn read(&mut self) -> Result<Field<'a>, Malformed> {
        let (number, wire_type, key_minimal) = self.key()?;
        let (value, minimal) = match wire_type {
            0 => {
                let (value, minimal) = self.varint()?;
                (Wire::Varint(value), minimal)
            }
            1 => (Wire::Fixed64(u64::from_le_bytes(self.array()?)), true),
            2 => {
                let (length, minimal) = self.varint()?;
                let length = usize::try_from(length).map_err(|_| Malformed)?;
                let (value, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
                self.rest = rest;
                (Wire::Bytes(value), minimal)
            }
            3 => {
                self.skip_group(number)?;
                (Wire::Group, true)
            }
            5 => (Wire::Fixed32(u32::from_le_bytes(self.array()?)), true),
            _ => return Err(Malformed),
        };
        Ok(Field { number, value, minimal: minimal && key_minimal })
    }

    /// A field's number and wire type, and whether the key is as short as it can be.
    fn key(&mut self) -> Result<(u32, u8, bool), Malformed> {
        let (key, minimal) = self.varint()?;
        let key = u32::try_from(key).map_err(|_| Malformed)?;
        match key >> 3 {
            0 => Err(Malformed),
            number => Ok((number, (key & 7) as u8, minimal)),
        }
    }

    fn varint(&mut self) -> Result<(u64, bool), Malformed> {
        // Nearly every key and length is one byte.
        let (first, rest) = self.rest.split_first().ok_or(Malformed)?;
        if *first < 0x80 {
            self.rest = rest;
            return Ok((u64::from(*first), true));
        }
        let (value, length) = long_varint(self.rest).ok_or(Malformed)?;
        self.rest = self.rest.get(length..).ok_or(Malformed)?;
        Ok((value, length == varint_len(value)))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (array, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*array)
    }

    fn skip_group(&mut self, number: u32) -> Result<(), Malformed> {
        let mut open = smallvec::SmallVec::<[u32; MAX_GROUPS]>::new();
        open.push(number);
        while let Some(innermost) = open.last().copied() {
            let (number, wire_type, _) = self.key()?;
            match wire_type {
                0 => drop(self.varint()?),
                1 => drop(self.array::<8>()?),
                2 => {
                    let length = usize::try_from(self.varint()?.0).map_err(|_| Malformed)?;
                    self.rest = self.rest.get(length..).ok_or(Malformed)?;
                }
                3 if open.len() < MAX_GROUPS => open.push(number),
                4 if number == innermost => drop(open.pop()),
                5 => drop(self.array::<4>()?),
                _ => return Err(Malformed),
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fields").field("position", &self.position()).field("length", &self.length).finish()
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Malformed>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        // Nine fields of ten are a string or a message with a key and a length of one byte each.
        if let [key, length, rest @ ..] = self.rest
            && key & 0x87 == 2
            && *key > 7
            && *length < 0x80
            && let Some((value, rest)) = rest.split_at_checked(usize::from(*length))
        {
            self.rest = rest;
            return Some(Ok(Field { number: u32::from(key >> 3), value: Wire::Bytes(value), minimal: true }));
        }
        // And of the others most are times.
        if let [key, rest @ ..] = self.rest
            && key & 0x87 == 1
            && *key > 7
            && let Some((bits, rest)) = rest.split_first_chunk()
        {
            self.rest = rest;
            let value = Wire::Fixed64(u64::from_le_bytes(*bits));
            return Some(Ok(Field { number: u32::from(key >> 3), value, minimal: true }));
        }
        self.next_of_any_kind()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Field<'_>>, Malformed> {
        Fields::new(bytes).collect()
    }

    #[test]
    fn every_wire_type_is_read() {
        let bytes = [0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'h', b'i', 0x25, 7, 0, 0, 0];
        let values: Vec<_> = all(&bytes).unwrap().iter().map(|field| (field.number, field.value)).collect();
        let expected = [(1, Wire::Varint(150)), (2, Wire::Fixed64(1)), (3, Wire::Bytes(b"hi")), (4, Wire::Fixed32(7))];
        assert_eq!(values, expected);
    }

    #[test]
    fn what_is_cut_off_is_refused_wherever_the_cut_is() {
        let bytes = [0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0, 0x1a, 2, b'h', b'i'];
        let whole = [0, 3, 12, 16];
        for cut in 0..=bytes.len() {
            assert_eq!(all(&bytes[..cut]).is_ok(), whole.contains(&cut), "{cut}");
        }
    }

    #[test]
    fn padded_varints_are_read_and_told_apart() {
        for (bytes, minimal) in [(&[0x08, 0x01][..], true), (&[0x08, 0x81, 0x00], false), (&[0x88, 0x00, 0x01], false)]
        {
            let fields = all(bytes).unwrap();
            assert_eq!((fields[0].value, fields[0].minimal), (Wire::Varint(1), minimal));
        }
        assert!(!all(&[0x0a, 0x80, 0x00]).unwrap()[0].minimal);
    }

    #[test]
    fn keys_and_varints_that_overflow_are_refused() {
        let max = [0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(all(&max).unwrap()[0].value, Wire::Varint(u64::MAX));
        let mut over = max;
        over[10] = 2;
        assert!(all(&over).is_err());
        assert!(all(&[0x00, 0x00]).is_err(), "field 0");
        assert!(all(&[0xf8, 0xff, 0xff, 0xff, 0x1f, 0x00]).is_err(), "a key over 32 bits");
        assert!(all(&[0x0e]).is_err() && all(&[0x0f]).is_err() && all(&[0x0c]).is_err(), "wire types 6, 7, 4");
        assert!(all(&[0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]).is_err());
    }

    #[test]
    fn groups_are_passed_over_when_they_close() {
        assert_eq!(all(&[0x0b, 0x10, 0x05, 0x13, 0x14, 0x0c, 0x08, 0x01]).unwrap().len(), 2);
        assert!(all(&[0x0b, 0x10, 0x05]).is_err());
        assert!(all(&[0x0b, 0x14]).is_err());
        assert!(all(&[0x0b; 10_000]).is_err());
    }
}
