//! Why recordings cannot be read.

use std::io;
use std::path::PathBuf;

/// Recordings that cannot be read: which file or folder, and why. Shows nothing of what is in there.
#[derive(Debug, thiserror::Error)]
#[error("{}: {kind}", .path.display())]
pub struct RecordingsError {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum Kind {
    #[error("cannot be read: {0}")]
    Io(io::ErrorKind),
    #[error("neither a file nor a folder")]
    NoFile,
    #[error("holds more than {0} files")]
    TooMany(usize),
    #[error("longer than {} MiB in all, which is more than is read", .0 >> 20)]
    TooManyBytes(u64),
    #[error("holds more than can be kept in memory")]
    TooLong,
    #[error("not OTLP JSON lines")]
    NotLines,
    #[error("holds no run")]
    NoRun,
    #[error("holds no run of the rollout that rules[{0}] names as baseline")]
    Rule(usize),
}

impl RecordingsError {
    /// Whether there was not time enough.
    pub(in crate::collector) const fn is_timeout(&self) -> bool {
        matches!(self.kind, Kind::Io(io::ErrorKind::TimedOut))
    }

    pub(super) const fn new(path: PathBuf, kind: Kind) -> Self {
        Self { path, kind }
    }
}
