//! Keys and headers that a provider's own shape has led to.

use std::ops::Range;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::entropy;
use super::placeholder::is_placeholder;
use crate::privacy::detect::rule::Found;

/// Standard base64, its padding there or not.
const STANDARD: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A key of a provider's shape that is no placeholder.
pub(in super::super) fn token(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    // What the shape itself says would make any key look like words.
    let body = secret
        .iter()
        .rposition(|byte| b"-_.:/".contains(byte))
        .map_or(secret, |at| secret.get(at + 1..).unwrap_or(secret));
    let body = if body.len() < 12 { secret } else { body };
    let is_word = body.iter().all(u8::is_ascii_lowercase) && entropy::is_words(secret) && entropy::bits(body) < 3.0;
    // Zeros in an image's base64 go on like the keys that begin with some.
    let is_blank = secret.len() >= 40 && entropy::bits(secret) < 2.0;
    let is_none = is_placeholder(secret) || is_word || is_blank;
    (!is_none).then(|| found.secret.clone())
}

/// A value that its name makes a secret: no placeholder, and not the same again and again.
pub(in super::super) fn opaque(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    (!is_placeholder(secret) && entropy::bits(secret) >= 2.0).then(|| found.secret.clone())
}

/// What a setting that may be anything is given, where it looks drawn at random.
pub(in super::super) fn random(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    (!is_placeholder(secret) && entropy::is_random(secret)).then(|| found.secret.clone())
}

/// The token of a bearer header: prose goes on with words instead.
pub(in super::super) fn bearer(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    let is_one = secret.len() >= 24 && !entropy::is_words(secret) || entropy::is_random(secret);
    (is_one && !is_placeholder(secret)).then(|| found.secret.clone())
}

/// The credentials of a basic header: they decode to a name, a colon and a password.
pub(in super::super) fn basic(found: &Found<'_>) -> Option<Range<usize>> {
    let decoded = STANDARD.decode(found.secret()).ok()?;
    let text = std::str::from_utf8(&decoded).ok()?;
    let (_, password) = text.split_once(':')?;
    (!password.is_empty() && !text.contains(char::is_control)).then(|| found.secret.clone())
}

/// The signature of a shared access signature: its other parameters stand beside it.
pub(in super::super) fn azure_signature(found: &Found<'_>) -> Option<Range<usize>> {
    const AROUND: usize = 400;
    let from = found.whole.start.saturating_sub(AROUND);
    let to = found.text.len().min(found.whole.end + AROUND);
    let around = found.text.get(from..to)?;
    let has = |part: &[u8]| memchr::memmem::find(around, part).is_some();
    let others = [&b"se="[..], b"sv=", b"sr=", b"sp=", b"spr=", b"st="].into_iter().filter(|part| has(part)).count();
    (others >= 2).then(|| found.secret.clone())
}

/// The private part of a key in JSON (RFC 7517): its type stands in the same object.
pub(in super::super) fn json_web_key(found: &Found<'_>) -> Option<Range<usize>> {
    const AROUND: usize = 1000;
    let from = found.whole.start.saturating_sub(AROUND);
    let around = found.text.get(from..found.text.len().min(found.whole.end + AROUND))?;
    let is_key = memchr::memmem::find(around, b"\"kty\"").is_some();
    (is_key && entropy::is_random(found.secret())).then(|| found.secret.clone())
}

/// What a command's option for a password is given.
pub(in super::super) fn argument(found: &Found<'_>) -> Option<Range<usize>> {
    let quoted = matches!(found.secret(), [b'\'', .., b'\''] | [b'"', .., b'"']);
    let range = if quoted { found.secret.start + 1..found.secret.end - 1 } else { found.secret.clone() };
    let secret = found.text.get(range.clone())?;
    let bare = secret.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    let metavariable = secret.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    let is_address = memchr::memmem::find(secret, b"://").is_some();
    (!bare && !metavariable && !is_address && !is_placeholder(secret)).then_some(range)
}

/// The same where a word may stand in its place: a password of somebody's choice has a digit or a mark.
pub(in super::super) fn chosen(found: &Found<'_>) -> Option<Range<usize>> {
    let range = argument(found)?;
    let secret = found.text.get(range.clone())?;
    let marked = secret.iter().any(|byte| byte.is_ascii_digit() || b"!#$%&*^+=~?".contains(byte));
    (marked && secret.iter().any(u8::is_ascii_alphabetic)).then_some(range)
}

/// `user:password@tcp(host)`, as Go's drivers take it: from behind the colon to the `@`.
pub(in super::super) fn data_source(found: &Found<'_>) -> Option<Range<usize>> {
    const MOST: usize = 120;
    let at = found.secret.start + memchr::memrchr(b'@', found.secret())?;
    let before = found.text.get(at.saturating_sub(MOST)..at)?;
    let token = before
        .iter()
        .rposition(|byte| byte.is_ascii_whitespace() || b"\"'`/=".contains(byte))
        .map_or(0, |last| last + 1);
    let colon = token + memchr::memchr(b':', before.get(token..)?)?;
    let password = at - before.len() + colon + 1..at;
    let is_one = colon > token && !password.is_empty() && !is_placeholder(found.text.get(password.clone())?);
    is_one.then_some(password)
}

