//! A span of our own making.

use crate::event::{Attrs, Link, SpanId, TraceId};
use crate::reduce::graph::Finding;

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
    /// Its events, at most [`MAX_EVENTS`](Self::MAX_EVENTS): each tells of a finding.
    pub events: Vec<SynthEvent>,
    /// How many more events there would be.
    pub dropped_events: u32,
    /// Whether its status is `ERROR`.
    pub is_error: bool,
}

/// An event of a span of our own making: a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SynthEvent {
    /// Nanoseconds since 1970.
    pub at_unix_nano: u64,
    /// What was found: digests, checked labels and numbers.
    pub attrs: Attrs,
}

impl SynthEvent {
    /// The name of every one.
    pub const NAME: &'static str = "veilspan.finding";
}

/// The most links to turns or calls that a span carries.
const MAX_LINKS: usize = 128;

impl SynthSpan {
    /// The most events that a span carries. OpenTelemetry's SDKs keep as many by default.
    pub const MAX_EVENTS: usize = 128;

    /// Adds an event for each of these findings, as many as it may carry, and counts the rest.
    pub(super) fn tell<'f>(&mut self, findings: impl Iterator<Item = &'f Finding>) {
        for finding in findings {
            self.add_event(|| finding.to_attrs());
        }
    }

    /// Adds an event at the span's end unless it has as many as it may carry; those over the bound are counted.
    pub fn add_event(&mut self, attrs: impl FnOnce() -> Attrs) {
        if self.events.len() >= Self::MAX_EVENTS {
            self.dropped_events = self.dropped_events.saturating_add(1);
            return;
        }
        self.events.push(SynthEvent { at_unix_nano: self.end_unix_nano, attrs: attrs() });
    }

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

    /// The same, which holds nothing else in memory.
    pub(super) fn detached(mut self) -> Self {
        self.attrs.detach();
        self.events.iter_mut().for_each(|event| event.attrs.detach());
        self
    }

    pub(super) fn bytes(&self) -> usize {
        // Attributes are few, and their texts are ids and names.
        let attrs = self.attrs.len() + self.events.iter().map(|event| event.attrs.len()).sum::<usize>();
        size_of::<Self>()
            + self.links.len() * size_of::<Link>()
            + self.events.len() * size_of::<SynthEvent>()
            + attrs * 96
            + self.name.len()
    }
}
