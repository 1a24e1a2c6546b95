//! How a call ended.

use std::fmt;
use std::str::FromStr;

/// How a call ended (`veilspan.outcome`).
///
/// On the wire `completed`, `cancelled` and `denied` leave the span status unset; the rest set it to error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Outcome {
    /// It returned a result.
    Completed,
    /// It returned an error.
    Failed,
    /// It was stopped on purpose, or its future was dropped.
    Cancelled,
    /// A person refused it.
    Denied,
    /// It ran out of time.
    Timeout,
    /// Its peer went away.
    Disconnected,
    /// Nobody told how it ended.
    Abandoned,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 7] = [
        Self::Completed,
        Self::Failed,
        Self::Cancelled,
        Self::Denied,
        Self::Timeout,
        Self::Disconnected,
        Self::Abandoned,
    ];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Denied => "denied",
            Self::Timeout => "timeout",
            Self::Disconnected => "disconnected",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether the span's status is `ERROR`.
    pub const fn is_error(self) -> bool {
        matches!(self, Self::Failed | Self::Timeout | Self::Disconnected | Self::Abandoned)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Outcome {
    type Err = ();

    fn from_str(word: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word).ok_or(())
    }
}
