//! Reads a value where it begins: literals, quotes of prose, braces, whatever ends at a mark or a blank.

use super::name::Name;
use super::read::{LONGEST, Reader};
use super::value::{Style, Value};

/// What wraps a literal without making another value of it.
const WRAPPERS: &[&[u8]] = &[
    b"String::from(",
    b"SecretString::from(",
    b"SecretString::new(",
    b"Secret::new(",
    b"SecretStr(",
    b"Some(",
    b"str(",
    b"new String(",
    b"Buffer.from(",
    b"Optional.of(",
    b"String(",
    b"Secret(",
    b"secrecy::Secret::new(",
    b"Zeroizing::new(",
    b"[]byte(",
    b"byte[](",
    b"&str(",
];

impl<'t> Reader<'t> {
    /// `<password>value</password>`, also with attributes.
    pub(super) fn element(&mut self) -> Option<Value<'t>> {
        self.skip(|byte| !b"<>\n\"".contains(byte));
        if !self.take(b">") {
            return None;
        }
        self.take(b"<![CDATA[");
        let start = self.at;
        let length = self.rest().iter().take(LONGEST).position(|byte| b"<]\n".contains(byte))?;
        let behind = self.text.get(start + length..)?;
        if !behind.starts_with(b"</") && !behind.starts_with(b"]]>") {
            return None;
        }
        Some(Value::new(self.text, start..start + length, Style::Quoted))
    }

    /// Several words to the end of their line.
    fn line(&self, style: Style) -> Option<Value<'t>> {
        let line = self.rest().iter().take(LONGEST).take_while(|byte| !b"\r\n\"'<>".contains(byte)).count();
        let line = self.rest().get(..line)?.trim_ascii_end();
        line.iter().any(u8::is_ascii_whitespace).then(|| Value::new(self.text, self.at..self.at + line.len(), style))
    }

    pub(super) fn given(&mut self, name: &Name<'_>, style: Style) -> Option<Value<'t>> {
        if let Some(wrapper) = WRAPPERS.iter().find(|wrapper| self.rest().starts_with(wrapper)) {
            self.at += wrapper.len();
        }
        self.lead(style);
        if style == Style::Colon && self.rest().starts_with(b"{") {
            // `"password": {"value": "…"}`
            self.at += 1;
            self.at -= usize::from(!self.named_value());
        }
        if style == Style::Colon && matches!(self.rest(), [b'[', b'"' | b'\'', ..]) {
            // Headers have a list of values.
            self.at += 1;
        }
        if let Some(value) = self.in_quotes_of_prose(style) {
            return Some(value);
        }
        // Marks of a literal's kind: `b'…'`, `r"…"`, `@"…"`, `f'…'`.
        let marks = self.rest().iter().take(2).take_while(|byte| b"rbufLN@$RBUF#".contains(byte)).count();
        let start = match self.rest().get(marks) {
            Some(b'"' | b'\'' | b'`') => self.at + marks,
            _ if name.is_phrase() && matches!(style, Style::Colon | Style::Spaced | Style::Tight | Style::Is) => {
                return self.line(style).or_else(|| self.bare(style));
            }
            _ if style == Style::Tight && self.rest().starts_with(b"{") => {
                return self.braced(name).or_else(|| self.bare(style));
            }
            _ => return self.grouped(style).or_else(|| self.bare(style)),
        };
        let quote = self.text.get(start..=start)?;
        let triple = [*quote.first()?; 3];
        let opened = self.text.get(start..)?;
        let quotes: &[u8] = if opened.starts_with(&triple) { &triple } else { quote };
        let from = start + quotes.len();
        let to = from + literal(self.text.get(from..)?, quotes)?;
        Some(Value::new(self.text, from..to, style.quoted()))
    }

    /// What stands between a name and its value in YAML, and a bracket around a literal: `|` and a line, `!!str`, `&name`, `(`.
    fn lead(&mut self, style: Style) {
        let from = self.at;
        if style == Style::Colon && (self.take(b"|") || self.take(b">")) {
            self.skip(|byte| b"+-".contains(byte) || byte.is_ascii_digit());
            self.blanks();
            let is_block = self.rest().first().is_some_and(|byte| b"\r\n".contains(byte));
            self.at = if is_block { self.at } else { from };
            self.skip(|byte| is_block && byte.is_ascii_whitespace());
        } else if style == Style::Colon && (self.take(b"!!str ") || self.take(b"&")) {
            let is_anchor = self.text.get(from) == Some(&b'&');
            let name = self.skip(|byte| is_anchor && (byte.is_ascii_alphanumeric() || b"_-".contains(byte)));
            let apart = self.blanks() > 0;
            self.at = if !is_anchor || name > 0 && apart { self.at } else { from };
        } else if self.take(b"(") {
            self.skip(u8::is_ascii_whitespace);
            let is_literal = self.rest().first().is_some_and(|byte| b"\"'".contains(byte));
            self.at = if is_literal { self.at } else { from };
        }
    }

    /// `„…“`, `«…»`, `「…」`: as languages quote.
    fn in_quotes_of_prose(&self, style: Style) -> Option<Value<'t>> {
        const PAIRS: &[(&str, &[&str])] = &[
            ("„", &["“", "”", "\""]),
            ("“", &["”"]),
            ("‚", &["‘", "’"]),
            ("‘", &["’"]),
            ("«", &["»"]),
            ("»", &["«"]),
            ("「", &["」"]),
            ("『", &["』"]),
        ];
        let (opening, closings) = PAIRS.iter().find(|(opening, _)| self.rest().starts_with(opening.as_bytes()))?;
        let blank = |byte: &u8| *byte == b' ' || b"\xc2\xa0".contains(byte);
        let opened = self.rest().get(opening.len()..)?;
        let blanks = opened.iter().take_while(|byte| blank(byte)).count();
        let inner = opened.get(blanks..)?;
        let inner = inner.get(..inner.len().min(LONGEST))?;
        let end = closings.iter().filter_map(|closing| memchr::memmem::find(inner, closing.as_bytes())).min()?;
        let length = inner.get(..end)?.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
        let from = self.at + opening.len() + blanks;
        Some(Value::new(self.text, from..from + length, style.quoted()))
    }

    /// `Pwd={…}` between the semicolons of a connection string: a closing brace inside stands twice.
    fn braced(&self, name: &Name<'_>) -> Option<Value<'t>> {
        let inner = self.rest().strip_prefix(b"{").filter(|_| name.before.ends_with(b";"))?;
        let mut at = 0;
        loop {
            at += memchr::memchr(b'}', inner.get(at..LONGEST.min(inner.len()))?)?;
            if inner.get(at + 1) != Some(&b'}') {
                return Some(Value::new(self.text, self.at + 1..self.at + 1 + at, Style::Quoted));
            }
            at += 2;
        }
    }

    /// Four groups of four letters to the end of a line, as mail services give programs a password.
    fn grouped(&self, style: Style) -> Option<Value<'t>> {
        let group = |group: &[u8]| matches!(group, [letters @ .., b' ' | b'\r' | b'\n'] if letters.iter().all(u8::is_ascii_lowercase));
        let line = self.rest().get(..19)?;
        let ends = self.rest().get(19).is_none_or(|byte| b"\r\n".contains(byte));
        let is_grouped = line.get(..15)?.chunks(5).all(group) && line.get(15..)?.iter().all(u8::is_ascii_lowercase);
        (ends && is_grouped).then(|| Value::new(self.text, self.at..self.at + 19, style.quoted()))
    }

    fn bare(&self, style: Style) -> Option<Value<'t>> {
        let mut depth = 0_i32;
        let rest = self.rest();
        let window = rest.get(..rest.len().min(LONGEST)).unwrap_or_default();
        // `密码是…，请`, `パスワードは…です`: what goes on without a blank in another script is the sentence.
        let other_script = window
            .first()
            .filter(|byte| byte.is_ascii_graphic())
            .and_then(|_| window.iter().position(|byte| (0xe3..=0xed).contains(byte) || *byte == 0xef));
        let window = window.get(..other_script.unwrap_or(window.len())).unwrap_or_default();
        let mut at = 0;
        // Most bytes are plain, and are passed over without a closer look.
        while let Some(plain) = window.get(at..).and_then(|rest| rest.iter().position(|byte| is_special(*byte))) {
            at += plain;
            let Some(byte) = window.get(at) else { break };
            depth += i32::from(b"([{".contains(byte)) - i32::from(b")]}".contains(byte));
            // A value in angle brackets is a placeholder, and needs both of them to be seen as one.
            let angle = *byte == b'<' && at == 0 || *byte == b'>' && rest.first() == Some(&b'<');
            let ends = byte.is_ascii_whitespace() || byte.is_ascii_control() || b",;\"'`<>|".contains(byte);
            let next = *byte == b'&' && begins_pair(rest.get(at + 1..).unwrap_or_default());
            let escape = *byte == b'\\' && rest.get(at + 1).is_none_or(|next| b"\"'\\/bfnrtu \n".contains(next));
            if ends && !angle || depth < 0 || escape || next {
                return Some(Value::new(self.text, self.at..self.at + at, style));
            }
            at += 1;
        }
        Some(Value::new(self.text, self.at..self.at + window.len(), style))
    }
}

