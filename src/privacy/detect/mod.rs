//! Detectors: what finds keys, passwords and personal data in text that is about to leave, and takes them out.
//!
//! Promises that what a rule finds in a text, in plain form or in JSON escapes, percent-encoding or base64 inside it, stands
//! in the masked text no more: each hit is replaced by `[redacted:<rule>]`, and masking again changes nothing. A text that
//! is valid JSON is so afterwards. No input panics; time is linear in the text, memory a small multiple of it.
//!
//! Costs one pass over the text that looks at four bytes at a time. A rule's pattern runs only where one of its keywords
//! stands, and memory is taken only where a check or something encoded needs it.
//!
//! Reads no file and no environment: whoever makes the policy hands over the text of a rule file.

mod checks;
mod encoded;
mod engine;
mod file;
mod glance;
mod grams;
mod hit;
mod json;
mod mark;
mod mask;
mod nested;
mod rule;
mod rules;
mod trigger;
mod user;
mod view;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use bytestring::ByteString;

pub use file::RulesError;
pub use hit::{Counts, Hit};

use engine::Set;

/// A set of rules, ready to run. Cheap to clone.
#[derive(Clone)]
pub struct Detectors(Arc<Set>);

impl Detectors {
    /// The rules that come with this version, built once for the process.
    pub fn default_set() -> Self {
        static DEFAULT: LazyLock<Detectors> =
            LazyLock::new(|| Detectors(Arc::new(Set::new(rules::default(), Vec::new()))));
        DEFAULT.clone()
    }

    /// The rules that come with this version, as a file of rules changes them.
    ///
    /// # Errors
    ///
    /// The line that is not understood, and what is allowed there. Never what stands there.
    pub fn parse(file: &str) -> Result<Self, RulesError> {
        let chosen = file::parse(file, rules::default(), rules::off())?;
        Ok(Self(Arc::new(Set::new(chosen.rules, chosen.user))))
    }

    /// The names of the rules that are switched on, most specific first.
    pub fn rules(&self) -> impl Iterator<Item = &ByteString> {
        self.0.names()
    }

    /// The patterns of the rules that come with this version and are switched on. Those of a file of rules are nobody
    /// else's to see.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.patterns()
    }

    /// Whether any rule finds anything.
    pub fn hits(&self, text: &str) -> bool {
        self.0.any(text)
    }

    /// What the rules find, from left to right, without overlap.
    pub fn find(&self, text: &str) -> Vec<Hit> {
        self.0.find(text)
    }

    /// The text with each hit replaced by `[redacted:<rule>]`.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.mask_counted(text, &mut Counts::default())
    }

    /// The same, and how often each rule hit added to `counts`.
    pub fn mask_counted<'t>(&self, text: &'t str, counts: &mut Counts) -> Cow<'t, str> {
        mask::mask(&self.0, text, counts)
    }
}

impl fmt::Debug for Detectors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detectors").field("rules", &self.0.names().count()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
