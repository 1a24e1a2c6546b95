//! What is told of each of many messages: the bytes that it takes in an array, and words that are written ahead.

use super::attribute::{ELEMENT, TEXT, digest_len};
use super::varint::varint_len;
use super::writer::bytes_len;
use crate::event::Digest;

/// The bytes that the elements of an array take. Lengths of elements are cheap, so they are computed twice rather than
/// kept.
#[derive(Clone, Copy, Default)]
pub(super) struct Size(pub(super) usize);

impl Size {
    #[inline]
    pub(super) const fn text(self, text: &str) -> Self {
        Self(self.0 + bytes_len(bytes_len(text.len())))
    }

    #[inline]
    pub(super) const fn word(self, word: &Word) -> Self {
        Self(self.0 + word.length)
    }

    #[inline]
    pub(super) const fn int(self, number: i64) -> Self {
        Self(self.0 + bytes_len(1 + varint_len(number.cast_unsigned())))
    }

    #[inline]
    pub(super) fn digest(self, digest: Option<&Digest>) -> Self {
        Self(self.0 + bytes_len(bytes_len(digest.map_or(0, digest_len))))
    }
}

/// A short word as an element of an array, for what is told of each of many messages.
pub(super) struct Word {
    pub(super) element: [u8; Self::ROOM],
    pub(super) length: usize,
}

impl Word {
    const ROOM: usize = 16;

    pub(super) const fn of(word: &str) -> Self {
        let word = word.as_bytes();
        let mut element = [0; Self::ROOM];
        assert!(word.len() + 4 <= Self::ROOM);
        let (head, mut rest) = element.split_at_mut(4);
        head.copy_from_slice(&[ELEMENT, word.len() as u8 + 2, TEXT, word.len() as u8]);
        (rest, _) = rest.split_at_mut(word.len());
        rest.copy_from_slice(word);
        Self { element, length: 4 + word.len() }
    }
}
