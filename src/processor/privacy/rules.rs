//! The policy, as it applies to one span, resource or scope.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::named::{Entry, Named};
use super::seen::Seen;
use super::verdict;
use crate::otlp::AnyView;
use crate::otlp::encode::Encoder;
use crate::privacy::c1::Hasher;
use crate::privacy::measure::Telling;
use crate::privacy::{Level, Policy, Tally, replaced_label};
use crate::semconv::{self, Field, lookup};

/// The policy with the key of the tenant that a span names. The key is only made when something is to be hashed.
pub(super) struct Rules<'r> {
    policy: &'r Policy,
    encoder: &'r Encoder,
    replaced: &'r AtomicU64,
    tally: &'r Tally,
    /// Those of the span, which may name a tenant; none where none can be named.
    attributes: Named<'r>,
    seen: Option<&'r Seen<'r>>,
    hasher: OnceCell<Option<Hasher>>,
}

impl<'r> Rules<'r> {
    pub(super) const fn new(
        policy: &'r Policy,
        encoder: &'r Encoder,
        (replaced, tally): (&'r AtomicU64, &'r Tally),
        (span, seen): (&'r [u8], Option<&'r Seen<'r>>),
    ) -> Self {
        let attributes = Named::of_span(span, seen);
        Self { policy, encoder, replaced, tally, attributes, seen, hasher: OnceCell::new() }
    }

    /// The attributes of the span.
    pub(super) const fn attributes(&self) -> &Named<'r> {
        &self.attributes
    }

    /// Whether an attribute of another span of the request was the same, and stayed.
    pub(super) fn has_seen(&self, attribute: &[u8]) -> bool {
        self.seen.is_some_and(|seen| seen.has(attribute))
    }

    /// The name of a span stays as it is.
    pub(super) fn see_name(&self, name: &'r str) {
        if let Some(seen) = self.seen {
            seen.name_stays(name);
        }
    }

    /// An attribute of a span stays as it is.
    pub(super) fn see(&self, attribute: &'r [u8], entry: Entry<'r>) {
        if let Some(seen) = self.seen {
            seen.stays(attribute, entry);
        }
    }

    /// The function D of the span's tenant, if digests may leave.
    pub(super) fn hasher(&self) -> Option<&Hasher> {
        let tenant = || self.attributes.last_text(semconv::TENANT_ID.id());
        self.hasher.get_or_init(|| self.policy.hasher().map(|hasher| hasher.for_tenant(tenant()))).as_ref()
    }

    /// The level of a class. Content of no known class may be any: of it the most private level holds.
    pub(super) fn level(&self, class: Option<Field>) -> Level {
        class.map_or_else(|| self.policy.levels().least(), |class| self.policy.levels().of(class))
    }

    /// Whether anything may be told of any content.
    pub(super) fn tells_of_content(&self) -> bool {
        self.policy.levels().most() >= Level::Digest
    }

    /// What may be told of content.
    pub(super) fn telling(&self) -> Telling<'_> {
        Telling::new(self.policy, self.hasher(), self.tally)
    }

    /// The policy as it stands on a span.
    pub(super) fn snapshot(&self) -> &str {
        self.policy.snapshot()
    }

    pub(super) const fn encoder(&self) -> &Encoder {
        self.encoder
    }

    /// A text as it is where it looks like a label, else what stands for it.
    pub(super) fn label<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.stays(text) { Cow::Borrowed(text) } else { Cow::Owned(self.replaced(text)) }
    }

    /// Whether a text may leave as a label.
    pub(super) fn stays(&self, text: &str) -> bool {
        verdict::stays(text) && !self.is_hit(text)
    }

    /// Whether the name of an attribute may leave. Those of the table may.
    pub(super) fn key_stays(&self, key: &str) -> bool {
        lookup(key).is_some() || self.stays(key)
    }

    /// Whether a detector hits a text of a value.
    pub(super) fn hits(&self, value: &AnyView<'_>) -> bool {
        match value {
            AnyView::Text(text) => self.is_hit(text),
            AnyView::Array(values) => {
                values.clone().any(|value| matches!(value, Ok(AnyView::Text(text)) if self.is_hit(text)))
            }
            _ => false,
        }
    }

    fn is_hit(&self, text: &str) -> bool {
        self.policy.detectors().is_some_and(|detectors| detectors.hits(text))
    }

    /// What stands for a text that is no label.
    pub(super) fn replaced(&self, text: &str) -> String {
        self.count_replaced();
        replaced_label(self.hasher(), text).to_string()
    }

    pub(super) fn count_replaced(&self) {
        self.replaced.fetch_add(1, Ordering::Relaxed);
    }
}
