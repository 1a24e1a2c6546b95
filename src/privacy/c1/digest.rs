//! The digest of each kind of content, over plain texts and bytes.

use smallvec::SmallVec;

use super::hasher::Last;
use super::{Hasher, canonical};
use crate::event::Digest;

/// A text: its exact UTF-8 bytes, not normalised.
pub fn text(hasher: &Hasher, text: &str) -> Digest {
    hasher.digest(&[text.as_bytes()])
}

/// A text whose bytes may be no UTF-8 any more.
#[cfg(unix)]
pub(crate) fn text_bytes(hasher: &Hasher, text: &[u8]) -> Digest {
    hasher.digest(&[text])
}

/// A blob: its decoded bytes.
pub fn blob(hasher: &Hasher, bytes: &[u8]) -> Digest {
    hasher.digest(&[bytes])
}

/// A tool call: the tool's name and the canonical arguments, the exact ones where they count as not JSON.
pub fn call(hasher: &Hasher, name: &str, arguments: &str) -> Digest {
    let canonical = canonical(arguments);
    let arguments = canonical.as_ref().map_or(arguments.as_bytes(), |canonical| canonical.as_bytes());
    last_of_call(hasher, name, arguments).finish()
}

pub(super) fn last_of_call<'a>(hasher: &Hasher, name: &str, arguments: &'a [u8]) -> Last<'a> {
    let mut hashing = hasher.begin();
    hashing.update(b"c1/call\0");
    hashing.update(&(name.len() as u64).to_be_bytes());
    hashing.update(name.as_bytes());
    Last { hashing, piece: arguments }
}

/// A tool result: which call of its assistant message it answers, if that is known, and the digest of its content.
pub fn result(hasher: &Hasher, ordinal: Option<u32>, content: &Digest) -> Digest {
    hasher.digest(&[b"c1/result\0", &ordinal.unwrap_or(u32::MAX).to_be_bytes(), &content.bytes])
}

/// What the model thought, readable.
pub fn reasoning(hasher: &Hasher, text: &str) -> Digest {
    last_of_reasoning(hasher, text).finish()
}

pub(super) fn last_of_reasoning<'t>(hasher: &Hasher, text: &'t str) -> Last<'t> {
    let mut hashing = hasher.begin();
    hashing.update(b"c1/reasoning\0");
    Last { hashing, piece: text.as_bytes() }
}

/// A part that stands elsewhere, by its reference.
pub fn reference(hasher: &Hasher, reference: &str) -> Digest {
    hasher.digest(&[b"c1/ref\0", reference.as_bytes()])
}

/// Any other part, by its JSON.
pub fn other(hasher: &Hasher, json: &str) -> Digest {
    let canonical = canonical(json);
    let json = canonical.as_ref().map_or(json.as_bytes(), |canonical| canonical.as_bytes());
    hasher.digest(&[b"c1/part\0", json])
}

/// A message of anything but exactly one text part, which has that part's digest.
pub fn message<'d>(hasher: &Hasher, parts: impl IntoIterator<Item = &'d Digest>) -> Digest {
    let mut pieces = SmallVec::<[&[u8]; 4]>::from_slice(&[b"c1/msg\0"]);
    pieces.extend(parts.into_iter().map(|part| part.bytes.as_slice()));
    hasher.digest(&pieces)
}
