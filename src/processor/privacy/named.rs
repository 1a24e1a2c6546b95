//! The attributes of one message, found again by their names.

use std::cell::OnceCell;

use super::value::utf8;
use super::verdict;
use crate::otlp::AnyView;
use crate::otlp::wire::{Fields, Wire};
use crate::semconv::{KeyId, lookup};

/// The attributes in one field of a message. They are listed when somebody first asks for one, and a value is read when
/// its name is the one that is asked for: content may be long, and is asked for by nobody.
pub(super) struct Named<'r> {
    message: &'r [u8],
    number: u8,
    list: OnceCell<Vec<Entry<'r>>>,
}

struct Entry<'r> {
    id: Option<KeyId>,
    key: &'r str,
    /// An `AnyValue` message.
    raw: &'r [u8],
}

impl<'r> Entry<'r> {
    /// Reads a `KeyValue` message; nothing where its key is none.
    fn parse(attribute: &'r [u8]) -> Option<Self> {
        let (mut key, mut raw) = (&[][..], &[][..]);
        for field in Fields::new(attribute) {
            match field.ok().map(|field| (field.number, field.value))? {
                (1, Wire::Bytes(bytes)) => key = bytes,
                (2, Wire::Bytes(bytes)) => raw = bytes,
                _ => {}
            }
        }
        let key = utf8(key).ok()?;
        Some(Self { id: lookup(key), key, raw })
    }

    fn text(&self) -> Option<&'r str> {
        match AnyView::parse(self.raw) {
            Ok(AnyView::Text(text)) => Some(text),
            _ => None,
        }
    }
}

impl<'r> Named<'r> {
    /// Those in the field `number` of a message.
    pub(super) const fn new(message: &'r [u8], number: u8) -> Self {
        Self { message, number, list: OnceCell::new() }
    }

    pub(super) const fn message(&self) -> &'r [u8] {
        self.message
    }

    pub(super) const fn number(&self) -> u8 {
        self.number
    }

    /// The text of an attribute, as it stands first.
    pub(super) fn text(&self, name: KeyId) -> Option<&'r str> {
        self.named(name).find_map(Entry::text)
    }

    /// The text of an attribute, as it stands last.
    pub(super) fn last_text(&self, name: KeyId) -> Option<&'r str> {
        self.named(name).filter_map(Entry::text).last()
    }

    /// Whether one of these names stands there with a value that stays.
    pub(super) fn has_valid(&self, names: &[KeyId]) -> bool {
        let known = self.list().iter().filter_map(|entry| Some((entry.id.filter(|id| names.contains(id))?, entry.raw)));
        known.into_iter().any(|(id, raw)| AnyView::parse(raw).is_ok_and(|value| verdict::is_valid(id, &value)))
    }

    /// The keys that end so, each with its value.
    pub(super) fn ending(&self, suffixes: &'static [&'static str]) -> impl Iterator<Item = (&'r str, AnyView<'r>)> {
        let found = self.list().iter().filter(|entry| suffixes.iter().any(|suffix| entry.key.ends_with(suffix)));
        found.filter_map(|entry| Some((entry.key, AnyView::parse(entry.raw).ok()?)))
    }

    /// Whether this name stands there, whatever its value.
    pub(super) fn has(&self, name: KeyId) -> bool {
        self.named(name).next().is_some()
    }

    fn named(&self, name: KeyId) -> impl Iterator<Item = &Entry<'r>> {
        self.list().iter().filter(move |entry| entry.id == Some(name))
    }

    fn list(&self) -> &[Entry<'r>] {
        self.list.get_or_init(|| {
            let fields = Fields::new(self.message).flatten().filter(|field| field.number == u32::from(self.number));
            let attributes = fields.filter_map(|field| match field.value {
                Wire::Bytes(attribute) => Entry::parse(attribute),
                _ => None,
            });
            attributes.collect()
        })
    }
}
