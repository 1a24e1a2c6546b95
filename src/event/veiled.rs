//! What the policy lets leave of content: digests and lengths.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytestring::ByteString;

use super::{Facet, Role, Shown, hex};

/// How a digest was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Algorithm {
    /// SHA-256 (FIPS 180-4): short texts can be guessed.
    Sha256,
    /// HMAC-SHA-256 (RFC 2104) with the tenant's key.
    HmacSha256,
}

impl Algorithm {
    /// The word before the digits.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::HmacSha256 => "hmac-sha256",
        }
    }
}

/// A digest of content, form `c1`. Written `sha256:` or `hmac-sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    /// How it was made.
    pub algorithm: Algorithm,
    /// Its 32 bytes.
    pub bytes: [u8; 32],
}

/// A text that is no digest. Says nothing of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a digest")]
pub struct ParseDigestError;

impl Digest {
    /// The longest digest on the wire, in bytes.
    pub const MAX_CHARS: usize = "hmac-sha256:".len() + 64;

    /// The characters on the wire, appended to `text`.
    pub fn write_to(&self, text: &mut String) {
        text.push_str(self.algorithm.as_str());
        text.push(':');
        text.push_str(hex::encode(&self.bytes, &mut [0; 64]));
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(Self::MAX_CHARS);
        self.write_to(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, ParseDigestError> {
        let (algorithm, digits) = text.split_once(':').ok_or(ParseDigestError)?;
        let algorithm = [Algorithm::Sha256, Algorithm::HmacSha256]
            .into_iter()
            .find(|known| known.as_str() == algorithm)
            .ok_or(ParseDigestError)?;
        let bytes = hex::decode(digits).ok_or(ParseDigestError)?;
        Ok(Self { algorithm, bytes })
    }
}

/// The digest and the length of some content, and what is shown of it, each where the policy lets it leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Measure {
    /// Its digest.
    pub digest: Option<Digest>,
    /// Its length in bytes.
    pub length: Option<u64>,
    /// What is shown of it.
    pub shown: Shown,
}

impl Measure {
    /// Whether nothing is told.
    pub(crate) const fn is_nothing(&self) -> bool {
        let Self { digest, length, shown } = self;
        digest.is_none() && length.is_none() && shown.is_nothing()
    }
}

/// A message, as much as may leave of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Item {
    /// Its digest; missing where the content was not taken or digests may not leave.
    pub digest: Option<Digest>,
    /// Who it is from.
    pub role: Role,
    /// The bytes of its texts, arguments and blobs.
    pub length: Option<u64>,
    /// The kinds of its parts, joined by `+`.
    pub part_kinds: ByteString,
}

/// What a model was sent: the messages after a known prefix, or all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Input {
    /// The chain digest that this request extends; missing on a keyframe.
    pub prefix: Option<Digest>,
    /// The chain digest of the whole input.
    pub chain: Option<Digest>,
    /// The messages after the prefix, oldest first.
    pub items: Vec<Item>,
    /// How many older messages a keyframe left out; missing where it left out none.
    pub omitted: Option<u64>,
    /// The system instructions; on keyframes.
    pub system: Measure,
    /// The tool definitions; on keyframes.
    pub tools: Option<Digest>,
    /// The digests of encrypted blobs in these messages.
    pub blobs: Vec<Digest>,
    /// What is shown of the messages, all of them.
    pub shown: Shown,
    /// What is shown of the tool definitions.
    pub tools_shown: Shown,
    /// What else is known of each item, where the source tells elements of lists rather than messages; else none. Never
    /// on the wire.
    pub facets: Vec<Arc<Facet>>,
}

impl Input {
    /// Whether nothing is told.
    pub(crate) const fn is_nothing(&self) -> bool {
        let Self { prefix, chain, items, omitted, system, tools, blobs, shown, tools_shown, facets } = self;
        let is_told = prefix.is_some() || chain.is_some() || omitted.is_some() || tools.is_some();
        let is_shown = !shown.is_nothing() || !tools_shown.is_nothing();
        let has_items = !items.is_empty() || !blobs.is_empty() || !facets.is_empty();
        !is_told && !is_shown && !has_items && system.is_nothing()
    }
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Output {
    /// One entry for each message of the answer.
    pub items: Vec<Measure>,
    /// The digests of encrypted blobs in these messages.
    pub blobs: Vec<Digest>,
    /// What is shown of them.
    pub shown: Shown,
    /// What else is known of each item, as in [`Input`].
    pub facets: Vec<Arc<Facet>>,
}

impl Output {
    /// Whether nothing is told.
    pub(crate) const fn is_nothing(&self) -> bool {
        let Self { items, blobs, shown, facets } = self;
        items.is_empty() && blobs.is_empty() && shown.is_nothing() && facets.is_empty()
    }
}

/// What a tool was called with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arguments {
    /// The digest of the canonical arguments.
    pub digest: Option<Digest>,
    /// The digest of the exact bytes, where they differ from the canonical ones.
    pub exact: Option<Digest>,
    /// The length of the exact bytes.
    pub length: Option<u64>,
    /// What is shown of them.
    pub shown: Shown,
}

impl Arguments {
    /// Whether nothing is told.
    pub(crate) const fn is_nothing(&self) -> bool {
        let Self { digest, exact, length, shown } = self;
        digest.is_none() && exact.is_none() && length.is_none() && shown.is_nothing()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_as_it_was_written() {
        let digest = Digest { algorithm: Algorithm::HmacSha256, bytes: std::array::from_fn(|place| place as u8 * 8) };
        assert_eq!(digest.to_string().parse(), Ok(digest));
        assert_eq!(digest.to_string().len(), Digest::MAX_CHARS);
    }

    #[test]
    fn what_only_looks_like_a_digest_is_refused() {
        let good = Digest { algorithm: Algorithm::Sha256, bytes: [0xab; 32] }.to_string();
        for wrong in [good.to_uppercase(), format!("{good}0"), good.replace("sha256", "md5"), good.replace(':', "")] {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
