//! How much of content may leave.

use std::fmt;

/// How much of content may leave, most private first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// Counts, outcomes, labels.
    None,
    /// Digests and lengths of content too.
    Digest,
    /// The first characters too, after the detectors.
    Preview,
    /// Whole content too, after the detectors.
    Masked,
    /// Content as it is, where the operator's ceiling says so.
    Full,
}

impl Level {
    /// The most that this version lets leave: what is above means this.
    pub(super) const IMPLEMENTED: Self = Self::Digest;

    /// The level that a word stands for, trimmed and in any case; the words of the I/O journal keep their strength.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "digest" | "off" | "redacted" => Self::Digest,
            "preview" | "on" => Self::Preview,
            "masked" => Self::Masked,
            "full" => Self::Full,
            _ => return None,
        })
    }

    /// The word in the policy snapshot.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Digest => "digest",
            Self::Preview => "preview",
            Self::Masked => "masked",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
