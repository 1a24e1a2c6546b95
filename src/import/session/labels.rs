//! Labels that were asked for a moment ago.
//!
//! A session says the names of its models and tools with each call, and the id of a call twice or thrice; what looks like a
//! label has to pass all detectors.

use std::cell::RefCell;
use std::hash::Hasher;

use bytestring::ByteString;
use rustc_hash::FxHasher;

use crate::privacy::Policy;

/// The labels that are kept, each in the one place that its hash names.
const PLACES: usize = 128;

/// The newest labels that are what they were made of.
pub(super) struct Labels(RefCell<Vec<ByteString>>);

impl Labels {
    pub(super) fn new() -> Self {
        Self(RefCell::new(vec![ByteString::new(); PLACES]))
    }

    /// The label of a text under a policy, which is always the same one.
    pub(super) fn get(&self, policy: &Policy, text: &str) -> ByteString {
        let mut hasher = FxHasher::default();
        hasher.write(text.as_bytes());
        let mut places = self.0.borrow_mut();
        let place = places.get_mut(hasher.finish() as usize % PLACES);
        match place {
            Some(known) if !text.is_empty() && **known == *text => known.clone(),
            place => {
                let label = policy.label(text);
                if let Some(place) = place.filter(|_| *label == *text) {
                    *place = label.clone();
                }
                label
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_the_same_however_often_it_is_asked_for() {
        let policy = Policy::builder().unkeyed_sha256().build();
        let labels = Labels::new();
        let texts = ["gpt-x", "two words", "", "AKIAIOSFODNN7EXAMPLE", "gpt-x"].map(str::to_owned);
        let many = (0..500).map(|number| format!("call_{number}"));
        let all: Vec<String> = texts.into_iter().chain(many).collect();
        for text in all.iter().chain(&all) {
            assert_eq!(labels.get(&policy, text), policy.label(text), "{text}");
        }
    }
}
