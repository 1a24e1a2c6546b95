//! A received request, and what lies where in it.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;

use super::form::Form;
use super::view::SpanView;
use super::walk::{Entry, Group, Index, Part, join, walk};
use super::wire::Malformed;

/// Bytes that are no `ExportTraceServiceRequest`. Says nothing of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an export request")]
pub struct NotARequest(());

impl From<Malformed> for NotARequest {
    fn from(_: Malformed) -> Self {
        Self(())
    }
}

/// How far a request is looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Down to where each span begins and ends. A form is looked at each time that somebody asks for it.
    Outside,
    /// Into everything, so that what no receiver would read is known.
    Inside,
}

/// A whole `ExportTraceServiceRequest`: its bytes, and an index of what lies where.
///
/// Made by one pass, which allocates the index and nothing else. A span, resource or scope that is malformed inside is
/// in the index and says so; what lies around them has to be right. `Debug` shows no bytes.
#[derive(Clone)]
pub struct Request {
    bytes: Bytes,
    index: Index,
}

impl Request {
    /// Reads a request.
    ///
    /// # Errors
    ///
    /// [`NotARequest`] where it cannot be told where spans begin and end, or a receiver would refuse all of it for
    /// another reason than a span, a resource or a scope; and where there are over 65,536 resources and scopes, or as many
    /// spans and more of less than 16 bytes each, which no producer sends: to index them would take many times the memory
    /// that the request does.
    pub fn parse(bytes: Bytes, look: Look) -> Result<Self, NotARequest> {
        u32::try_from(bytes.len()).map_err(|_| NotARequest(()))?;
        let index = walk(&bytes, look)?;
        Ok(Self { bytes, index })
    }

    /// The request as it came.
    pub const fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Whether the fields around spans, resources and scopes are all known, each stands as often as it may, and no
    /// length is longer than it has to be.
    pub const fn envelope_is_canonical(&self) -> bool {
        self.index.envelope_is_canonical
    }

    /// How many spans there are.
    pub const fn span_count(&self) -> usize {
        self.index.spans.len()
    }

    /// Its resources.
    pub fn resources(&self) -> impl Iterator<Item = ResourceSpans<'_>> {
        (0..).zip(&self.index.resources).map(|(place, group)| ResourceSpans { request: self, place, group })
    }

    /// Its spans, whatever their resource and scope.
    pub fn spans(&self) -> impl Iterator<Item = SpanEntry<'_>> {
        (0..).zip(&self.index.spans).map(|(place, entry)| SpanEntry { request: self, place, entry })
    }

    fn slice(&self, part: Part) -> &[u8] {
        self.bytes.get(part.range()).unwrap_or_default()
    }

    fn text(&self, part: Part) -> &str {
        std::str::from_utf8(self.slice(part)).unwrap_or_default()
    }

    fn owner(&self, group: &Group) -> Cow<'_, [u8]> {
        if group.owner_is_split {
            Cow::Owned(join(self.slice(group.body)))
        } else {
            Cow::Borrowed(self.slice(group.owner))
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("length", &self.bytes.len())
            .field("resources", &self.index.resources.len())
            .field("scopes", &self.index.scopes.len())
            .field("spans", &self.index.spans.len())
            .finish_non_exhaustive()
    }
}

macro_rules! group {
    ($(#[$doc:meta])* $name:ident, $owner:ident, $what:literal, $form:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        #[allow(missing_debug_implementations)]
        pub struct $name<'a> {
            request: &'a Request,
            place: usize,
            group: &'a Group,
        }

        impl<'a> $name<'a> {
            /// Its place among all of the request.
            pub const fn place(&self) -> usize {
                self.place
            }

            #[doc = concat!("Its `", $what, "` message; empty where it has none, joined where it stands in parts.")]
            pub fn $owner(&self) -> Cow<'a, [u8]> {
                self.request.owner(self.group)
            }

            /// How that message is written.
            pub fn form(&self) -> Form {
                let Self { request, group, .. } = *self;
                let look = || group.owner_form(request.slice(group.body), request.slice(group.owner), $form);
                group.form.unwrap_or_else(look)
            }

            /// Its schema URL; empty where it has none.
            pub fn schema_url(&self) -> &'a str {
                self.request.text(self.group.schema_url)
            }

            /// Where its fields lie in the request.
            pub(super) const fn range(&self) -> Range<usize> {
                self.group.body.range()
            }
        }
    };
}

group! {
    /// The spans of one resource.
    ResourceSpans, resource, "Resource", Form::of_resource
}
group! {
    /// The spans of one scope of a resource.
    ScopeSpans, scope, "InstrumentationScope", Form::of_scope
}

impl<'a> ResourceSpans<'a> {
    /// Its scopes.
    pub fn scopes(&self) -> impl Iterator<Item = ScopeSpans<'a>> + use<'a> {
        let request = self.request;
        let groups = request.index.scopes.get(self.scope_places()).unwrap_or_default();
        self.scope_places().zip(groups).map(move |(place, group)| ScopeSpans { request, place, group })
    }

    pub(super) const fn scope_places(&self) -> Range<usize> {
        self.group.members.range()
    }

    /// The places of all its spans, which follow each other.
    pub(super) fn span_places(&self) -> Range<usize> {
        let mut scopes = self.scopes();
        let Some(first) = scopes.next() else { return 0..0 };
        let last = scopes.last().unwrap_or(first);
        first.span_places().start..last.span_places().end
    }
}

impl<'a> ScopeSpans<'a> {
    /// Its spans.
    pub fn spans(&self) -> impl Iterator<Item = SpanEntry<'a>> + use<'a> {
        let request = self.request;
        let entries = request.index.spans.get(self.span_places()).unwrap_or_default();
        self.span_places().zip(entries).map(move |(place, entry)| SpanEntry { request, place, entry })
    }

    pub(super) const fn span_places(&self) -> Range<usize> {
        self.group.members.range()
    }
}

/// One span of a request.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations)]
pub struct SpanEntry<'a> {
    request: &'a Request,
    place: usize,
    entry: &'a Entry,
}

impl<'a> SpanEntry<'a> {
    /// Its place among all spans of the request.
    pub const fn place(&self) -> usize {
        self.place
    }

    /// How its message is written.
    pub fn form(&self) -> Form {
        self.entry.form.unwrap_or_else(|| Form::of_span(self.as_slice()))
    }

    /// Its message, shared with the request.
    pub fn bytes(&self) -> Bytes {
        self.request.bytes.slice(self.entry.body.range())
    }

    /// Its message, borrowed.
    pub fn as_slice(&self) -> &'a [u8] {
        self.request.slice(self.entry.body)
    }

    /// Its message, read.
    ///
    /// # Errors
    ///
    /// As [`SpanView::parse`]; none where its form was looked at and is not malformed.
    pub fn view(&self) -> Result<SpanView<'a>, Malformed> {
        SpanView::parse(self.as_slice())
    }
}
