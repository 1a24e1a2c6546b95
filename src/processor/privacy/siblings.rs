//! What is told of content that has no form of its own: `<key>.digest`, `<key>.length` and `<key>.preview` beside it, or in
//! its place.

use std::collections::HashSet;

use super::named::Named;
use super::rules::Rules;
use super::value::JsonText;
use super::verdict::{self, Verdict};
use super::write::{int_attribute, text_attribute};
use crate::event::Digest;
use crate::otlp::AnyView;
use crate::privacy::c1::{Hasher, digest};
use crate::privacy::{Level, is_label};
use crate::semconv::lookup;

const DIGEST: &str = ".digest";
const LENGTH: &str = ".length";
pub(super) const PREVIEW: &str = ".preview";

/// What may leave of a value as a whole.
pub(super) enum Whole {
    /// It stays as it is.
    Same,
    /// This text.
    Text(String),
}

/// What may leave of a value as a whole, at this level.
pub(super) fn whole(rules: &Rules<'_>, level: Level, value: &AnyView<'_>) -> Option<Whole> {
    let bounded = |text: &str| {
        let whole = rules.telling().whole(level, text)?;
        Some(if *whole == *text { Whole::Same } else { Whole::Text(whole.into_owned()) })
    };
    match value {
        AnyView::Text(text) => bounded(text),
        AnyView::Bytes(bytes) => rules.telling().whole_bytes(level, bytes).then_some(Whole::Same),
        value => bounded(&JsonText::of(value).ok()?),
    }
}

/// Writes siblings into one message, each key once.
pub(super) struct Siblings<'a, 'r> {
    named: &'a Named<'r>,
    /// The keys that stand in the message or were written. Only made when there is content.
    taken: Option<Keys>,
}

/// Keys, each once. A few are looked through one by one, which is sooner done than to hash them.
#[derive(Default)]
struct Keys {
    few: Vec<String>,
    more: HashSet<String>,
}

impl Keys {
    const FEW: usize = 16;

    /// Whether it was not among them.
    fn insert(&mut self, key: &str) -> bool {
        if self.few.iter().any(|known| known == key) {
            return false;
        }
        if self.few.len() == Self::FEW {
            return self.more.insert(key.to_owned());
        }
        self.few.push(key.to_owned());
        true
    }
}

impl<'a, 'r> Siblings<'a, 'r> {
    pub(super) const fn new(named: &'a Named<'r>) -> Self {
        Self { named, taken: None }
    }

    /// Appends what may be told of a value.
    pub(super) fn put(&mut self, rules: &Rules<'_>, level: Level, key: &str, value: &AnyView<'_>, out: &mut Vec<u8>) {
        self.put_all(rules, std::iter::once((level, key, value)), out);
    }

    /// The same of several values.
    pub(super) fn put_all<'v>(
        &mut self,
        rules: &Rules<'_>,
        values: impl Iterator<Item = (Level, &'v str, &'v AnyView<'v>)> + Clone,
        out: &mut Vec<u8>,
    ) {
        let values = values.filter(|(level, ..)| *level >= Level::Digest);
        let hasher = rules.hasher();
        let texts = values.clone().filter_map(|(.., value)| match value {
            AnyView::Text(text) => Some(text.as_bytes()),
            _ => None,
        });
        let mut digests = hasher.map(|hasher| hasher.digests(texts)).into_iter().flatten();
        for (level, key, value) in values {
            let measured = match value {
                AnyView::Text(text) => Some((digests.next(), text.len())),
                value => measure(hasher, value),
            };
            if let Some(measured) = measured {
                self.put_measured(rules, level, (key, value), measured, out);
            }
        }
    }

    fn put_measured(
        &mut self,
        rules: &Rules<'_>,
        level: Level,
        (key, value): (&str, &AnyView<'_>),
        (digest, length): (Option<Digest>, usize),
        out: &mut Vec<u8>,
    ) {
        if let (Some(digest), Some(key)) = (digest, self.key(rules, key, DIGEST)) {
            let mut text = String::with_capacity(Digest::MAX_CHARS);
            digest.write_to(&mut text);
            text_attribute(out, self.named.number(), &key, &text);
        }
        if let Some(key) = self.key(rules, key, LENGTH) {
            int_attribute(out, self.named.number(), &key, i64::try_from(length).unwrap_or(i64::MAX));
        }
        // A structure that leaves does so as its JSON text.
        let json = match value {
            AnyView::Array(_) | AnyView::Map(_) if level >= Level::Masked => JsonText::of(value).ok(),
            _ => None,
        };
        let text = match value {
            AnyView::Text(text) => Some(*text),
            _ => json.as_deref(),
        };
        if let Some(text) = text
            // Whoever looks at it again does not know what it is a preview of: the strictest level holds.
            && let Some(preview) = rules.telling().preview_text(level.min(rules.level(None)), text)
            && let Some(key) = self.key(rules, key, PREVIEW)
        {
            text_attribute(out, self.named.number(), &key, &preview);
        }
    }

    /// The sibling's key, unless it is taken or there is no name for it. Always a label, so that it passes another stage.
    fn key(&mut self, rules: &Rules<'_>, key: &str, suffix: &str) -> Option<String> {
        let mut name = String::with_capacity(key.len() + suffix.len());
        name.extend([key, suffix]);
        // What a detector knows it may not know again with something behind it. Names of the table tell nothing.
        if lookup(key).is_none() && (!is_label(&name) || !rules.stays(&name) || !rules.stays(key)) {
            rules.hasher()?;
            name = format!("{}{suffix}", rules.replaced(key));
        }
        if lookup(&name).is_some() {
            // The names of the table mean something else than that somebody had a key like theirs.
            return None;
        }
        let named = self.named;
        let taken = self.taken.get_or_insert_with(|| taken(rules, named));
        taken.insert(&name).then_some(name)
    }
}

/// The keys of valid siblings that stand in a message already: they were told by whoever saw the content first.
fn taken(rules: &Rules<'_>, named: &Named<'_>) -> Keys {
    let stays = |key: &str, value: &AnyView<'_>| match value {
        AnyView::Text(text) if key.ends_with(PREVIEW) => {
            rules.telling().preview_again(None, rules.level(None), text).is_some()
        }
        value => !key.ends_with(PREVIEW) && verdict::of_span(key, value) == Verdict::Stays,
    };
    let mut keys = Keys::default();
    for (key, _) in named.ending(&[DIGEST, LENGTH, PREVIEW]).filter(|(key, value)| stays(key, value)) {
        keys.insert(key);
    }
    keys
}

/// The digest and the length of what is no text.
fn measure(hasher: Option<&Hasher>, value: &AnyView<'_>) -> Option<(Option<Digest>, usize)> {
    Some(match value {
        AnyView::Bytes(bytes) => (hasher.map(|hasher| digest::blob(hasher, bytes)), bytes.len()),
        value => {
            let json = JsonText::of(value).ok()?;
            (hasher.map(|hasher| digest::other(hasher, &json)), json.len())
        }
    })
}
