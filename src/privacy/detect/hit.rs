//! What a rule found, and how often.

use std::ops::Range;

use bytestring::ByteString;
use smallvec::SmallVec;

/// A stretch of a text that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The rule's name.
    pub rule: ByteString,
    /// Where it is in the text, in bytes, on boundaries of characters.
    pub range: Range<usize>,
}

/// How often each rule hit.
#[derive(Clone, Debug, Default)]
pub struct Counts(SmallVec<[(ByteString, u64); 4]>);

impl Counts {
    /// Rules that hit, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (&ByteString, u64)> {
        self.0.iter().map(|(rule, count)| (rule, *count))
    }

    /// Hits of all rules.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    pub(super) fn add(&mut self, rule: &ByteString) {
        match self.0.iter_mut().find(|(known, _)| known == rule) {
            Some((_, count)) => *count += 1,
            None => self.0.push((rule.clone(), 1)),
        }
    }
}
