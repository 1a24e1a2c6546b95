//! The one pass over a text.

use serde_json::Number;

use super::{Text, Tree, unique};

/// So many arrays and objects in each other serde_json takes.
const MAX_DEPTH: usize = 127;

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    /// The next byte to be read.
    pub(super) at: usize,
    /// How many arrays and objects are open.
    depth: usize,
    /// Where something ended that would be written in another way.
    odd: usize,
}

impl<'a> Tree<'a> {
    /// Reads a JSON text; nothing where it is none.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut reader = Reader { text, at: 0, depth: 0, odd: 0 };
        let value = reader.value()?;
        reader.skip_blanks();
        (reader.at == text.len()).then_some(value)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// What was read last would be written in another way.
    pub(super) const fn is_odd(&mut self) {
        self.odd = self.at;
    }

    fn skip_blanks(&mut self) {
        let is_blank = |byte: &&u8| matches!(**byte, b' ' | b'\n' | b'\r' | b'\t');
        let blanks = self.rest().iter().take_while(is_blank).count();
        if blanks > 0 {
            self.at += blanks;
            self.is_odd();
        }
    }

    fn value(&mut self) -> Option<Tree<'a>> {
        self.skip_blanks();
        match self.peek()? {
            b'"' => self.string().map(Tree::String),
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Tree::Bool(true)),
            b'f' => self.word("false", Tree::Bool(false)),
            b'n' => self.word("null", Tree::Null),
            _ => None,
        }
    }

    fn word(&mut self, word: &str, value: Tree<'a>) -> Option<Tree<'a>> {
        self.rest().starts_with(word.as_bytes()).then(|| {
            self.at += word.len();
            value
        })
    }

    fn number(&mut self) -> Option<Tree<'a>> {
        let is_part = |byte: &&u8| matches!(**byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = self.rest().iter().take_while(is_part).count();
        let literal = self.text.get(self.at..self.at + length)?;
        let number: Number = literal.parse().ok()?;
        self.at += length;
        if number.to_string() != literal {
            self.is_odd();
        }
        Some(Tree::Number(number))
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Option<Tree<'a>>) -> Option<Tree<'a>> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.depth += 1;
        let start = self.at;
        self.at += 1;
        let mut value = read(self)?;
        self.depth -= 1;
        if self.odd <= start
            && let Tree::Array { text, .. } | Tree::Object { text, .. } = &mut value
        {
            *text = self.text.get(start..self.at);
        }
        Some(value)
    }

    fn array(&mut self) -> Option<Tree<'a>> {
        let mut elements = Vec::new();
        if !self.closes(b']') {
            loop {
                elements.push(self.value()?);
                if self.is_last(b']')? {
                    break;
                }
            }
        }
        Some(Tree::Array { elements, text: None })
    }

    fn object(&mut self) -> Option<Tree<'a>> {
        let mut members: Vec<(Text<'a>, Tree<'a>)> = Vec::new();
        if !self.closes(b'}') {
            loop {
                self.skip_blanks();
                if self.peek()? != b'"' {
                    return None;
                }
                let key = self.string()?;
                self.skip_blanks();
                if self.peek()? != b':' {
                    return None;
                }
                self.at += 1;
                members.push((key, self.value()?));
                if self.is_last(b'}')? {
                    break;
                }
            }
        }
        if unique(&mut members) {
            self.is_odd();
        }
        Some(Tree::Object { members, text: None })
    }

    /// Whether it closes with nothing in it.
    fn closes(&mut self, end: u8) -> bool {
        self.skip_blanks();
        let closes = self.peek() == Some(end);
        self.at += usize::from(closes);
        closes
    }

    /// Whether nothing comes after a value; something does after a comma.
    fn is_last(&mut self, end: u8) -> Option<bool> {
        self.skip_blanks();
        let next = self.peek()?;
        self.at += 1;
        match next {
            b',' => Some(false),
            _ => (next == end).then_some(true),
        }
    }
}
