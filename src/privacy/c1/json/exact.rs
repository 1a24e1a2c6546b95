//! Whether a text is its own canonical form, told without writing anything: arguments mostly come so.
//!
//! Says no where it is not sure: whoever asks then writes the canonical form, which may be the same.

use smallvec::SmallVec;

use super::member::compare_utf16;
use super::{MAX_DEPTH, number, scan};

/// Reads a text that may be its own canonical form.
struct Reader<'a> {
    input: &'a [u8],
    next: usize,
    /// What is open, the innermost last: of an object its last key, of an array nothing.
    open: SmallVec<[Option<&'a [u8]>; 16]>,
}

/// Whether `input`, which is UTF-8, is certainly its own canonical form.
pub(super) fn is_canonical(input: &[u8]) -> bool {
    Reader { input, next: 0, open: SmallVec::new() }.read().is_some()
}

impl<'a> Reader<'a> {
    /// Something where all of it is canonical.
    fn read(&mut self) -> Option<()> {
        loop {
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                b'0'..=b'9' | b'-' => self.number()?,
                b'{' => {
                    self.enter(Some(b""))?;
                    if self.peek()? != b'}' {
                        self.key(None)?;
                        continue;
                    }
                    self.leave();
                }
                b'[' => {
                    self.enter(None)?;
                    if self.peek()? != b']' {
                        continue;
                    }
                    self.leave();
                }
                b't' => self.literal(b"true")?,
                b'f' => self.literal(b"false")?,
                b'n' => self.literal(b"null")?,
                _ => return None,
            }
            if self.is_over()? {
                return Some(());
            }
        }
    }

    /// Closes what closes after a value: true at the end of the input, false where another value is to come.
    fn is_over(&mut self) -> Option<bool> {
        loop {
            let Some(innermost) = self.open.last().copied() else {
                return (self.next == self.input.len()).then_some(true);
            };
            match (self.peek()?, innermost) {
                (b',', before) => {
                    self.next += 1;
                    if before.is_some() {
                        self.key(before)?;
                    }
                    return Some(false);
                }
                (b'}', Some(_)) | (b']', None) => self.leave(),
                _ => return None,
            }
        }
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.input.get(self.next).copied()
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.input.get(self.next..).unwrap_or_default()
    }

    fn enter(&mut self, container: Option<&'a [u8]>) -> Option<()> {
        if self.open.len() == MAX_DEPTH {
            return None;
        }
        self.open.push(container);
        self.next += 1;
        Some(())
    }

    fn leave(&mut self) {
        self.open.pop();
        self.next += 1;
    }

    /// A key that comes after the one before, and its colon.
    #[inline]
    fn key(&mut self, before: Option<&'a [u8]>) -> Option<()> {
        if self.peek()? != b'"' {
            return None;
        }
        let (key, escapes) = self.string()?;
        // In what order keys with escapes stand is not seen here.
        let in_order = before.is_none_or(|before| compare_utf16(before, key).is_lt());
        if escapes || !in_order || self.peek()? != b':' {
            return None;
        }
        self.next += 1;
        if let Some(last) = self.open.last_mut() {
            *last = Some(key);
        }
        Some(())
    }

    /// The characters of a string, and whether some of them are escapes.
    #[inline]
    fn string(&mut self) -> Option<(&'a [u8], bool)> {
        let rest = self.input.get(self.next + 1..)?;
        let (length, escapes) = scan::string_run(rest);
        let (characters, behind) = rest.split_at_checked(length)?;
        // An escape that may have to be written in another way, or a character that must not stand there.
        if behind.first() != Some(&b'"') {
            return None;
        }
        self.next += length + 2;
        Some((characters, escapes))
    }

    fn number(&mut self) -> Option<()> {
        let number = number::read(self.rest())?;
        let literal = self.rest().get(..number.length)?;
        let mut buffer = ryu_js::Buffer::new();
        if number.format(literal, &mut buffer)? != literal {
            return None;
        }
        self.next += number.length;
        Some(())
    }

    #[inline]
    fn literal(&mut self, word: &[u8]) -> Option<()> {
        self.rest().starts_with(word).then(|| self.next += word.len())
    }
}
