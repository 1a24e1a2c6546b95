//! The pass over the text that writes its canonical form.

use smallvec::SmallVec;

use super::member::Member;
use super::{MAX_DEPTH, escape, number, scan};
use crate::privacy::c1::wipe::WipedVec;

pub(super) struct Writer<'a> {
    pub(super) input: &'a [u8],
    /// The next byte of input to be read.
    pub(super) next: usize,
    /// What is written so far of the input before `copied`; what was read after it follows as it is.
    pub(super) out: WipedVec,
    copied: usize,
    /// The members of all open objects, the innermost object's last.
    pub(super) members: SmallVec<[Member; 16]>,
    pub(super) open: SmallVec<[Open; 16]>,
    pub(super) resolved_keys: WipedVec,
    pub(super) reordered: WipedVec,
}

/// An array or object that has not closed yet.
#[derive(Clone, Copy)]
pub(super) enum Open {
    Array,
    Object { first_member: usize, in_order: bool },
}

impl<'a> Writer<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            next: 0,
            out: WipedVec::default(),
            copied: 0,
            members: SmallVec::new(),
            open: SmallVec::new(),
            resolved_keys: WipedVec::default(),
            reordered: WipedVec::default(),
        }
    }

    /// Nothing if the input counts as not JSON; inside, nothing if it is its own canonical form.
    pub(super) fn write(&mut self) -> Option<Option<WipedVec>> {
        loop {
            self.skip_whitespace();
            let opened = match self.peek()? {
                b'"' => self.string().map(|_| false)?,
                b'-' | b'0'..=b'9' => self.number().map(|()| false)?,
                b'{' => self.open_object()?,
                b'[' => self.open_array()?,
                b't' => self.literal(b"true").map(|()| false)?,
                b'f' => self.literal(b"false").map(|()| false)?,
                b'n' => self.literal(b"null").map(|()| false)?,
                _ => return None,
            };
            if !opened && self.after_value()? {
                break;
            }
        }
        if self.copied == 0 {
            return Some(None);
        }
        self.copy_up_to(self.next);
        // An escape may have been written again as it was.
        let out = std::mem::take(&mut self.out);
        Some((out.as_slice() != self.input).then_some(out))
    }

    /// Closes what closes after a value. True at the end of the input, false where another value is to come.
    fn after_value(&mut self) -> Option<bool> {
        loop {
            self.skip_whitespace();
            let Some(innermost) = self.open.last().copied() else {
                return (self.next == self.input.len()).then_some(true);
            };
            let byte = self.peek()?;
            if let Open::Object { first_member, in_order } = innermost {
                match byte {
                    b',' => {
                        self.next += 1;
                        self.key()?;
                        return Some(false);
                    }
                    b'}' if in_order => self.members.truncate(first_member),
                    b'}' => self.reorder(first_member)?,
                    _ => return None,
                }
            } else {
                match byte {
                    b',' => {
                        self.next += 1;
                        return Some(false);
                    }
                    b']' => {}
                    _ => return None,
                }
            }
            self.next += 1;
            self.open.pop();
        }
    }

    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.input.get(self.next).copied()
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.input.get(self.next..).unwrap_or_default()
    }

    /// Where in the output the next byte of input would stand.
    pub(super) fn place(&self) -> usize {
        self.out.len() + (self.next - self.copied)
    }

    /// Brings the output up to a place in the input.
    pub(super) fn copy_up_to(&mut self, place: usize) {
        if self.out.capacity() == 0 {
            self.out.reserve(self.input.len() + 32);
        }
        self.out.extend_from_slice(self.input.get(self.copied..place).unwrap_or_default());
        self.copied = place;
    }

    /// Leaves the next bytes of input out of the output.
    fn skip(&mut self, length: usize) {
        self.copy_up_to(self.next);
        self.next += length;
        self.copied = self.next;
    }

    /// Most JSON has none: the look is inlined, the rest is not.
    #[inline]
    pub(super) fn skip_whitespace(&mut self) {
        if self.input.get(self.next).is_some_and(is_whitespace) {
            self.leave_out_whitespace();
        }
    }

    #[inline(never)]
    fn leave_out_whitespace(&mut self) {
        let rest = self.rest();
        self.skip(rest.iter().position(|byte| !is_whitespace(byte)).unwrap_or(rest.len()));
    }

    fn literal(&mut self, word: &[u8]) -> Option<()> {
        self.rest().starts_with(word).then(|| self.next += word.len())
    }

    fn number(&mut self) -> Option<()> {
        let number = number::read(self.rest())?;
        let literal = self.rest().get(..number.length)?;
        let mut buffer = ryu_js::Buffer::new();
        let written = number.format(literal, &mut buffer)?;
        if written == literal {
            self.next += number.length;
        } else {
            self.skip(number.length);
            self.out.extend_from_slice(written);
        }
        Some(())
    }

    /// True if the string has escapes.
    #[inline]
    pub(super) fn string(&mut self) -> Option<bool> {
        self.next += 1;
        let (length, mut escapes) = scan::string_run(self.rest());
        self.next += length;
        while self.peek()? == b'\\' {
            self.long_escape()?;
            escapes = true;
            self.next += scan::string_run(self.rest()).0;
        }
        let closes = self.peek()? == b'"';
        self.next += 1;
        closes.then_some(escapes)
    }

    /// An escape that RFC 8785 may write in another way.
    fn long_escape(&mut self) -> Option<()> {
        let escape = escape::read(self.rest())?;
        self.skip(escape.length);
        escape::write(escape.character, &mut self.out);
        Some(())
    }

    /// False where it has closed already.
    fn open_array(&mut self) -> Option<bool> {
        self.enter(Open::Array)?;
        if self.peek()? == b']' {
            return self.leave_empty();
        }
        Some(true)
    }

    /// False where it has closed already.
    fn open_object(&mut self) -> Option<bool> {
        self.enter(Open::Object { first_member: self.members.len(), in_order: true })?;
        if self.peek()? == b'}' {
            return self.leave_empty();
        }
        self.key()?;
        Some(true)
    }

    fn enter(&mut self, container: Open) -> Option<()> {
        if self.open.len() == MAX_DEPTH {
            return None;
        }
        self.open.push(container);
        self.next += 1;
        self.skip_whitespace();
        Some(())
    }

    fn leave_empty(&mut self) -> Option<bool> {
        self.open.pop();
        self.next += 1;
        Some(false)
    }
}

const fn is_whitespace(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}
