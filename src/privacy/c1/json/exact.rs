//! Whether a text is its own canonical form, told without writing anything: arguments mostly come so.
//!
//! Says no where it is not sure: whoever asks then writes the canonical form, which may be the same.

use smallvec::SmallVec;

use super::member::compare_utf16;
use super::{MAX_DEPTH, number, scan};

/// Reads a text that may be its own canonical form.
struct Reader<'a> {
    rest: &'a [u8],
    /// How many arrays and objects are open.
    depth: usize,
    /// Of an object that is innermost its last key, of an array nothing.
    last: Option<&'a [u8]>,
    /// The same of those around it.
    around: SmallVec<[Option<&'a [u8]>; 16]>,
}

/// Whether `input`, which is UTF-8, is certainly its own canonical form.
pub(super) fn is_canonical(input: &[u8]) -> bool {
    Reader { rest: input, depth: 0, last: None, around: SmallVec::new() }.read().is_some()
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
    #[inline]
    fn is_over(&mut self) -> Option<bool> {
        loop {
            if self.depth == 0 {
                return self.rest.is_empty().then_some(true);
            }
            match (self.peek()?, self.last) {
                (b',', before) => {
                    self.skip();
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
        self.rest.first().copied()
    }

    #[inline]
    fn skip(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn enter(&mut self, container: Option<&'a [u8]>) -> Option<()> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        if self.depth > 0 {
            self.around.push(self.last);
        }
        self.depth += 1;
        self.last = container;
        self.skip();
        Some(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
        self.last = self.around.pop().flatten();
        self.skip();
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
        self.skip();
        self.last = Some(key);
        Some(())
    }

    /// The characters of a string, and whether some of them are escapes.
    #[inline(always)]
    fn string(&mut self) -> Option<(&'a [u8], bool)> {
        let rest = self.rest.get(1..)?;
        if let Some(length) = scan::short_run(rest)
            && let Some((characters, [b'"', after @ ..])) = rest.split_at_checked(length)
        {
            self.rest = after;
            return Some((characters, false));
        }
        self.long_string(rest)
    }

    #[inline(never)]
    fn long_string(&mut self, rest: &'a [u8]) -> Option<(&'a [u8], bool)> {
        let (length, escapes) = scan::string_run(rest);
        // An escape that may have to be written in another way, or a character that must not stand there.
        let (characters, [b'"', after @ ..]) = rest.split_at_checked(length)? else { return None };
        self.rest = after;
        Some((characters, escapes))
    }

    fn number(&mut self) -> Option<()> {
        let number = number::read(self.rest)?;
        let (literal, after) = self.rest.split_at_checked(number.length)?;
        let mut buffer = ryu_js::Buffer::new();
        if number.format(literal, &mut buffer)? != literal {
            return None;
        }
        self.rest = after;
        Some(())
    }

    #[inline]
    fn literal(&mut self, word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(word)?;
        Some(())
    }
}
