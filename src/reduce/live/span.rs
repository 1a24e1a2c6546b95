//! A span of our own making.

use crate::event::{Attrs, Link, SpanId, TraceId};

/// A span that no producer sent, ready to be encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SynthSpan {
    /// Its trace.
    pub trace: TraceId,
    /// Its id: a hash of what it stands for, so that whoever synthesises it gives it the same.
    pub span: SpanId,
    /// Its parent.
    pub parent: Option<SpanId>,
    /// Its name.
    pub name: String,
    /// Nanoseconds since 1970.
    pub start_unix_nano: u64,
    /// Nanoseconds since 1970.
    pub end_unix_nano: u64,
    /// Its attributes, the identity path among them.
    pub attrs: Attrs,
    /// Its links, at most 128 and one for the generation before.
    pub links: Vec<Link>,
    /// How many more links there would be.
    pub dropped_links: u32,
    /// Whether its status is `ERROR`.
    pub is_error: bool,
}

/// The most links to turns or calls that a span carries.
pub(super) const MAX_LINKS: usize = 128;

impl SynthSpan {
    /// Adds as many links as it may carry, and counts the rest.
    pub(super) fn link_to(&mut self, spans: impl Iterator<Item = (TraceId, SpanId)>) {
        let mut room = MAX_LINKS;
        for (trace, span) in spans {
            if room == 0 {
                self.dropped_links = self.dropped_links.saturating_add(1);
                continue;
            }
            room -= 1;
            self.links.push(Link { trace, span, kind: None });
        }
    }

    pub(super) fn bytes(&self) -> usize {
        // Attributes are few, and their texts are ids and names.
        size_of::<Self>() + self.links.len() * size_of::<Link>() + self.attrs.len() * 96 + self.name.len()
    }
}
