//! How attributes begin on the wire: their names, ready to be copied.

use std::sync::OnceLock;

use super::writer::{BYTES, key, put_varint};
use crate::semconv::{KeyId, table};

/// The start of an attribute for each name of the table: two bytes for its tag and its length, the key field, the key of
/// the value field, a byte for that one's length, and the key of what is in it. Copied as a whole, and what differs then put
/// in.
#[derive(Debug)]
pub(super) struct Keys {
    starts: Vec<Start>,
    unnamed: Start,
}

/// All are as long as the longest and what a short value takes behind it: what always has the same length is copied without a
/// loop, and there is one look at the room for both.
#[derive(Debug)]
pub(super) struct Start {
    pub(super) bytes: [u8; LONGEST],
    pub(super) length: usize,
}

const LONGEST: usize = 64;
/// A double.
pub(super) const SHORT: usize = 8;

impl Start {
    /// A longer name than fits is none of the table's, which a test holds; of one, what fits is written.
    fn new(name: &str) -> Self {
        let mut written = vec![0, 0, key(1, BYTES)];
        let name = name.as_bytes();
        let name = name.get(..name.len().min(LONGEST - SHORT - 7)).unwrap_or_default();
        put_varint(&mut written, name.len() as u64);
        written.extend_from_slice(name);
        written.extend_from_slice(&[key(2, BYTES), 0, 0]);
        let mut bytes = [0; LONGEST];
        bytes.iter_mut().zip(&written).for_each(|(place, byte)| *place = *byte);
        Self { bytes, length: written.len() }
    }

    /// Puts in what differs: the tag and the whole length, the length of the value and the key of what is in it, and the first
    /// bytes of that.
    #[inline(always)]
    pub(super) fn complete<const N: usize>(
        &self,
        written: &mut [u8; LONGEST],
        head: [u8; 2],
        tail: [u8; 2],
        first: [u8; N],
    ) {
        const { assert!(N <= SHORT && LONGEST.is_power_of_two()) };
        // It is shorter, so the mask changes nothing: by it the compiler knows.
        let (before, after) = written.split_at_mut(self.length & (LONGEST - 1));
        if let (Some(start), Some(place)) = (before.first_chunk_mut(), after.first_chunk_mut()) {
            (*start, *place) = (head, first);
        }
        if let Some(end) = before.last_chunk_mut() {
            *end = tail;
        }
    }
}

impl Keys {
    /// Those of the table, for whoever keeps none of its own.
    pub(super) fn of_table() -> &'static Self {
        static KEYS: OnceLock<Keys> = OnceLock::new();
        KEYS.get_or_init(Self::default)
    }

    #[inline]
    pub(super) fn start(&self, id: KeyId) -> &Start {
        // An id is only made from the table itself, so the fallback is never taken.
        self.starts.get(usize::from(id.0)).unwrap_or(&self.unnamed)
    }
}

impl Default for Keys {
    fn default() -> Self {
        Self { starts: table().iter().map(|name| Start::new(name.key)).collect(), unnamed: Start::new("") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_table_fits_where_names_are_written_from() {
        for name in table() {
            assert!(name.key.len() <= LONGEST - SHORT - 7, "{}", name.key);
        }
    }
}
