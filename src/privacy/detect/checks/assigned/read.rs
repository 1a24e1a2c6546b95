//! Reads what is assigned to a name.

use super::name::Name;
use super::value::{Style, Value};

/// The longest value, in bytes.
const LONGEST: usize = 512;

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

/// The value after a name, and how it is given.
pub(super) fn value<'t>(text: &'t [u8], name: &Name<'_>) -> Option<Value<'t>> {
    let mut reader = Reader { text, at: name.end };
    if name.before.ends_with(b"<") || name.before.ends_with(b"</") {
        return reader.element();
    }
    let closed = reader.closers();
    if closed && reader.rest().starts_with(b">") {
        // `<property name="password">value</property>`
        return reader.element();
    }
    let style = reader.separator(name, closed)?;
    reader.given(name, style)
}

struct Reader<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, prefix: &[u8]) -> bool {
        let is_there = self.rest().starts_with(prefix);
        self.at += if is_there { prefix.len() } else { 0 };
        is_there
    }

    /// Skips bytes, at most 40.
    fn skip(&mut self, is: impl Fn(&u8) -> bool) -> usize {
        let count = self.rest().iter().take(40).take_while(|byte| is(byte)).count();
        self.at += count;
        count
    }

    /// Blanks, also where a line of a command goes on in the next.
    fn blanks(&mut self) -> usize {
        let count = self.skip(|byte| b" \t".contains(byte));
        if self.take(b"\\\n") || self.take(b"\\\r\n") {
            count + 2 + self.skip(|byte| b" \t".contains(byte))
        } else {
            count
        }
    }

    /// `<password>value</password>`, also with attributes.
    fn element(&mut self) -> Option<Value<'t>> {
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

    /// What closes a name: quotes, brackets, marks of bold text. Answers whether there was a quote.
    fn closers(&mut self) -> bool {
        let from = self.at;
        if self.rest().starts_with(b"'s ") {
            // `the password's …`
            return false;
        }
        self.skip(|byte| b"\"'`])}*".contains(byte));
        if let [b'[', size @ ..] = self.rest() {
            // `char password[64] = "…"`
            let digits = size.iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
            self.at += if size.get(digits) == Some(&b']') { digits + 2 } else { 0 };
        }
        self.text.get(from..self.at).is_some_and(|closers| closers.iter().any(|byte| b"\"'`".contains(byte)))
    }

    fn separator(&mut self, name: &Name<'_>, closed: bool) -> Option<Style> {
        let blanks = self.blanks();
        let line = self.rest();
        let is_command = [&b"setx "[..], b"ENV ", b"SET "].iter().any(|word| name.line.ends_with(word));
        if blanks > 0 && is_command && name.is_upper() && !line.starts_with(b"=") {
            return Some(Style::Flag);
        }
        if name.is_flag() && blanks > 0 && !line.starts_with(b"=") && !line.starts_with(b":") {
            return Some(Style::Flag);
        }
        if self.take("：".as_bytes()) || self.take("＝".as_bytes()) {
            self.blanks();
            return Some(Style::Colon);
        }
        match line {
            [b'(' | b'{', b'"' | b'\'' | b'`', ..] if !closed => {
                self.at += 1;
                return Some(Style::Argument);
            }
            [b',', ..] if closed => {
                self.at += 1;
                self.named_value();
                self.skip(u8::is_ascii_whitespace);
                return Some(Style::Argument);
            }
            [b'|', next, ..] if *next != b'|' && (blanks > 0 || closed) => {
                self.at += 1;
                self.blanks();
                return Some(Style::Colon);
            }
            [b'"' | b'\'', ..] if blanks > 0 && !closed => return Some(Style::Argument),
            [b'<', b'<', b'<', ..] => {
                self.at += 3;
                self.blanks();
                return Some(Style::Spaced);
            }
            [b'\n' | b'\r', ..] => {
                // `- name: DB_PASSWORD`, and `value: …` on the line below.
                self.skip(u8::is_ascii_whitespace);
                return self.named_value().then_some(Style::Colon);
            }
            _ => {}
        }
        if blanks == 0 && !closed && self.says_is_at_once() {
            return Some(Style::Is);
        }
        if closed && blanks > 0 && self.named_value() {
            return Some(Style::Colon);
        }
        let is_table = self.text.get(self.at - blanks..self.at).is_some_and(|between| between.contains(&b'\t'));
        let is_value = line.first().is_some_and(u8::is_ascii_alphanumeric);
        if is_table && is_value
            || blanks > 0 && !(name.is_verb() && line.starts_with(b"to ")) && (self.says_is() || self.says_whose())
        {
            return Some(Style::Is);
        }
        self.annotation(blanks);
        if blanks > 0 && !closed && line.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80) {
            let from = self.at;
            return self.operator(blanks, closed).or_else(|| {
                self.at = from;
                Some(Style::Beside)
            });
        }
        self.operator(blanks, closed)
    }

    /// `'s ` and what other languages have without a blank before it.
    fn says_is_at_once(&mut self) -> bool {
        const IS: &[&str] = &["'s ", "\u{2019}s ", "是", "为", "為", "は", "는 ", "은 "];
        let said = IS.iter().any(|word| self.take(word.as_bytes()));
        self.blanks();
        said
    }

    /// `for the archive is `, `at home: `: whose it is, and then what.
    fn says_whose(&mut self) -> bool {
        const WHOSE: &[&str] = &[
            "for ", "of ", "at ", "on ", "in ", "to the ", "für ", "fürs ", "zum ", "zur ", "vom ", "para ", "pour ",
            "del ", "de ", "du ", "da ", "do ", "di ", "della ", "per ", "van ", "voor ", "til ", "till ", "dla ",
            "для ", "от ",
        ];
        const MOST: usize = 48;
        if !WHOSE.iter().any(|word| self.rest().starts_with(word.as_bytes())) {
            return false;
        }
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b" -_.'@/".contains(byte) || *byte >= 0x80;
        let length = self.rest().iter().take(MOST).take_while(|byte| is_name(byte)).count();
        let whose = self.rest().get(..length).unwrap_or_default();
        let said =
            [" is ", " ist ", " lautet ", " es ", " est ", " è ", " é ", " jest ", " er ", " är ", " is: ", " - "]
                .iter()
                .map(|word| word.as_bytes())
                .find_map(|word| memchr::memmem::find(whose, word).map(|at| at + word.len()));
        let behind = self.rest().get(length..).unwrap_or_default();
        let Some(length) = said.or_else(|| behind.starts_with(b": ").then_some(length + 2)) else { return false };
        self.at += length;
        self.blanks();
        true
    }

    /// `value=`, `"value":`, `Value = `.
    fn named_value(&mut self) -> bool {
        let from = self.at;
        self.skip(|byte| byte.is_ascii_whitespace() || b"\"'".contains(byte));
        let is_value = self.rest().get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"value"));
        if is_value {
            self.at += 5;
            self.skip(|byte| b"\"'".contains(byte));
            self.blanks();
            if self.take(b":") || self.take(b"=") {
                self.blanks();
                return true;
            }
        }
        self.at = from;
        false
    }

    /// `is`, `was` and the like, in some languages.
    fn says_is(&mut self) -> bool {
        const IS: &[&str] = &[
            "is: ",
            "is ",
            "was ",
            "are ",
            "ist ",
            "lautet ",
            "lautet: ",
            "es ",
            "es: ",
            "est ",
            "est : ",
            "è ",
            "é ",
            "to ",
            "from ",
            "from [redacted:password] to ",
            "jest ",
            "é: ",
            "это ",
            "это: ",
            "- это ",
            "— это ",
            "är ",
            "er ",
            "on ",
            "= ",
            "is set to ",
            "set to ",
            "должен ",
        ];
        // Longest first, so that `is: ` is not `is`.
        let word = IS.iter().filter(|word| self.rest().starts_with(word.as_bytes())).max_by_key(|word| word.len());
        let Some(word) = word.filter(|word| **word != "= ") else { return false };
        self.at += word.len();
        self.blanks();
        true
    }

    /// `: string` in `password: string = "…"`, and `string` in `password string = "…"`.
    fn annotation(&mut self, before: usize) {
        let from = self.at;
        if !self.take(b":") && before == 0 {
            return;
        }
        self.blanks();
        let length = self.skip(|byte| byte.is_ascii_alphanumeric() || b"_&<>[]*.?'".contains(byte));
        self.blanks();
        let assigned = self.rest();
        if length == 0 || !assigned.starts_with(b"=") || assigned.starts_with(b"==") || assigned.starts_with(b"=>") {
            self.at = from;
        }
    }

    fn operator(&mut self, before: usize, closed: bool) -> Option<Style> {
        const OPERATORS: &[&[u8]] = &[
            b"===", b"!==", b"||=", b"??=", b"&&=", b"//=", b"==", b"!=", b":=", b"=>", b"->", b"?=", b"+=", b"=", b":",
        ];
        if self.rest().starts_with(b"::") {
            return None;
        }
        let operator = OPERATORS.iter().find(|operator| self.rest().starts_with(operator))?;
        self.at += operator.len();
        let mut after = self.blanks();
        if **operator == *b":" || **operator == *b"=" || **operator == *b"=>" {
            // A literal may stand on the next line.
            let from = self.at;
            let breaks = self.skip(u8::is_ascii_whitespace);
            match self.rest().first() {
                Some(b'"' | b'\'') if breaks > 0 => after += breaks,
                _ => self.at = from,
            }
            // Marks of bold text and of code around a value in Markdown.
            self.skip(|byte| *byte == b'*');
            after += self.blanks();
        }
        Some(match *operator {
            b":" if before == 0 && after == 0 && !closed => Style::Joined,
            b":" => Style::Colon,
            b"=" if before == 0 && after == 0 => Style::Tight,
            _ => Style::Spaced,
        })
    }

    /// Several words to the end of their line.
    fn line(&self, style: Style) -> Option<Value<'t>> {
        let line = self.rest().iter().take(LONGEST).take_while(|byte| !b"\r\n\"'<>".contains(byte)).count();
        let line = self.rest().get(..line)?.trim_ascii_end();
        line.iter().any(u8::is_ascii_whitespace).then(|| Value::new(self.text, self.at..self.at + line.len(), style))
    }

    fn given(&mut self, name: &Name<'_>, style: Style) -> Option<Value<'t>> {
        if let Some(wrapper) = WRAPPERS.iter().find(|wrapper| self.rest().starts_with(wrapper)) {
            self.at += wrapper.len();
        }
        self.lead(style);
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
        let triple = quote.repeat(3);
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
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control() || b",;\"'`<>|".contains(byte);
        let rest = self.rest();
        let mut length = 0;
        for (at, byte) in rest.iter().take(LONGEST).enumerate() {
            let closes = b")]}".contains(byte);
            depth += i32::from(b"([{".contains(byte)) - i32::from(closes);
            // A value in angle brackets is a placeholder, and needs both of them to be seen as one.
            let angle = *byte == b'<' && at == 0 || *byte == b'>' && rest.first() == Some(&b'<');
            let next = *byte == b'&' && begins_pair(rest.get(at + 1..).unwrap_or_default());
            let escape = *byte == b'\\' && rest.get(at + 1).is_none_or(|next| b"\"'\\/bfnrtu \n".contains(next));
            if (is_end(byte) && !angle) || depth < 0 || escape || next {
                break;
            }
            length = at + 1;
        }
        let range = self.at..self.at + length;
        Some(Value::new(self.text, range, style))
    }
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
