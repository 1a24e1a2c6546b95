//! What was set aside of a session: where it stood, and why.

use std::fmt;

use bytestring::ByteString;

/// A line, or a part of one, that could not be used. Everything else is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Aside {
    /// The file's own name, as a label; never its folder.
    pub file: ByteString,
    /// The line, from 1.
    pub line: u64,
    /// Why.
    pub reason: AsideReason,
}

/// Why something was set aside. Holds nothing of what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AsideReason {
    /// It is no JSON object.
    NotJson,
    /// The file ends in the middle of it.
    Truncated,
    /// It is longer than a line may be.
    Oversize,
    /// A field that it needs is missing or of another type.
    Field,
    /// The file became shorter or was replaced while it was read.
    Replaced,
    /// The file could not be read any further.
    Unreadable,
}

impl AsideReason {
    /// A word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::Truncated => "truncated",
            Self::Oversize => "oversize",
            Self::Field => "field",
            Self::Replaced => "replaced",
            Self::Unreadable => "unreadable",
        }
    }
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.reason.as_str())
    }
}
