//! Canonical JSON (RFC 8785), so that equal arguments have equal digests however they were written.
//!
//! A look tells whether a text is canonical already, which is then neither copied nor allocated, and hands on what it has
//! seen, so that its exact bytes are hashed meanwhile; a look that ends at the first place that has to change is lost.
//! Then one pass over the text without a tree: runs of the input are copied as they are, and only from the first place that
//! has to change on. An object's members are put in order when it closes. Never recurses, so that no depth of input can
//! exhaust the stack.

pub(super) mod escape;
mod exact;
mod member;
mod number;
mod object;
mod scan;
mod writer;

use super::wipe::WipedVec;

/// The deepest nesting of arrays and objects that counts as JSON.
pub(super) const MAX_DEPTH: usize = 128;

/// A text's canonical form.
#[allow(missing_debug_implementations)]
pub struct Canonical<'a> {
    text: &'a str,
    rewritten: Option<WipedVec>,
}

impl Canonical<'_> {
    /// The canonical form, UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        self.rewritten.as_deref().map_or(self.text.as_bytes(), Vec::as_slice)
    }

    /// Whether the text was its own canonical form.
    pub const fn is_exact(&self) -> bool {
        self.rewritten.is_none()
    }
}

/// The canonical form of a JSON text.
///
/// Nothing where the text counts as not JSON: invalid, nested deeper than 128, with a key twice in an object, with a
/// number beyond a double, or with half a surrogate pair. An integer beyond ±2^53 keeps its literal, unlike in RFC 8785,
/// which would round it.
pub fn canonical(text: &str) -> Option<Canonical<'_>> {
    canonical_seen(text, |_| {})
}

/// The same, and `seen` is given all of the text in pieces while it is looked at, from its beginning.
pub(super) fn canonical_seen<'a>(text: &'a str, seen: impl FnMut(&'a [u8])) -> Option<Canonical<'a>> {
    if exact::is_canonical(text.as_bytes(), seen) {
        return Some(Canonical { text, rewritten: None });
    }
    let mut writer = writer::Writer::new(text.as_bytes());
    let rewritten = writer.write()?;
    Some(Canonical { text, rewritten })
}

#[cfg(test)]
mod tests;