/// The value that `INSERT INTO … VALUES …` puts into a column for a password or a token.
pub(in super::super) fn inserted(found: &Found<'_>) -> Option<Range<usize>> {
    const COLUMNS: &[&[u8]] =
        &[b"password", b"passwd", b"pwd", b"secret", b"token", b"api_key", b"apikey", b"passphrase"];
    let columns = found.secret();
    let is_one = |column: &[u8]| {
        let lower = super::lower(column);
        let name = lower.trim_ascii().trim_ascii_end();
        let name = name.strip_prefix(b"`").or(name.strip_prefix(b"\"")).unwrap_or(name);
        let name = name.strip_suffix(b"`").or(name.strip_suffix(b"\"")).unwrap_or(name);
        let name = name.strip_suffix(b"_plain").or(name.strip_suffix(b"_text")).unwrap_or(name);
        COLUMNS.iter().any(|word| name.ends_with(word)) || name == b"pw" || name.ends_with(b"_pw")
    };
    let number = columns.split(|byte| *byte == b',').position(is_one)?;
    let mut at = found.whole.end;
    for _ in 0..number {
        at += value_length(found.text.get(at..)?)? + 1;
    }
    let length = value_length(found.text.get(at..)?)?;
    let value = found.text.get(at..at + length)?;
    let quote = value.iter().position(|byte| !byte.is_ascii_whitespace() && !b"Nn".contains(byte))?;
    let [b'\'', inner @ .., b'\''] = value.get(quote..)?.trim_ascii_end() else { return None };
    let range = at + quote + 1..at + quote + 1 + inner.len();
    let marked = inner.iter().any(|byte| byte.is_ascii_digit() || b"!#$%&*^+=~?@".contains(byte));
    (inner.len() >= 4 && marked && !is_placeholder(inner)).then_some(range)
}

/// How long a value in a list is, up to its comma or the end of the list.
fn value_length(text: &[u8]) -> Option<usize> {
    const MOST: usize = 400;
    let mut is_text = false;
    text.iter().take(MOST).position(|byte| {
        is_text ^= *byte == b'\'';
        !is_text && b",)".contains(byte)
    })
}

/// The last literal of a call, in quotes of either kind: names of functions and of fields are none.
pub(in super::super) fn literal(found: &Found<'_>) -> Option<Range<usize>> {
    let range = last_literal(found)?;
    let value = found.text.get(range.clone())?;
    let is_name = value.contains(&b'_')
        && value.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_');
    (!is_name).then_some(range)
}

fn last_literal(found: &Found<'_>) -> Option<Range<usize>> {
    let end = found.whole.end.checked_sub(2)?;
    let quote = found.text.get(end)?;
    let before = found.text.get(found.whole.start..end)?;
    let start = found.whole.start + memchr::memrchr(*quote, before)? + 1;
    chosen(&Found { text: found.text, whole: found.whole.clone(), secret: start..end })
}

/// The same where hardly anything says that it is one: with a letter, a digit and a mark.
pub(in super::super) fn marked(found: &Found<'_>) -> Option<Range<usize>> {
    let range = chosen(found)?;
    let secret = found.text.get(range.clone())?;
    let has = |is: fn(&u8) -> bool| secret.iter().any(is);
    (has(u8::is_ascii_digit) && has(|byte| b"!#$%&*^+=~?@".contains(byte))).then_some(range)
}

/// What `-p` is given beside `-u`: a port or a folder is none.
pub(in super::super) fn beside_user(found: &Found<'_>) -> Option<Range<usize>> {
    let range = chosen(found)?;
    let is_place = found.text.get(range.clone())?.iter().any(|byte| b":/\\".contains(byte));
    (!is_place).then_some(range)
}

/// The pairs of a cookie header, where one of them can tell who somebody is.
pub(in super::super) fn cookie(found: &Found<'_>) -> Option<Range<usize>> {
    let is_pair = |pair: &[u8]| {
        let mut parts = pair.splitn(2, |byte| *byte == b'=');
        let (_, value) = (parts.next(), parts.next().unwrap_or_default());
        value.len() >= 8 && entropy::is_random(value) && !is_placeholder(value)
    };
    let secret = found.secret();
    secret.split(|byte| b"; ".contains(byte)).any(is_pair).then(|| found.secret.clone())
}

/// A token of a bot: its first part is the number of the bot's account.
pub(in super::super) fn discord(found: &Found<'_>) -> Option<Range<usize>> {
    let first = found.secret().split(|byte| *byte == b'.').next()?;
    let decoded = STANDARD.decode(first).ok()?;
    let is_account = (17..=20).contains(&decoded.len()) && decoded.iter().all(u8::is_ascii_digit);
    is_account.then(|| found.secret.clone())
}

/// A run of 24 after `s.`, as Vault's service tokens were before they had a prefix of their own.
pub(in super::super) fn legacy_vault(found: &Found<'_>) -> Option<Range<usize>> {
    let before = found.text.get(..found.secret.start)?;
    let lead = before.strip_suffix(b"s.")?;
    let apart = lead.last().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"_.-".contains(byte));
    let has_digit = found.secret().iter().any(u8::is_ascii_digit);
    (apart && has_digit && entropy::is_random(found.secret())).then(|| found.secret.start - 2..found.secret.end)
}

/// A run of 35 after an account's number and a colon, as Telegram's bots have.
pub(in super::super) fn account_token(found: &Found<'_>) -> Option<Range<usize>> {
    let before = found.text.get(..found.secret.start)?.strip_suffix(b":")?;
    let number = before.iter().rev().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    let apart = before.get(..before.len() - number)?.last().is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let secret = found.secret();
    let mixed = secret.iter().any(u8::is_ascii_uppercase) && secret.iter().any(u8::is_ascii_lowercase);
    ((8..=10).contains(&number) && apart && mixed).then(|| found.secret.start - 1 - number..found.secret.end)
}