/// Whether a byte may end a value, or says how deep it is in brackets.
fn is_special(byte: u8) -> bool {
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut byte = 0;
        while byte < 256 {
            #[allow(clippy::indexing_slicing)]
            {
                table[byte] = byte <= 0x20
                    || matches!(
                        byte as u8,
                        b',' | b';'
                            | b'"'
                            | b'\''
                            | b'`'
                            | b'<'
                            | b'>'
                            | b'|'
                            | b'&'
                            | b'\\'
                            | b'('
                            | b')'
                            | b'['
                            | b']'
                            | b'{'
                            | b'}'
                            | 0x7f
                    ) && byte < 0x80;
            }
            byte += 1;
        }
        table
    };
    TABLE.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Whether what follows an `&` is the next pair of a query, or the next command.
fn begins_pair(rest: &[u8]) -> bool {
    let name = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_.-[]%".contains(byte)).count();
    rest.first().is_none_or(|byte| byte.is_ascii_whitespace() || *byte == b'&')
        || rest.starts_with(b"amp;")
        || name > 0 && rest.get(name) == Some(&b'=')
}

/// How long a literal is that ends with these quotes on its line.
fn literal(text: &[u8], quotes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < LONGEST {
        let rest = text.get(at..)?;
        // In YAML, SQL and shells a quote inside stands twice.
        let is_double =
            at > 0 && matches!(rest, [b'\'', b'\'', next, ..] if next.is_ascii_alphanumeric() || *next == b' ');
        if quotes == b"'" && is_double {
            at += 2;
            continue;
        }
        if rest.starts_with(quotes) {
            return Some(at);
        }
        at += match rest {
            [b'\\', _, ..] => 2,
            [b'\n', ..] if quotes.len() == 1 => return None,
            [_, ..] => 1,
            [] => return None,
        };
    }
    None
}
