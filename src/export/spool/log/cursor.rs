//! Reading a segment from front to back. What is read is not trusted: it is bounded, and damage costs what is damaged.

use std::io;

use super::frame::{self, Found, Head};
use super::segment::{HEADER, Segment};

/// Read at once, unless a record is longer.
const CHUNK: usize = 256 << 10;

/// A place in one segment, and what has been read ahead of it.
#[derive(Debug)]
pub(crate) struct Cursor {
    buffer: Vec<u8>,
    /// How much of the buffer is behind.
    taken: usize,
    /// Where in the file the buffer begins.
    start: u64,
}

/// What came next.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A record; without a payload where that is damaged.
    Record(Head, Option<&'a [u8]>),
    /// Something that is no record; the next step goes on behind it.
    Damage,
    /// Nothing more for now.
    End(End),
}

/// How the bytes of a segment end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Behind a record.
    Whole,
    /// Inside of one, as a write leaves it that was broken off.
    Cut,
}

enum Next {
    Record(Head, frame::Payload, usize),
    Damage(usize),
    More(usize),
}

impl Default for Cursor {
    /// At the first record.
    fn default() -> Self {
        Self { buffer: Vec::new(), taken: 0, start: HEADER as u64 }
    }
}

impl Cursor {
    /// Where in the file it stands.
    pub(crate) const fn offset(&self) -> u64 {
        self.start + self.taken as u64
    }

    /// The next step in `segment`, which must be the same one each time, and may have grown.
    ///
    /// # Errors
    ///
    /// The file cannot be read.
    pub(crate) fn step(&mut self, segment: &Segment) -> io::Result<Step<'_>> {
        loop {
            let rest = self.buffer.get(self.taken..).unwrap_or_default();
            let next = match frame::look(rest) {
                Found::Record(head, payload) => Next::Record(head, payload, frame::HEAD + head.length),
                Found::Damage => Next::Damage(frame::next_mark(rest)),
                Found::Cut(needed) => Next::More(needed),
            };
            match next {
                Next::Record(head, payload, length) => {
                    let start = self.taken;
                    self.taken += length;
                    let payload = payload.and_then(|range| self.buffer.get(start + range.start..start + range.end));
                    return Ok(Step::Record(head, payload));
                }
                Next::Damage(length) => {
                    self.taken += length;
                    return Ok(Step::Damage);
                }
                Next::More(needed) => {
                    let left = segment.length.saturating_sub(self.offset());
                    if (left as u128) < needed as u128 {
                        let end = if left == 0 { End::Whole } else { End::Cut };
                        return Ok(Step::End(end));
                    }
                    if !self.fill(segment, needed)? {
                        // The file is shorter than it should be: somebody else has cut it.
                        return Ok(Step::End(End::Cut));
                    }
                }
            }
        }
    }

    /// Reads on until so many bytes lie ahead, and tells whether they do.
    fn fill(&mut self, segment: &Segment, needed: usize) -> io::Result<bool> {
        self.buffer.drain(..self.taken.min(self.buffer.len()));
        self.start += self.taken as u64;
        self.taken = 0;
        let mut held = self.buffer.len();
        let left = usize::try_from(segment.length.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.buffer.resize(needed.max(CHUNK.min(left)).max(held), 0);
        while held < needed {
            let free = self.buffer.get_mut(held..).unwrap_or_default();
            match segment.read(free, self.start + held as u64) {
                Ok(0) => break,
                Ok(read) => held += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.truncate(held);
                    return Err(error);
                }
            }
        }
        self.buffer.truncate(held);
        Ok(held >= needed)
    }
}
