//! What is to become of the parts of a received request.

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use crate::otlp::form::Form;
use crate::otlp::request::Request;

/// What is to become of one span, resource or scope. Its `Debug` shows no bytes.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Patch {
    /// Its bytes stay as they are.
    #[default]
    Keep,
    /// This message takes its place.
    Replace(Bytes),
    /// It goes, and with a resource or a scope all that belongs to it.
    Drop,
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keep => f.write_str("Keep"),
            Self::Replace(bytes) => write!(f, "Replace({} bytes)", bytes.len()),
            Self::Drop => f.write_str("Drop"),
        }
    }
}

/// What is to become of the fields around spans, resources and scopes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Envelope {
    /// They stay as they are, unknown ones too.
    #[default]
    Keep,
    /// Those that OTLP does not know go.
    Known,
    /// Those and the schema URLs go.
    Bare,
}

/// What is to become of a request: everything stays that nothing is said of. Places are those of the
/// [`Request`](crate::otlp::Request), and cheapest to give in ascending order.
#[derive(Clone, Debug, Default)]
pub struct Patches {
    pub(super) resources: Places,
    pub(super) scopes: Places,
    pub(super) spans: Places,
    pub(super) envelope: Envelope,
    pub(super) envelopes: BTreeMap<usize, Envelope>,
}

impl Patches {
    /// Those that take out what no receiver would read, so that the rest can be sent on, and how many spans go with it.
    pub fn without_malformed(request: &Request) -> (Self, usize) {
        let mut patches = Self::default();
        let mut spans = 0;
        for resource in request.resources() {
            if resource.form() == Form::Malformed {
                patches.resource(resource.place(), Patch::Drop);
                spans += resource.scopes().map(|scope| scope.spans().count()).sum::<usize>();
                continue;
            }
            for scope in resource.scopes() {
                if scope.form() == Form::Malformed {
                    patches.scope(scope.place(), Patch::Drop);
                    spans += scope.spans().count();
                    continue;
                }
                for span in scope.spans().filter(|span| span.form() == Form::Malformed) {
                    patches.span(span.place(), Patch::Drop);
                    spans += 1;
                }
            }
        }
        (patches, spans)
    }

    /// Patches a `Resource` message.
    pub fn resource(&mut self, place: usize, patch: Patch) {
        self.resources.set(place, patch);
    }

    /// Patches an `InstrumentationScope` message.
    pub fn scope(&mut self, place: usize, patch: Patch) {
        self.scopes.set(place, patch);
    }

    /// Patches a `Span` message.
    pub fn span(&mut self, place: usize, patch: Patch) {
        self.spans.set(place, patch);
    }

    /// Says what becomes of the fields around spans, resources and scopes.
    pub const fn envelope(&mut self, envelope: Envelope) {
        self.envelope = envelope;
    }

    /// Says what becomes of such fields in the spans of one resource, where it is more than of all others. Those that
    /// the request itself has go with the first of them: nobody knows to which resource they belong.
    pub fn envelope_of(&mut self, resource: usize, envelope: Envelope) {
        if envelope != Envelope::Keep {
            self.envelopes.insert(resource, envelope);
        }
    }

    /// Whether everything stays.
    pub fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
            && self.resources.0.is_empty()
            && self.scopes.0.is_empty()
            && self.spans.0.is_empty()
            && matches!(self.envelope, Envelope::Keep)
    }
}

/// Patches by place, in ascending order.
#[derive(Clone, Debug, Default)]
pub(super) struct Places(Vec<(usize, Patch)>);

impl Places {
    fn set(&mut self, place: usize, patch: Patch) {
        if patch == Patch::Keep && self.get(place) == &Patch::Keep {
            return;
        }
        if self.0.last().is_none_or(|(last, _)| *last < place) {
            self.0.push((place, patch));
            return;
        }
        match self.0.binary_search_by_key(&place, |(at, _)| *at) {
            Ok(found) => {
                if let Some(entry) = self.0.get_mut(found) {
                    entry.1 = patch;
                }
            }
            Err(gap) => self.0.insert(gap, (place, patch)),
        }
    }

    pub(super) fn get(&self, place: usize) -> &Patch {
        let found = self.0.binary_search_by_key(&place, |(at, _)| *at);
        found.ok().and_then(|found| self.0.get(found)).map_or(&Patch::Keep, |(_, patch)| patch)
    }

    /// Whether anything is said of one of these places.
    pub(super) fn touches(&self, places: std::ops::Range<usize>) -> bool {
        let first = self.0.partition_point(|(at, _)| *at < places.start);
        self.0.get(first).is_some_and(|(at, _)| *at < places.end)
    }
}
