//! Reads what stands between a name and its value, and how that is given.

use super::name::Name;
use super::value::{Style, Value};

/// The longest value, in bytes.
pub(super) const LONGEST: usize = 512;

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

pub(super) struct Reader<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
}

impl<'t> Reader<'t> {
    pub(super) fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn take(&mut self, prefix: &[u8]) -> bool {
        let is_there = self.rest().starts_with(prefix);
        self.at += if is_there { prefix.len() } else { 0 };
        is_there
    }

    /// Skips bytes, at most 40.
    pub(super) fn skip(&mut self, is: impl Fn(&u8) -> bool) -> usize {
        let count = self.rest().iter().take(40).take_while(|byte| is(byte)).count();
        self.at += count;
        count
    }

    /// Blanks, also where a line of a command goes on in the next.
    pub(super) fn blanks(&mut self) -> usize {
        let count = self.skip(|byte| b" \t".contains(byte));
        if self.take(b"\\\n") || self.take(b"\\\r\n") {
            count + 2 + self.skip(|byte| b" \t".contains(byte))
        } else {
            count
        }
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
                // A variable of the environment is given one, as `name=value` would.
                let is_given = self.named_value() && name.is_upper();
                self.skip(u8::is_ascii_whitespace);
                return Some(if is_given { Style::Colon } else { Style::Argument });
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
        if blanks > 0 && !closed && self.aside() {
            return self.says_is().then_some(Style::Is);
        }
        if blanks > 0 && !closed && self.says_more() {
            return Some(Style::Said);
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

    /// `(don't laugh) `: what somebody says beside it.
    fn aside(&mut self) -> bool {
        const MOST: usize = 40;
        let Some(inner) = self.rest().strip_prefix(b"(") else { return false };
        let length = inner.iter().take(MOST).take_while(|byte| !b"()\n\"".contains(byte)).count();
        let is_aside = inner.get(length..).is_some_and(|behind| behind.starts_with(b") "));
        self.at += if is_aside { length + 3 } else { 0 };
        is_aside
    }

    /// `to use from now on: `: a few words of a sentence, and then what.
    fn says_more(&mut self) -> bool {
        const MOST: usize = 40;
        let is_of_words = |byte: &u8| byte.is_ascii_lowercase() || *byte == b' ' || *byte >= 0x80;
        let length = self.rest().iter().take(MOST).take_while(|byte| is_of_words(byte)).count();
        let words = self.rest().get(..length).unwrap_or_default().split(|byte| *byte == b' ').count();
        let says = length > 0 && words <= 4 && self.rest().get(length..).is_some_and(|rest| rest.starts_with(b": "));
        self.at += if says { length + 2 } else { 0 };
        says
    }

    /// `value=`, `"value":`, `Value = `.
    pub(super) fn named_value(&mut self) -> bool {
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
        // Nothing behind it on the line: the padding of base64, and what was taken for a type is the value.
        let behind = assigned.get(1..).unwrap_or_default().iter().find(|byte| !b" \t".contains(byte));
        let pads = behind.is_none_or(|byte| b"\r\n#,;}\\".contains(byte));
        let other = pads || assigned.starts_with(b"==") || assigned.starts_with(b"=>");
        if length == 0 || !assigned.starts_with(b"=") || other {
            self.at = from;
        }
    }

    fn operator(&mut self, before: usize, closed: bool) -> Option<Style> {
        const OPERATORS: &[&[u8]] = &[
            b"===", b"!==", b"||=", b"??=", b"&&=", b"//=", b"==", b"!=", b":=", b":-", b"=>", b"->", b"?=", b"+=",
            b"=", b":",
        ];
        // `${PASSWORD:?must be set}`: what a shell says where there is none.
        if [&b"::"[..], b":?", b":+"].iter().any(|other| self.rest().starts_with(other)) {
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
            b":" | b":-" => Style::Colon,
            b"=" if before == 0 && after == 0 => Style::Tight,
            _ => Style::Spaced,
        })
    }
}
