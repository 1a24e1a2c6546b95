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
    let is_none = is_placeholder(secret) || is_word;
    (!is_none).then(|| found.secret.clone())
}

/// A value that its name makes a secret: no placeholder, and not the same again and again.
pub(in super::super) fn opaque(found: &Found<'_>) -> Option<Range<usize>> {
    let secret = found.secret();
    (!is_placeholder(secret) && entropy::bits(secret) >= 2.0).then(|| found.secret.clone())
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
