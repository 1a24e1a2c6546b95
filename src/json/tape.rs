//! One pass over a text: where its values stand.

use std::ops::Range;

use super::marks::Marks;
use super::node::{Found, Node};
use super::number;
use super::string::{self, End, STEP};

/// What was found in a text, and room for the next one.
#[derive(Default)]
#[allow(missing_debug_implementations)]
pub(crate) struct Tape {
    slots: Vec<Slot>,
    /// Strings that had escapes, one after the other. Zero wherever nothing is read.
    unescaped: Vec<u8>,
}

/// What is done to strings with escapes that are values. Names are always unescaped.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Escapes {
    /// They are unescaped as they are met.
    Unescaped,
    /// They are passed over, and unescaped one by one when they are asked for.
    Left,
    /// Those in the outermost object's member of this name are left, and all others unescaped.
    LeftIn(&'static str),
    /// Those of strings that are members of these names are left, and all others unescaped.
    LeftOf(&'static [&'static str]),
}

/// Why nothing was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// It is not JSON.
    NotJson,
    /// It has more values, or bytes, than are taken.
    TooLarge,
}

/// A value. Places are in bytes of the text.
#[derive(Clone, Copy)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    pub(super) start: u32,
    pub(super) end: u32,
    /// Of a container the slot after its last; while it is open the one around it. Of an unescaped string where it begins
    /// among those.
    pub(super) from: u32,
    /// And where that ends.
    pub(super) to: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    False,
    True,
    Number,
    /// A string as it stands.
    Plain,
    /// A string that was unescaped.
    Unescaped,
    /// A string with escapes that was not.
    Escaped,
    Array,
    /// Its members are names and values in turns.
    Object,
}

/// The most values of one text: 84 MB of slots. A transcript's line has some tens.
const MAX_VALUES: usize = 1 << 22;
/// What is kept for the next text, in bytes and in values.
const KEPT: usize = 1 << 20;
const NO_CONTAINER: u32 = u32::MAX;

impl Tape {
    /// Reads a text, hands its value on, and wipes what was unescaped.
    ///
    /// # Errors
    ///
    /// Why there is no value.
    pub(crate) fn read<R>(
        &mut self,
        text: &str,
        escapes: Escapes,
        then: impl FnOnce(Node<'_>) -> R,
    ) -> Result<R, Unread> {
        if u32::try_from(text.len()).is_err() {
            return Err(Unread::TooLarge);
        }
        let room = text.len() + STEP;
        if self.unescaped.len() < room {
            self.unescaped = vec![0; room.next_power_of_two()];
        }
        self.slots.clear();
        let Self { slots, unescaped } = self;
        let (bytes, marks) = (text.as_bytes(), Marks::of(text.as_bytes()));
        let is_left = escapes == Escapes::Left;
        let left_in = if let Escapes::LeftIn(name) = escapes { Some(name) } else { None };
        let left_of = if let Escapes::LeftOf(names) = escapes { names } else { &[] };
        let mut reader = Reader {
            bytes,
            marks,
            slots,
            out: unescaped,
            used: 0,
            is_left,
            left_in,
            left_of,
            longest: 0..0,
            open: 0,
            depth: 0,
        };
        let read = reader.read();
        let (used, depth) = (reader.used, reader.depth);
        let result = match read {
            // Escapes of UTF-8 stand for characters, so that nothing is refused here.
            Some(()) => match simdutf8::basic::from_utf8(unescaped.get(..used).unwrap_or_default()) {
                Ok(unescaped) => Ok(then(Node::of(&Found { text, slots, unescaped, depth }))),
                Err(_) => Err(Unread::NotJson),
            },
            None if slots.len() >= MAX_VALUES => Err(Unread::TooLarge),
            None => Err(Unread::NotJson),
        };
        self.wipe(used);
        result
    }

    /// Whether nothing of what was read is left.
    #[cfg(test)]
    pub(super) fn is_wiped(&self) -> bool {
        self.unescaped.iter().all(|byte| *byte == 0)
    }

    fn wipe(&mut self, used: usize) {
        // A step that was written may go beyond what counted of it.
        let written = (used + STEP).min(self.unescaped.len());
        if let Some(written) = self.unescaped.get_mut(..written) {
            written.fill(0);
            zeroize::optimization_barrier(&*written);
        }
        if self.unescaped.len() > KEPT {
            self.unescaped = Vec::new();
        }
        if self.slots.capacity() > KEPT / size_of::<Slot>() {
            self.slots = Vec::new();
        }
    }
}

struct Reader<'r> {
    bytes: &'r [u8],
    marks: Marks<'r>,
    slots: &'r mut Vec<Slot>,
    out: &'r mut [u8],
    used: usize,
    /// Whether the escapes of what comes are left, and the member for which they are.
    is_left: bool,
    left_in: Option<&'static str>,
    /// The members for whose own they are.
    left_of: &'static [&'static str],
    /// Where the longest string with escapes stands, its last quote included: it may stand again where they are left.
    longest: Range<usize>,
    /// How many containers are open, and were at the most.
    open: u32,
    depth: u32,
}

