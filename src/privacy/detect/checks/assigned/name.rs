//! The name that something is assigned to, and what it says about itself.

use std::ops::Range;

use crate::privacy::detect::mark;

/// A name with a secret's word in it.
pub(super) struct Name<'t> {
    /// All of it: `spring.datasource.password`.
    pub(super) whole: &'t [u8],
    /// Where it ends.
    pub(super) end: usize,
    /// What stands right before it.
    pub(super) before: &'t [u8],
    /// What stands before it on its line.
    pub(super) line: &'t [u8],
}

/// What may follow a secret's word in a name, in lower case: what else follows makes it the name of something else.
const ENDINGS: &[&[u8]] = &[
    b"",
    b"confirm",
    b"confirmation",
    b"again",
    b"repeat",
    b"old",
    b"new",
    b"current",
    b"prod",
    b"production",
    b"dev",
    b"development",
    b"test",
    b"staging",
    b"stage",
    b"live",
    b"sandbox",
    b"value",
    b"plain",
    b"plaintext",
    b"text",
    b"string",
    b"str",
    b"base",
    b"env",
    b"main",
    b"primary",
    b"secondary",
    b"default",
    b"admin",
    b"root",
    b"user",
    b"db",
    b"a",
    b"b",
    b"key",
    b"rw",
    b"ro",
    b"us",
    b"eu",
];

/// Words before a token's that make it a token of something else, in lower case.
const NO_SECRET: &[&[u8]] = &[
    b"page",
    b"next",
    b"continuation",
    b"cursor",
    b"sync",
    b"cancel",
    b"cancellation",
    b"pad",
    b"eos",
    b"bos",
    b"unk",
    b"mask",
    b"sep",
    b"cls",
    b"max",
    b"min",
    b"num",
    b"total",
    b"prompt",
    b"completion",
    b"input",
    b"output",
    b"stop",
    b"start",
    b"end",
    b"syntax",
    b"special",
    b"public",
    b"device",
    b"design",
    b"stopping",
    b"first",
    b"last",
    b"resume",
    b"pagination",
    b"scroll",
    b"lock",
    b"fencing",
    b"change",
    b"delta",
    b"image",
];

impl<'t> Name<'t> {
    /// The name around a word that a pattern found, if what follows the word still is of it.
    pub(super) fn around(text: &'t [u8], word: Range<usize>) -> Option<Self> {
        const MOST: usize = 80;
        let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
        let lead = text.get(word.start.saturating_sub(MOST)..word.start)?;
        let start = word.start - lead.iter().rev().take_while(|byte| is_name(byte)).count();
        let behind = text.get(word.end..)?;
        let length =
            behind.iter().take(MOST).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count();
        let ending = behind.get(..length)?;
        if text.get(..start)?.ends_with(mark::OPENING.as_bytes()) {
            // The name of a rule, in what stands for a hit.
            return None;
        }
        // `--password-` is no name, and neither is a word that goes on without a break or a capital.
        let word_text = text.get(word.clone())?;
        let short = word_text.iter().filter(|byte| byte.is_ascii_alphabetic()).count() <= 5;
        let glued = word_text.first().is_some_and(u8::is_ascii_alphabetic)
            && word.start > start
            && text.get(word.start - 1).is_some_and(u8::is_ascii_alphabetic);
        let first_is_lower = word_text.first().is_some_and(u8::is_ascii_lowercase);
        if short && glued && (first_is_lower || text.get(word.start - 1).is_some_and(u8::is_ascii_uppercase)) {
            return None;
        }
        let whole = text.get(start..word.end + length)?;
        let leading = text.get(start..word.start)?;
        let line_start = lead
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(word.start.saturating_sub(MOST), |at| word.start - lead.len() + at + 1);
        let before = text.get(start.saturating_sub(4)..start)?;
        let line = text.get(line_start.min(start)..start)?;
        (is_ending(ending) && !is_of_something_else(leading)).then_some(Self {
            whole,
            end: word.end + length,
            before,
            line,
        })
    }

    /// `DB_PASSWORD`, as environment variables are written.
    pub(super) fn is_upper(&self) -> bool {
        self.whole.iter().any(u8::is_ascii_uppercase) && !self.whole.iter().any(u8::is_ascii_lowercase)
    }

    /// `--password`, `-Password`, `/password:`.
    pub(super) fn is_flag(&self) -> bool {
        self.whole.starts_with(b"-")
    }

    /// `passphrase`, `seed phrase`: words, not one.
    pub(super) fn is_phrase(&self) -> bool {
        let lower = self.whole.to_ascii_lowercase();
        lower.ends_with(b"phrase") || lower.ends_with(b"mnemonic")
    }

    /// Whether its line speaks of somebody's account before it: `user ada and password …`, `my password …`.
    pub(super) fn follows_account(&self) -> bool {
        const WORDS: &[&str] = &[
            "user",
            "login",
            "log in",
            "account",
            "mail",
            "my ",
            "with ",
            "using ",
            "usuario",
            "benutzer",
            "utilisateur",
            "мой",
            "логин",
        ];
        let lower = self.line.to_ascii_lowercase();
        WORDS.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
    }

    /// Whether it is the first on its line, after marks of lists, comments, quotes, diffs and `export`.
    pub(super) fn leads_line(&self) -> bool {
        let mut line = self.line;
        while let [first, rest @ ..] = line {
            let word: &[&[u8]] = &[b"export ", b"set ", b"ENV ", b"ARG ", b"env ", b"setx "];
            line = match word.iter().find_map(|word| line.strip_prefix(*word)) {
                Some(rest) => rest,
                None if first.is_ascii_whitespace() || b"-*#>+|\"'`$/:".contains(first) => rest,
                None => return false,
            };
        }
        true
    }
}

fn is_ending(ending: &[u8]) -> bool {
    let lower = ending.to_ascii_lowercase();
    let mut parts = lower.split(|byte| b"_-".contains(byte));
    let mut rest = parts.clone();
    let first = rest.next().unwrap_or_default();
    // `passwords` is none, `password1` is, and so is `passwordConfirm`, in that case alone.
    let camel =
        ending.first().is_some_and(u8::is_ascii_uppercase) || first.is_empty() || first.iter().all(u8::is_ascii_digit);
    camel && parts.all(|part| ENDINGS.contains(&part) || part.iter().all(u8::is_ascii_digit))
}

fn is_of_something_else(leading: &[u8]) -> bool {
    let lower = leading.to_ascii_lowercase();
    let lower = lower.strip_suffix(b"_").or(lower.strip_suffix(b"-")).unwrap_or(&lower);
    NO_SECRET.iter().any(|word| {
        lower.strip_suffix(*word).is_some_and(|rest| {
            let at = rest.len();
            // A word of its own: `next_`, `nextPage`, not `context`.
            rest.last().is_none_or(|byte| !byte.is_ascii_lowercase())
                || leading.get(at).is_some_and(u8::is_ascii_uppercase)
                || NO_SECRET.iter().any(|other| rest.ends_with(other))
        })
    })
}
