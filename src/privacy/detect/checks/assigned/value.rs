//! Judges what is assigned to a name.

use std::ops::Range;

use super::name::Name;
use super::words::{is_path, is_pattern, is_stop_word, repeats_name};
use super::{entropy, placeholder};
use crate::privacy::detect::checks::lower;

/// How a value is given.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// In quotes, whatever stands before.
    Quoted,
    /// In quotes, after nothing but a comma, a bracket or blanks.
    QuotedArgument,
    /// The same without quotes.
    Argument,
    /// `name=value`
    Tight,
    /// `name = value`
    Spaced,
    /// `name: value`
    Colon,
    /// `name:value`
    Joined,
    /// `--name value`
    Flag,
    /// `the name is value`
    Is,
    /// `the name value`
    Beside,
    /// `the name of whatever: value`
    Said,
}

impl Style {
    pub(super) fn quoted(self) -> Self {
        if self == Self::Argument { Self::QuotedArgument } else { Self::Quoted }
    }
}

/// What is assigned.
pub(super) struct Value<'t> {
    pub(super) range: Range<usize>,
    pub(super) style: Style,
    bytes: &'t [u8],
    after: &'t [u8],
}

impl<'t> Value<'t> {
    pub(super) fn new(text: &'t [u8], range: Range<usize>, style: Style) -> Self {
        let mut range = range;
        if style != Style::Quoted && style != Style::QuotedArgument {
            // What ends a sentence is not of the value.
            while text.get(range.clone()).is_some_and(|value| matches!(value, [_, .., b'.' | b':' | b'*'])) {
                range.end -= 1;
            }
        }
        let bytes = text.get(range.clone()).unwrap_or_default();
        let after = text.get(range.end..).unwrap_or_default();
        Self { range, style, bytes, after }
    }

    /// The same without the host of a URL: `token:value@host`.
    pub(super) fn before_host(mut self) -> Self {
        if let Some(at) = memchr::memchr(b'@', self.bytes).filter(|_| self.style != Style::Quoted) {
            self.range.end = self.range.start + at;
            self.bytes = self.bytes.get(..at).unwrap_or_default();
        }
        self
    }

    fn has(&self, is: impl Fn(&u8) -> bool) -> bool {
        self.bytes.iter().any(is)
    }

    fn is_word(&self) -> bool {
        self.bytes.iter().all(|byte| byte.is_ascii_alphabetic() || b"_-!?".contains(byte) || *byte >= 0x80)
    }

    /// Two characters or more of scripts that put no blanks between words: a sentence, not a password.
    fn is_in_words_without_blanks(&self) -> bool {
        self.bytes.iter().filter(|byte| (0xe3..=0xed).contains(*byte)).count() >= 2
    }

    /// Whether nothing more stands on its line.
    fn ends_line(&self) -> bool {
        let rest = self.after.iter().find(|byte| !b" \t.,;\"'\\)}]*|`".contains(byte));
        rest.is_none_or(|byte| b"\r\n#".contains(byte))
    }

    /// `Larch{44}z`: behind what closes, code goes on with a mark, a template with what it named in it.
    fn goes_on_behind_number(&self) -> bool {
        let closes = |pair: &[u8]| matches!(pair, [b')' | b']' | b'}', next] if next.is_ascii_alphanumeric());
        let inner = self.bytes.split(|byte| b"([{".contains(byte)).skip(1);
        self.bytes.windows(2).any(closes) && inner.clone().all(|part| part.first().is_some_and(u8::is_ascii_digit))
    }

    /// `Sundew.62`, `maple.Syrup.6`: members have names; numbers are those of tuples alone, whose names have no capitals.
    fn has_number_for_member(&self) -> bool {
        let begins_with_digit = |part: &[u8]| part.first().is_some_and(u8::is_ascii_digit);
        let is_tuple = !self.has(u8::is_ascii_uppercase);
        let mut parts = self.bytes.split(|byte| *byte == b'.').skip(1);
        parts.any(|part| begins_with_digit(part) && !(is_tuple && part.len() == 1))
    }

