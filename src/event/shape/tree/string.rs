//! The strings of a JSON text.

use super::read::Reader;
use crate::event::RawText;
use crate::event::wipe::wipe_text;

/// A string's characters.
#[allow(missing_debug_implementations)]
pub(crate) enum Text<'a> {
    /// As they stand in the text.
    Plain(&'a str),
    /// Copied, since some of them stand there in another way.
    Copied(Copied),
}

/// Characters of our own, which are wiped.
pub(crate) struct Copied(String);

impl Drop for Copied {
    fn drop(&mut self) {
        wipe_text(&mut self.0);
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Copied(Copied(text))
    }
}

impl Text<'_> {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Copied(Copied(text)) => text,
        }
    }

    pub(super) fn into_raw(self) -> RawText {
        match self {
            Self::Plain(text) => RawText::from(text),
            Self::Copied(mut copied) => RawText::from(std::mem::take(&mut copied.0)),
        }
    }
}

impl<'a> Reader<'a> {
    /// The string whose first quote is next.
    pub(super) fn string(&mut self) -> Option<Text<'a>> {
        let start = self.at + 1;
        let length = plain_run(self.text.as_bytes().get(start..)?);
        self.at = start + length;
        if self.peek()? == b'"' {
            self.at += 1;
            return self.text.get(start..start + length).map(Text::Plain);
        }
        self.escaped(start)
    }

    /// The same where there are escapes in it, the first of which is next.
    fn escaped(&mut self, start: usize) -> Option<Text<'a>> {
        // What is read is never longer than what stands there; grown in place it would leave content behind.
        let room = self.end_of_string(start)? - start;
        let mut text = Copied(String::with_capacity(room));
        let mut plain = start;
        loop {
            text.0.push_str(self.text.get(plain..self.at)?);
            match self.peek()? {
                b'"' => break,
                b'\\' => text.0.push(self.escape()?),
                _ => return None,
            }
            plain = self.at;
            self.at += plain_run(self.rest());
        }
        self.at += 1;
        Some(Text::Copied(text))
    }

    /// Where the string ends that goes on at `from`.
    fn end_of_string(&self, from: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let mut at = from;
        loop {
            at += plain_run(bytes.get(at..)?);
            match bytes.get(at)? {
                b'"' => return Some(at),
                b'\\' => at += 2,
                _ => return None,
            }
        }
    }

    /// The character that an escape stands for.
    fn escape(&mut self) -> Option<char> {
        let letter = *self.rest().get(1)?;
        self.at += 2;
        // The others would be written again in the same way.
        if matches!(letter, b'/' | b'u') {
            self.is_odd();
        }
        Some(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return None,
        })
    }

    /// The character of four digits, or of two times four. Half a pair of surrogates is none.
    fn unicode(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        if self.rest().get(..2)? != b"\\u" {
            return None;
        }
        self.at += 2;
        let second = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        self.at += 4;
        digits.iter().try_fold(0, |sum, digit| Some(sum << 4 | char::from(*digit).to_digit(16)?))
    }
}

/// How many bytes come before the first quote, backslash or control character.
fn plain_run(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let ends = |byte: &u8| (*byte == b'"') | (*byte == b'\\') | (*byte < b' ');
    // Without a way out of the loop it is done for many bytes at once.
    let is_plain = |block: &&[u8; BLOCK]| !block.iter().fold(false, |any, byte| any | ends(byte));
    let plain = bytes.as_chunks::<BLOCK>().0.iter().take_while(is_plain).count() * BLOCK;
    let rest = bytes.get(plain..).unwrap_or_default();
    plain + rest.iter().position(ends).unwrap_or(rest.len())
}
