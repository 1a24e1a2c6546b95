//! Why there can be no spool.

use std::error::Error;
use std::fmt;
use std::io;

/// A spool that cannot be used. Says nothing of its path.
#[derive(Debug)]
pub struct SpoolError {
    problem: Problem,
    source: Option<io::Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code))]
pub(super) enum Problem {
    Make,
    Link,
    Open,
    Owner,
    Begin,
    #[cfg_attr(unix, allow(dead_code))]
    Platform,
}

#[cfg_attr(not(unix), allow(dead_code))]
impl SpoolError {
    pub(super) fn new(problem: Problem, source: impl Into<io::Error>) -> Self {
        Self { problem, source: Some(source.into()) }
    }

    /// What stands in the folder cannot be read, or nothing can be added to it.
    #[cfg(feature = "collector")]
    pub(crate) fn of_a_log(source: io::Error) -> Self {
        Self::new(Problem::Begin, source)
    }

    pub(super) const fn bare(problem: Problem) -> Self {
        Self { problem, source: None }
    }
}

impl SpoolError {
    /// What is wrong, what is done about it where a recorder is made from the environment, and what would be right.
    pub(in crate::export) const fn cure(&self) -> &'static str {
        match self.problem {
            Problem::Make => "the folder cannot be made; spans wait in memory: make it, with mode 0700",
            Problem::Link => "a link, or no folder; spans wait in memory: name the folder itself",
            Problem::Open => "the folder cannot be opened; spans wait in memory: make it this user's, with mode 0700",
            Problem::Owner => {
                "the folder is not this user's alone; spans wait in memory: make it this user's, with mode 0700"
            }
            Problem::Begin => {
                "nothing can be written into the folder; spans wait in memory: make it this user's, mode 0700"
            }
            Problem::Platform => "there is no spool on this operating system; spans wait in memory",
        }
    }
}

impl fmt::Display for SpoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.problem {
            Problem::Make => "the spool's folder cannot be made: make it, with mode 0700",
            Problem::Link => "the spool's folder is a link or no folder: name the folder itself",
            Problem::Open => "the spool's folder cannot be opened",
            Problem::Owner => "the spool's folder is not this user's alone: make it this user's, with mode 0700",
            Problem::Begin => "nothing can be written into the spool's folder: make it this user's, with mode 0700",
            Problem::Platform => "there is no spool on this operating system",
        })
    }
}

impl Error for SpoolError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| source as &(dyn Error + 'static))
    }
}
