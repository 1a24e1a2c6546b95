//! What is told of content that has no form of its own: `<key>.digest` and `<key>.length` in its place.

use std::collections::HashSet;

use super::rules::Rules;
use super::value::to_json;
use super::verdict::{self, Verdict};
use super::write::{int_attribute, text_attribute};
use crate::event::Digest;
use crate::otlp::{AnyView, Attributes};
use crate::privacy::c1::{Hasher, digest};
use crate::privacy::is_label;
use crate::semconv::lookup;

const DIGEST: &str = ".digest";
const LENGTH: &str = ".length";

/// Writes siblings into one message, each key once.
pub(super) struct Siblings<'a> {
    message: &'a [u8],
    number: u8,
    /// The keys that stand in the message or were written. Only made when there is content.
    taken: Option<HashSet<String>>,
}

impl<'a> Siblings<'a> {
    pub(super) const fn new(message: &'a [u8], number: u8) -> Self {
        Self { message, number, taken: None }
    }

    /// Appends what may be told of a value.
    pub(super) fn put(&mut self, rules: &Rules<'_>, key: &str, value: &AnyView<'_>, out: &mut Vec<u8>) {
        if !rules.tells_of_content() {
            return;
        }
        let hasher = rules.hasher();
        let Some((digest, length)) = measure(hasher, value) else { return };
        if let (Some(digest), Some(key)) = (digest, self.key(rules, key, DIGEST)) {
            text_attribute(out, self.number, &key, &digest.to_string());
        }
        if let Some(key) = self.key(rules, key, LENGTH) {
            int_attribute(out, self.number, &key, i64::try_from(length).unwrap_or(i64::MAX));
        }
    }

    /// The sibling's key, unless it is taken or there is no name for it. Always a label, so that it passes another stage.
    fn key(&mut self, rules: &Rules<'_>, key: &str, suffix: &str) -> Option<String> {
        let mut name = format!("{key}{suffix}");
        if !is_label(&name) {
            rules.hasher()?;
            name = format!("{}{suffix}", rules.replaced(key));
        }
        if lookup(&name).is_some() {
            // The names of the table mean something else than that somebody had a key like theirs.
            return None;
        }
        let (message, number) = (self.message, self.number);
        let taken = self.taken.get_or_insert_with(|| taken(message, number));
        taken.insert(name.clone()).then_some(name)
    }
}

/// The keys of valid siblings that stand in a message already: they were told by whoever saw the content first.
fn taken(message: &[u8], number: u8) -> HashSet<String> {
    let attributes = Attributes::new(message, u32::from(number)).flatten();
    let siblings = attributes.filter(|(key, value)| {
        (key.ends_with(DIGEST) || key.ends_with(LENGTH)) && verdict::of_span(key, value) == Verdict::Stays
    });
    siblings.map(|(key, _)| key.to_owned()).collect()
}

fn measure(hasher: Option<&Hasher>, value: &AnyView<'_>) -> Option<(Option<Digest>, usize)> {
    Some(match value {
        AnyView::Text(text) => (hasher.map(|hasher| digest::text(hasher, text)), text.len()),
        AnyView::Bytes(bytes) => (hasher.map(|hasher| digest::blob(hasher, bytes)), bytes.len()),
        value => {
            let json = to_json(value).ok()?.to_string();
            (hasher.map(|hasher| digest::other(hasher, &json)), json.len())
        }
    })
}
