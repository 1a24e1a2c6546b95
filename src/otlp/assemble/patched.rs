//! A received request with some of its parts replaced or left out.

use std::ops::Range;

use bytes::Bytes;

use super::patches::{Envelope, Patch, Patches};
use super::pieces::{Heads, Pieces};
use crate::otlp::request::{Request, ResourceSpans, ScopeSpans};
use crate::otlp::segments::Segments;
use crate::otlp::wire::{Field, Fields, Wire};

/// The request as the patches leave it.
///
/// What nothing is said of keeps its bytes, and is shared, not copied; without patches the whole request is the one
/// piece that it was. A scope that loses its last span goes, and so does a resource that loses its last scope, so that
/// the answer may be empty: there is nothing to send then.
pub fn patched(request: &Request, patches: &Patches) -> Segments {
    let mut patcher = Patcher { request, patches, envelope: patches.envelope, heads: Heads::default() };
    let mut out = Pieces::default();
    let mut resources = request.resources();
    let whole = 0..request.bytes().len();
    for (field, range, _) in fields(request.bytes(), whole) {
        match field {
            1 => {
                if let Some(resource) = resources.next() {
                    patcher.resource_spans(resource, range, &mut out);
                }
            }
            _ if patches.envelope == Envelope::Keep && patches.envelopes.is_empty() => out.old(range),
            _ => {}
        }
    }
    out.finish(patcher.heads, request.bytes())
}

struct Patcher<'a> {
    request: &'a Request,
    patches: &'a Patches,
    /// What becomes of the fields around the spans of the resource at hand.
    envelope: Envelope,
    heads: Heads,
}

impl<'a> Patcher<'a> {
    fn resource_spans(&mut self, resource: ResourceSpans<'a>, field: Range<usize>, out: &mut Pieces) {
        let patch = self.patches.resources.get(resource.place());
        if *patch == Patch::Drop {
            return;
        }
        let own = self.patches.envelopes.get(&resource.place()).copied();
        self.envelope = own.unwrap_or_default().max(self.patches.envelope);
        if *patch == Patch::Keep && !self.touches(resource.scope_places(), resource.span_places()) {
            out.old(field);
            return;
        }
        let mut inside = Pieces::default();
        let replaced = self.replace(patch, &mut inside);
        let mut scopes = resource.scopes();
        let mut is_left = resource.scope_places().is_empty();
        for (number, range, body) in fields(self.request.bytes(), resource.range()) {
            match number {
                1 if replaced => {}
                2 => {
                    if let Some(scope) = scopes.next() {
                        is_left |= self.scope_spans(scope, range, &mut inside);
                    }
                }
                _ => self.other_field(number, range, body, &mut inside),
            }
        }
        if is_left {
            out.nested(&mut self.heads, 1, inside);
        }
    }

    /// Whether anything is left of it.
    fn scope_spans(&mut self, scope: ScopeSpans<'a>, field: Range<usize>, out: &mut Pieces) -> bool {
        let patch = self.patches.scopes.get(scope.place());
        if *patch == Patch::Drop {
            return false;
        }
        if *patch == Patch::Keep && !self.touches(0..0, scope.span_places()) {
            out.old(field);
            return true;
        }
        let mut inside = Pieces::default();
        let replaced = self.replace(patch, &mut inside);
        let mut places = scope.span_places();
        let mut is_left = places.is_empty();
        for (number, range, body) in fields(self.request.bytes(), scope.range()) {
            match number {
                1 if replaced => {}
                2 => {
                    if let Some(place) = places.next() {
                        is_left |= self.span(place, range, body, &mut inside);
                    }
                }
                _ => self.other_field(number, range, body, &mut inside),
            }
        }
        if is_left {
            out.nested(&mut self.heads, 2, inside);
        }
        is_left
    }

    /// Whether anything is left of it.
    fn span(&mut self, place: usize, field: Range<usize>, body: Range<usize>, out: &mut Pieces) -> bool {
        match self.patches.spans.get(place) {
            Patch::Keep if self.rewrites_envelope() => out.old_field(&mut self.heads, 2, body),
            Patch::Keep => out.old(field),
            Patch::Replace(span) => out.field(&mut self.heads, 2, span.clone()),
            Patch::Drop => return false,
        }
        true
    }

    /// Puts a new resource or scope before all else.
    fn replace(&mut self, patch: &Patch, inside: &mut Pieces) -> bool {
        match patch {
            Patch::Replace(message) => {
                inside.field(&mut self.heads, 1, Bytes::clone(message));
                true
            }
            _ => false,
        }
    }

    /// A resource or scope that stays, a schema URL, or what is unknown.
    fn other_field(&mut self, number: u32, range: Range<usize>, body: Range<usize>, inside: &mut Pieces) {
        let stays = match self.envelope {
            Envelope::Keep => true,
            Envelope::Known => matches!(number, 1 | 3),
            Envelope::Bare => number == 1,
        };
        if stays && self.rewrites_envelope() {
            inside.old_field(&mut self.heads, number, body);
        } else if stays {
            inside.old(range);
        }
    }

    fn touches(&self, scopes: Range<usize>, spans: Range<usize>) -> bool {
        self.patches.spans.touches(spans)
            || self.patches.scopes.touches(scopes)
            || self.rewrites_envelope()
            || self.envelope == Envelope::Bare
    }

    /// Whether the heads of fields could hide something that is not to stay.
    fn rewrites_envelope(&self) -> bool {
        self.envelope != Envelope::Keep && !self.request.envelope_is_canonical()
    }
}

/// The fields in a range of a request, each with its own range and, where it has one, that of its content.
///
/// The request has been read before, so that there is no error to meet.
fn fields(bytes: &[u8], range: Range<usize>) -> impl Iterator<Item = (u32, Range<usize>, Range<usize>)> {
    let mut fields = Fields::new(bytes.get(range.clone()).unwrap_or_default());
    std::iter::from_fn(move || {
        let start = range.start + fields.position();
        let field: Field<'_> = fields.next()?.ok()?;
        let end = range.start + fields.position();
        let content = match field.value {
            Wire::Bytes(content) => content.len(),
            _ => 0,
        };
        Some((field.number, start..end, end - content..end))
    })
}
