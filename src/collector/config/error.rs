//! What is wrong with a configuration, and where.

use std::fmt;

use super::document::Node;

/// A configuration that cannot be used: the line, the place in the document, and what is allowed there. Shows no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    line: Option<u64>,
    place: String,
    problem: String,
}

impl ConfigError {
    pub(super) fn new(line: Option<u64>, place: &str, problem: impl Into<String>) -> Self {
        Self { line: line.filter(|line| *line > 0), place: place.to_owned(), problem: problem.into() }
    }

    /// The same with the line of its place in this document, where nobody has told one.
    pub(super) fn found_in(mut self, document: &Node) -> Self {
        self.line = self.line.or_else(|| document.line_of(&self.place)).filter(|line| *line > 0);
        self
    }

    /// The line in the file, from 1; none where nothing stands there.
    pub const fn line(&self) -> Option<u64> {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl std::error::Error for ConfigError {}

/// Words of which one is expected, as an error lists them.
pub(super) fn one_of(words: &[&str]) -> String {
    if words.len() == 1 { quoted(words) } else { format!("one of {}", quoted(words)) }
}

/// Words as an error lists them.
pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
