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
    /// All levels, most private first.
    pub const ALL: [Self; 5] = [Self::None, Self::Digest, Self::Preview, Self::Masked, Self::Full];

    /// The level that a word stands for, trimmed and in any case; the words of the I/O journal keep their strength.
    pub fn from_word(word: &str) -> Option<Self> {
        Strength::from_word(word).map(|strength| strength.level)
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

/// What a policy may be told to do with content: a [`Level`], or a word for one.
///
/// A word that is not understood stands for [`Level::None`], never for more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    pub(super) level: Level,
    /// A placeholder with the length stands where a preview would: the I/O journal's `redacted`.
    pub(super) placeholder: bool,
}

impl Strength {
    /// What a word stands for, trimmed and in any case.
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.trim();
        let is = |known: &str| word.eq_ignore_ascii_case(known);
        if is("redacted") {
            return Some(Self { level: Level::Digest, placeholder: true });
        }
        let level = match () {
            () if is("on") => Some(Level::Preview),
            () if is("off") => Some(Level::Digest),
            () => Level::ALL.into_iter().find(|level| is(level.as_str())),
        };
        level.map(Self::from)
    }
}

impl From<Level> for Strength {
    fn from(level: Level) -> Self {
        Self { level, placeholder: false }
    }
}

impl From<&str> for Strength {
    fn from(word: &str) -> Self {
        Self::from_word(word).unwrap_or(Self::from(Level::None))
    }
}