    /// `4096i32`, `__u32`, `int32_t`, `HpkePrivateKey`: a constant's number, or a type's name.
    fn is_number_or_type(&self) -> bool {
        let inner = self.bytes.strip_prefix(b"__").or(self.bytes.strip_prefix(b"-")).unwrap_or(self.bytes);
        let digits = inner.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let suffix = inner.get(digits..).unwrap_or_default();
        let numeric = matches!(
            suffix,
            [b'u' | b'i' | b'f', b'8']
                | [b'u' | b'i' | b'f', b'1' | b'3' | b'6', b'6' | b'2' | b'4']
                | [b'u' | b'i', b's', b'i', b'z', b'e']
                | [b'u' | b'U', b'l' | b'L', ..]
                | [b'L' | b'l' | b'U']
        );
        let named = self.bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_&.".contains(byte))
            && [&b"_t"[..], b"Key", b"Token", b"Secret", b"Password", b"Credentials"]
                .iter()
                .any(|ending| self.bytes.ends_with(ending));
        numeric || named
    }

    /// `!vault |`: says in YAML what the value below is.
    fn is_tag(&self) -> bool {
        matches!(self.bytes, [b'!', name @ ..] if name.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-'))
            && matches!(self.after, [b' ', b'|' | b'>', ..])
    }

    /// The same where the name says that it cannot be code: what an option is given is text, but for a shell's variables.
    fn is_expression_under(&self, name: &Name<'_>) -> bool {
        let is_dotted = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
        let is_argument = name.is_flag() && self.bytes.iter().all(is_dotted);
        // `.env` and its like have a line for each pair, and nothing to look up a member in; neither has prose.
        let has = |is: fn(&u8) -> bool| self.has(is);
        let mixed = has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit);
        let ends = self.after.first().is_none_or(|byte| b"\r\n".contains(byte));
        let is_setting = self.style == Style::Tight && name.leads_line() && ends;
        let is_prose = matches!(self.style, Style::Is | Style::Said | Style::Beside);
        let is_text = (is_setting || is_prose) && mixed && self.bytes.iter().all(is_dotted);
        !is_argument && !is_text && self.is_expression()
    }

