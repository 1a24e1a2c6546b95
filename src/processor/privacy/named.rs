//! The attributes of one message, found again by their names.

use std::cell::OnceCell;

use super::seen::Seen;
use super::value::utf8;
use super::{span, verdict};
use crate::otlp::AnyView;
use crate::otlp::wire::{Fields, Wire};
use crate::semconv::{KeyId, lookup};

/// The attributes in one field of a message. They are listed when somebody first asks for one, and a value is read when
/// its name is the one that is asked for: content may be long, and is asked for by nobody.
pub(super) struct Named<'r> {
    message: &'r [u8],
    number: u8,
    /// What stands on other spans of the request as well was read there.
    seen: Option<&'r Seen<'r>>,
    list: OnceCell<List<'r>>,
}

/// All of them, and which names of the table are among them: mostly none of those that are asked for.
struct List<'r> {
    entries: Vec<Entry<'r>>,
    names: Names,
}

/// A bit for each name of the table.
#[derive(Default)]
struct Names([u64; 8]);

impl Names {
    fn put(&mut self, name: KeyId) {
        if let Some(bits) = self.0.get_mut(usize::from(name.0 >> 6)) {
            *bits |= 1 << (name.0 & 63);
        }
    }

    /// A name that has no bit may be there.
    fn has(&self, name: KeyId) -> bool {
        self.0.get(usize::from(name.0 >> 6)).is_none_or(|bits| bits >> (name.0 & 63) & 1 == 1)
    }
}

/// One attribute.
#[derive(Clone, Copy, Default)]
pub(super) struct Entry<'r> {
    pub(super) id: Option<KeyId>,
    pub(super) key: &'r str,
    /// An `AnyValue` message.
    pub(super) raw: &'r [u8],
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
        Self { message, number, seen: None, list: OnceCell::new() }
    }

    /// Those of a span of the request of which is known what was `seen`.
    pub(super) const fn of_span(message: &'r [u8], seen: Option<&'r Seen<'r>>) -> Self {
        Self { message, number: span::ATTRIBUTES, seen, list: OnceCell::new() }
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
        let list = self.list();
        if !names.iter().any(|name| list.names.has(*name)) {
            return false;
        }
        let known =
            list.entries.iter().filter_map(|entry| Some((entry.id.filter(|id| names.contains(id))?, entry.raw)));
        known.into_iter().any(|(id, raw)| AnyView::parse(raw).is_ok_and(|value| verdict::is_valid(id, &value)))
    }

    /// The keys that end so, each with its value.
    pub(super) fn ending(&self, suffixes: &'static [&'static str]) -> impl Iterator<Item = (&'r str, AnyView<'r>)> {
        let found =
            self.list().entries.iter().filter(|entry| suffixes.iter().any(|suffix| entry.key.ends_with(suffix)));
        found.filter_map(|entry| Some((entry.key, AnyView::parse(entry.raw).ok()?)))
    }

    /// Whether this name stands there, whatever its value.
    pub(super) fn has(&self, name: KeyId) -> bool {
        self.named(name).next().is_some()
    }

    fn named(&self, name: KeyId) -> impl Iterator<Item = &Entry<'r>> {
        let list = self.list();
        let entries = if list.names.has(name) { &list.entries[..] } else { &[] };
        entries.iter().filter(move |entry| entry.id == Some(name))
    }

    fn list(&self) -> &List<'r> {
        self.list.get_or_init(|| {
            let fields = Fields::new(self.message).flatten().filter(|field| field.number == u32::from(self.number));
            let seen = |attribute: &[u8]| self.seen.and_then(|seen| seen.entry(attribute));
            let attributes = fields.filter_map(|field| match field.value {
                Wire::Bytes(attribute) => seen(attribute).or_else(|| Entry::parse(attribute)),
                _ => None,
            });
            let mut entries = Vec::with_capacity(32);
            entries.extend(attributes);
            let mut names = Names::default();
            entries.iter().filter_map(|entry: &Entry<'_>| entry.id).for_each(|name| names.put(name));
            List { entries, names }
        })
    }
}
