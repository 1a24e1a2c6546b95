//! Bytes that are written while they may still be taken, and counted when they are too many.

use std::io::{self, Write};

use crate::event::RawText;
use crate::event::wipe::wipe;

/// Keeps what is written up to [`RawText::MAX_BYTES`]; of more it keeps the length alone.
#[derive(Default)]
pub(super) struct Bounded {
    kept: Vec<u8>,
    length: usize,
}

impl Bounded {
    /// With room for so many bytes, as far as they may be taken.
    #[cfg(any(feature = "collector", feature = "sdk"))]
    pub(super) fn with_room(bytes: usize) -> Self {
        Self { kept: Vec::with_capacity(bytes.min(RawText::MAX_BYTES)), length: 0 }
    }

    pub(super) fn push(&mut self, byte: u8) {
        self.add(&[byte]);
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.length = self.length.saturating_add(bytes.len());
        if self.length > RawText::MAX_BYTES {
            wipe(&mut self.kept);
            self.kept = Vec::new();
            return;
        }
        if self.kept.capacity() - self.kept.len() < bytes.len() {
            // Grown in place it would leave the old text behind.
            let room = self.length.max(2 * self.kept.len()).clamp(64, RawText::MAX_BYTES);
            let mut grown = Vec::with_capacity(room);
            grown.extend_from_slice(&self.kept);
            wipe(&mut self.kept);
            self.kept = grown;
        }
        self.kept.extend_from_slice(bytes);
    }

    /// What was written, which is UTF-8.
    pub(super) fn into_text(self) -> RawText {
        if self.length > RawText::MAX_BYTES {
            return RawText::oversize(self.length);
        }
        RawText::from(String::from_utf8(self.kept).unwrap_or_default())
    }
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