    /// `self.password`, `getpass()`, `config["x"]`, `Option<String>`: something that names or makes a value.
    fn is_expression(&self) -> bool {
        let calls = self.has(|byte| b"()[]{}".contains(byte))
            && !self.goes_on_behind_number()
            && self.bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_$&*!([{#:".contains(byte));
        let path = self.bytes.split(|byte| b".".contains(byte) || *byte == b':' || *byte == b'>').count() > 1
            && self.bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_.:->?$!".contains(byte))
            && self.bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || b"_$".contains(byte))
            && !self.has_number_for_member()
            && self
                .bytes
                .split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
                .all(|part| !entropy::is_random(part));
        let generic = self.bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            && self.after.first().is_some_and(|byte| b"<([".contains(byte));
        let variable = matches!(self.bytes, [b'$', first, rest @ ..] if (first.is_ascii_alphabetic() || *first == b'_') && rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_->:".contains(byte)));
        calls
            || path
            || generic
            || variable
            || self.is_tag()
            || matches!(self.bytes, [b':', rest @ ..] if rest.contains(&b':'))
            || self.is_number_or_type()
    }
}

/// Whether a value that a password's name is given can be a password.
pub(super) fn is_password(name: &Name<'_>, value: &Value<'_>) -> bool {
    let bytes = value.bytes;
    let quoted = matches!(value.style, Style::Quoted | Style::QuotedArgument);
    let digits = value.has(u8::is_ascii_digit);
    let letters = value.has(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    let marks = value.has(|byte| byte.is_ascii_punctuation() && !b"_-.".contains(byte));
    if bytes.len() < 3
        || placeholder::is_placeholder(bytes)
        || is_path(bytes)
        || is_pattern(bytes)
        || is_stop_word(bytes)
    {
        return false;
    }
    if bytes.iter().any(u8::is_ascii_whitespace) {
        let words = bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).count();
        let phrase = name.is_phrase() && (3..=24).contains(&words);
        if name.is_phrase() && !quoted {
            // To the end of a line: words that were drawn, not a sentence.
            let drawn = |word: &[u8]| word.iter().all(u8::is_ascii_alphanumeric) && !is_stop_word(word);
            let mut all = bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            // Those of a wallet are of 2048 short words (BIP 39), some of which stand in sentences too.
            let listed = |word: &[u8]| (3..=8).contains(&word.len()) && word.iter().all(u8::is_ascii_lowercase);
            let of_wallet = matches!(words, 12 | 15 | 18 | 21 | 24) && all.clone().all(listed);
            let least = if value.style == Style::Tight && name.leads_line() { 3 } else { 4 };
            return of_wallet || (least..=24).contains(&words) && all.all(drawn);
        }
        let plain = (3..=8).contains(&words)
            && bytes
                .split(u8::is_ascii_whitespace)
                .all(|word| word.iter().all(u8::is_ascii_lowercase) && !is_stop_word(word));
        return quoted
            && (phrase
                || plain && !repeats_name(bytes)
                || words <= 3
                    && digits
                    && letters
                    && !bytes.ends_with(b".")
                    && !bytes.ends_with(b":")
                    && !repeats_name(bytes));
    }
    if !quoted && (value.is_expression_under(name) || value.is_in_words_without_blanks()) {
        return false;
    }
    let strong = digits && (letters || marks || bytes.len() >= 4) || marks && letters && bytes.len() >= 5;
    let is_mixed = digits && value.has(u8::is_ascii_uppercase) && value.has(u8::is_ascii_lowercase);
    let upper = bytes.iter().all(|byte| byte.is_ascii_uppercase() || b"_-".contains(byte));
    match value.style {
        // In a list of names, or beside a word in prose.
        Style::QuotedArgument => {
            let is_one_case =
                |case: fn(&u8) -> bool| bytes.iter().all(|byte| case(byte) || byte.is_ascii_digit() || *byte == b'_');
            let is_name =
                bytes.contains(&b'_') && (is_one_case(u8::is_ascii_lowercase) || is_one_case(u8::is_ascii_uppercase));
            // Words of forms and translations have no such marks.
            let odd = value.has(|byte| b"!#$%^*~".contains(byte))
                && bytes.len() >= 8
                && bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%^*~&+=_-.".contains(byte))
                && !matches!(bytes, [.., b'!' | b'*']);
            letters && (digits && bytes.len() >= 4 || odd) && !is_name
        }
        // Forms, translations and names of fields repeat the name; a password does with digits.
        Style::Quoted if bytes.iter().all(|byte| byte.is_ascii_alphabetic() || b":!?.*".contains(byte)) => {
            !repeats_name(bytes) && (marks || bytes.len() >= 4)
        }
        Style::Quoted => strong || !repeats_name(bytes) && bytes.len() >= 4 && !(upper && bytes.contains(&b'_')),
        Style::Argument => false,
        Style::Tight if strong => true,
        Style::Tight => {
            let form = name.before.ends_with(b"?")
                || name.before.ends_with(b"&")
                || name.before.ends_with(b";")
                || name.line.is_empty();
            let plain = name.is_upper() || form || name.is_flag() || name.leads_line();
            value.is_word() && !repeats_name(bytes) && plain && bytes.len() >= 4 && !upper
        }
        Style::Spaced => strong && (letters || marks) && !repeats_name(bytes) && bytes.len() >= 4,
        Style::Joined => strong && (marks || !repeats_name(bytes)),
        Style::Colon if strong => bytes.len() >= 4,
        Style::Colon => {
            value.is_word()
                && !repeats_name(bytes)
                && name.leads_line()
                && value.ends_line()
                && bytes.len() >= 5
                && !upper
                && bytes.iter().all(|byte| !b"!?".contains(byte))
        }
        Style::Flag if strong => bytes.len() >= 4 && !bytes.starts_with(b"-"),
        Style::Flag => {
            value.is_word() && !upper && !repeats_name(bytes) && bytes.len() >= 5 && !bytes.starts_with(b"-")
        }
        Style::Said => is_mixed && bytes.len() >= 8 && !bytes.contains(&b':'),
        Style::Beside => {
            let count = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
            let odd = value.has(|byte| b"!#$%&*^+=~".contains(byte));
            (name.follows_account() || name.is_compound() || name.before.ends_with(b"("))
                && letters
                && (count >= 2 && bytes.len() >= 6 || odd && bytes.len() >= 7 || is_mixed && bytes.len() >= 8)
        }
        Style::Is => {
            digits && (letters || marks) && bytes.len() >= 5
                || marks && letters && bytes.len() >= 7 && !bytes.contains(&b'/')
        }
    }
}

/// Whether a value that a key's or token's name is given looks like one.
pub(super) fn is_secret(name: &Name<'_>, value: &Value<'_>) -> bool {
    let bytes = value.bytes;
    let quoted = matches!(value.style, Style::Quoted | Style::QuotedArgument);
    // Beside its name, as an argument of a command or in prose, only what is long and of all kinds is one.
    let kinds = [u8::is_ascii_uppercase, u8::is_ascii_lowercase, u8::is_ascii_digit];
    let hex = bytes.len() >= 32 && bytes.iter().all(u8::is_ascii_hexdigit);
    let beside = matches!(value.style, Style::Beside | Style::Said)
        && (hex || bytes.len() >= 20 && kinds.iter().all(|kind| value.has(kind)));
    let unlike = bytes.len() < 12
        || value.style == Style::Argument
        || matches!(value.style, Style::Beside | Style::Said) && !beside
        || bytes.iter().any(|byte| byte.is_ascii_whitespace() || !byte.is_ascii_graphic());
    // A pattern or an alphabet, whatever it is named.
    let is_pattern = lower(name.whole).ends_with(b"_pat") && value.has(|byte| b"[](){}\\".contains(byte));
    if is_pattern || memchr::memmem::find(bytes, b"ABCDEFGHIJKLMNOPQRSTUVWXYZ").is_some() {
        return false;
    }
    // `a=b=c`: names again. Only padding ends a key with it.
    let names = bytes.iter().rposition(|byte| *byte != b'=').and_then(|last| bytes.get(..last));
    if unlike || names.is_some_and(|names| names.contains(&b'=')) {
        return false;
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    if matches!(value.style, Style::Colon | Style::Joined) && name.before.ends_with(b":") {
        // `arn:aws:secretsmanager:…:secret:name`
        return false;
    }
    // `mysupersecret2024`: somebody's own, where the name says that it is no other thing's token.
    let lower = lower(name.whole);
    let kept = lower.ends_with(b"secret") || lower.ends_with(b"key");
    let chosen = kept && digits >= 2 && bytes.iter().all(u8::is_ascii_alphanumeric) && value.style != Style::Is;
    // `grumpy-badger-77`: the same where the name says what for. A name of what holds it repeats the word.
    let worded = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let made_up =
        || digits >= 1 && value.style != Style::Is && bytes.iter().all(worded) && name.signs() && !repeats_name(bytes);
    let drawn = digits < bytes.len()
        && (chosen || entropy::is_random(bytes) || made_up())
        && !(value.style == Style::Is && digits < 2);
    // What costs most comes last.
    drawn && !placeholder::is_placeholder(bytes) && !is_path(bytes) && (quoted || !value.is_expression())
}
