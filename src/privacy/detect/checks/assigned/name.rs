//! The name that something is assigned to, and what it says about itself.

use std::ops::Range;

use super::parts::{is_ending, is_of_something_else, is_one_of, is_owner, words};
use crate::privacy::detect::checks::lower;
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
        // `fs.s3a.secret.key`: a part of its own that says no other thing.
        let dotted = behind.get(length..)?.strip_prefix(b".").map_or(0, |rest| {
            let part = rest.iter().take(12).take_while(|byte| byte.is_ascii_lowercase()).count();
            let is_of_name = rest.get(..part).is_some_and(|part| part == b"key" || part == b"value");
            let ends = rest.get(part).is_none_or(|byte| b"=: \t\"'".contains(byte));
            if is_of_name && ends { part + 1 } else { 0 }
        });
        let length = length + dotted;
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
            && text.get(word.start - 1).is_some_and(u8::is_ascii_alphabetic)
            && !is_owner(text.get(start..word.start)?);
        let first_is_lower = word_text.first().is_some_and(u8::is_ascii_lowercase);
        if short && glued && (first_is_lower || text.get(word.start - 1).is_some_and(u8::is_ascii_uppercase)) {
            return None;
        }
        // `palabra clave`: a keyword.
        if word_text.eq_ignore_ascii_case(b"clave") && lower(lead).ends_with(b"palabra ") {
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

    /// `pass` alone, which is more often what is done with a thing.
    pub(super) fn is_verb(&self) -> bool {
        self.whole.eq_ignore_ascii_case(b"pass") || self.whole.ends_with(b"-pass")
    }

    /// `bindPassword`, `smtp_pass`: a setting's name, which stands in no sentence.
    pub(super) fn is_compound(&self) -> bool {
        words(self.whole).nth(1).is_some() && !self.whole.contains(&b'-')
    }

    /// `DB_PASSWORD`, as environment variables are written.
    pub(super) fn is_upper(&self) -> bool {
        self.whole.iter().any(u8::is_ascii_uppercase) && !self.whole.iter().any(u8::is_ascii_lowercase)
    }

    /// Whether what ends in `key` opens something: `ALGOLIA_ADMIN_KEY`, `writeKey`, not `primary_key`.
    ///
    /// A variable of the environment may be any service's; elsewhere keys of maps and tables are more frequent.
    pub(super) fn is_key_of_service(&self) -> bool {
        const OPENING: &[&[u8]] = &[
            b"admin",
            b"api",
            b"app",
            b"application",
            b"auth",
            b"write",
            b"server",
            b"master",
            b"root",
            b"service",
            b"sign",
            b"crypt",
            b"encrypt",
            b"decrypt",
            b"cipher",
            b"aes",
            b"hmac",
            b"jwt",
            b"ingest",
            b"ingestion",
            b"integration",
            b"merchant",
            b"live",
            b"webhook",
            b"management",
            b"developer",
            b"partner",
            b"security",
            b"shared",
            b"gateway",
            b"function",
            b"host",
            b"bot",
            b"rest",
            b"sdk",
            b"storage",
            b"cookie",
            b"csrf",
            b"salt",
            b"logged",
            b"nonce",
        ];
        const NOTHING: &[&[u8]] = &[
            b"public",
            b"publishable",
            b"pub",
            b"primary",
            b"foreign",
            b"sort",
            b"partition",
            b"cache",
            b"row",
            b"object",
            b"idempotency",
            b"site",
            b"routing",
            b"index",
            b"unique",
            b"group",
            b"map",
            b"file",
            b"bucket",
            b"shard",
            b"s3",
            b"range",
            b"message",
            b"event",
            b"registry",
            b"hash",
            b"dedup",
            b"restore",
            b"anon",
            b"client",
            b"host",
        ];
        let mut words = words(self.whole).rev();
        let is_key = words.next().is_some_and(|word| is_one_of(&[b"key", b"salt"], word));
        let Some(before) = words.next() else {
            // `?key=…`
            return is_key && (self.before.ends_with(b"?") || self.before.ends_with(b"&"));
        };
        let is_variable = self.is_upper() && self.whole.contains(&b'_');
        is_key && (is_one_of(OPENING, before) || is_variable && !is_one_of(NOTHING, before))
    }

    /// `SESSION_SECRET`, `jwt_signing_key`: what signs or encrypts, which people make up as they do passwords.
    pub(super) fn signs(&self) -> bool {
        const WHAT: &[&[u8]] =
            &[b"session", b"cookie", b"jwt", b"signing", b"webhook", b"hmac", b"csrf", b"encryption"];
        let mut words = words(self.whole).rev();
        let is_key = words.next().is_some_and(|word| is_one_of(&[b"secret", b"key"], word));
        is_key && words.next().is_some_and(|word| is_one_of(WHAT, word))
    }

    /// `--password`, `-Password`, `/password:`.
    pub(super) fn is_flag(&self) -> bool {
        self.whole.starts_with(b"-")
    }

    /// `passphrase`, `seed phrase`: words, not one.
    pub(super) fn is_phrase(&self) -> bool {
        let lower = lower(self.whole);
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
            "Логин",
            "пользовател",
            "Пользовател",
            "kullan",
            "usu\u{e1}rio",
            "utente",
        ];
        let lower = lower(self.line);
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
