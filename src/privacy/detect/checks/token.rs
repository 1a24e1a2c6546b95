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

/// What a command's option for a password is given.
pub(in super::super) fn argument(found: &Found<'_>) -> Option<Range<usize>> {
    let quoted = matches!(found.secret(), [b'\'', .., b'\''] | [b'"', .., b'"']);
    let range = if quoted { found.secret.start + 1..found.secret.end - 1 } else { found.secret.clone() };
    let secret = found.text.get(range.clone())?;
    let bare = secret.iter().all(|byte| byte.is_ascii_digit() || *byte == b':');
    let metavariable = secret.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
    (!bare && !metavariable && !is_placeholder(secret)).then_some(range)
}

/// The same where a word may stand in its place: a password of somebody's choice has a digit or a mark.
pub(in super::super) fn chosen(found: &Found<'_>) -> Option<Range<usize>> {
    let range = argument(found)?;
    let secret = found.text.get(range.clone())?;
    let marked = secret.iter().any(|byte| byte.is_ascii_digit() || b"!#$%&*^+=~?".contains(byte));
    (marked && secret.iter().any(u8::is_ascii_alphabetic)).then_some(range)
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
    (apart && entropy::is_random(found.secret())).then(|| found.secret.start - 2..found.secret.end)
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