impl Reader<'_> {
    /// Something where all of it is one value.
    fn read(&mut self) -> Option<()> {
        let mut at = self.blanks(0);
        let mut around = NO_CONTAINER;
        let mut is_object = false;
        loop {
            at = match *self.bytes.get(at)? {
                b'"' => self.string(at, self.is_left || is_object && self.is_left_of())?,
                b'{' | b'[' => {
                    is_object = self.bytes.get(at) == Some(&b'{');
                    let kind = if is_object { Kind::Object } else { Kind::Array };
                    let this = self.slots.len();
                    self.push(kind, at, at, (around, 0))?;
                    self.open += 1;
                    self.depth = self.depth.max(self.open);
                    around = this as u32;
                    at = self.blanks(at + 1);
                    let closing = if is_object { b'}' } else { b']' };
                    if self.bytes.get(at) != Some(&closing) {
                        if is_object {
                            at = self.name(at)?;
                        }
                        continue;
                    }
                    (around, is_object) = self.close(around, at)?;
                    at + 1
                }
                b't' => self.word(at, "true", Kind::True)?,
                b'f' => self.word(at, "false", Kind::False)?,
                b'n' => self.word(at, "null", Kind::Null)?,
                _ => {
                    let end = number::end(self.bytes, at)?;
                    self.push(Kind::Number, at, end, (0, 0))?;
                    end
                }
            };
            loop {
                at = self.blanks(at);
                if around == NO_CONTAINER {
                    return (at == self.bytes.len()).then_some(());
                }
                match (*self.bytes.get(at)?, is_object) {
                    (b',', true) => {
                        at = self.name(self.blanks(at + 1))?;
                        break;
                    }
                    (b',', false) => {
                        at = self.blanks(at + 1);
                        break;
                    }
                    (b'}', true) | (b']', false) => {
                        (around, is_object) = self.close(around, at)?;
                        at += 1;
                    }
                    _ => return None,
                }
            }
        }
    }

    #[inline]
    fn blanks(&self, mut at: usize) -> usize {
        while matches!(self.bytes.get(at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            at += 1;
        }
        at
    }

    #[inline]
    fn push(&mut self, kind: Kind, start: usize, end: usize, (from, to): (u32, u32)) -> Option<()> {
        if self.slots.len() >= MAX_VALUES {
            return None;
        }
        // The text is no longer than `u32` tells.
        self.slots.push(Slot { kind, start: start as u32, end: end as u32, from, to });
        Some(())
    }

    /// A name and its colon.
    #[inline]
    fn name(&mut self, at: usize) -> Option<usize> {
        if self.bytes.get(at) != Some(&b'"') {
            return None;
        }
        let end = self.string(at, false)?;
        if self.left_in.is_some() && self.open == 1 {
            self.is_left = self.is_left_in();
        }
        let at = self.blanks(end);
        (self.bytes.get(at) == Some(&b':')).then(|| self.blanks(at + 1))
    }

    /// Whether the name that was read last is that of the member whose escapes are left.
    fn is_left_in(&self) -> bool {
        self.last_name() == self.left_in.map(str::as_bytes)
    }

    /// Whether it is that of a member for whose own they are.
    #[inline]
    fn is_left_of(&self) -> bool {
        !self.left_of.is_empty()
            && self.last_name().is_some_and(|name| self.left_of.iter().any(|left| left.as_bytes() == name))
    }

    fn last_name(&self) -> Option<&[u8]> {
        let slot = self.slots.last()?;
        match slot.kind {
            Kind::Plain => self.bytes.get(slot.start as usize + 1..slot.end as usize - 1),
            _ => self.out.get(slot.from as usize..slot.to as usize),
        }
    }

    fn note_longest(&mut self, first: usize, end: usize) {
        if end - first >= self.longest.len() {
            self.longest = first..end + 1;
        }
    }

    /// The last quote of a string that is the longest one so far, which has escapes.
    fn end_of_same(&self, first: usize) -> Option<usize> {
        let longest = self.bytes.get(self.longest.clone()).filter(|longest| !longest.is_empty())?;
        self.bytes.get(first..)?.starts_with(longest).then(|| first + longest.len() - 1)
    }

    #[inline]
    fn string(&mut self, quote: usize, is_left: bool) -> Option<usize> {
        let first = quote + 1;
        if is_left && let Some(end) = self.end_of_same(first) {
            self.push(Kind::Escaped, quote, end + 1, (0, 0))?;
            return Some(end + 1);
        }
        let end = match string::end(self.bytes, &mut self.marks, first)? {
            End::Plain(end) => {
                self.push(Kind::Plain, quote, end + 1, (0, 0))?;
                end
            }
            End::Escape(escape) if is_left => {
                let end = string::pass(self.bytes, &mut self.marks, escape)?;
                self.note_longest(first, end);
                self.push(Kind::Escaped, quote, end + 1, (0, 0))?;
                end
            }
            End::Escape(escape) => {
                let (from, plain) = (self.used, self.bytes.get(first..escape)?);
                let at = from + plain.len();
                self.out.get_mut(from..at)?.copy_from_slice(plain);
                let Some((end, used)) = string::unescape(self.bytes, &mut self.marks, escape, self.out, at) else {
                    // How much was written is not known.
                    self.used = self.out.len();
                    return None;
                };
                self.used = used;
                self.note_longest(first, end);
                self.push(Kind::Unescaped, quote, end + 1, (from as u32, used as u32))?;
                end
            }
        };
        Some(end + 1)
    }

    fn word(&mut self, at: usize, word: &str, kind: Kind) -> Option<usize> {
        let is_there = self.bytes.get(at..)?.starts_with(word.as_bytes());
        let end = at + word.len();
        self.push(kind, at, end, (0, 0))?;
        is_there.then_some(end)
    }

    /// Closes a container; gives the one around it, and whether that is an object.
    #[inline]
    fn close(&mut self, this: u32, at: usize) -> Option<(u32, bool)> {
        self.open -= 1;
        let next = self.slots.len() as u32;
        let slot = self.slots.get_mut(this as usize)?;
        let around = std::mem::replace(&mut slot.from, next);
        slot.end = at as u32 + 1;
        let is_object = around != NO_CONTAINER && self.slots.get(around as usize)?.kind == Kind::Object;
        Some((around, is_object))
    }
}

/// Unescapes one string that was left as it is, quotes included.
pub(super) fn unescaped(quoted: &str) -> Option<String> {
    let mut out = vec![0; quoted.len() + STEP];
    let (bytes, mut marks) = (quoted.as_bytes(), Marks::of(quoted.as_bytes()));
    let End::Escape(escape) = string::end(bytes, &mut marks, 1)? else { return None };
    let plain = bytes.get(1..escape)?;
    out.get_mut(..plain.len())?.copy_from_slice(plain);
    let (_, used) = string::unescape(bytes, &mut marks, escape, &mut out, plain.len())?;
    out.truncate(used);
    String::from_utf8(out).ok()
}
