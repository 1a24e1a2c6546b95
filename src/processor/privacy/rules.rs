//! The policy, as it applies to one span, resource or scope.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::atomic::{AtomicU64, Ordering};

use super::memo::Memo;
use super::verdict;
use crate::otlp::encode::Encoder;
use crate::otlp::{AnyView, Attributes};
use crate::privacy::c1::Hasher;
use crate::privacy::measure::Telling;
use crate::privacy::{Level, Policy, Tally, replaced_label};
use crate::semconv::{self, Field, lookup};

/// The policy with the key of the tenant that a span names. The key is only made when something is to be hashed.
pub(super) struct Rules<'a> {
    policy: &'a Policy,
    memo: &'a Memo,
    encoder: &'a Encoder,
    replaced: &'a AtomicU64,
    tally: &'a Tally,
    /// The span that may name a tenant; empty where none can be named.
    span: &'a [u8],
    hasher: OnceCell<Option<Hasher>>,
}

impl<'a> Rules<'a> {
    pub(super) const fn new(
        policy: &'a Policy,
        memo: &'a Memo,
        encoder: &'a Encoder,
        (replaced, tally): (&'a AtomicU64, &'a Tally),
        span: &'a [u8],
    ) -> Self {
        Self { policy, memo, encoder, replaced, tally, span, hasher: OnceCell::new() }
    }

    /// The function D of the span's tenant, if digests may leave.
    pub(super) fn hasher(&self) -> Option<&Hasher> {
        let tenant = || tenant(self.span);
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
        Telling { policy: self.policy, hasher: self.hasher(), tally: self.tally }
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
        self.policy.detectors().is_some_and(|detectors| self.memo.hits(text, |text| detectors.hits(text)))
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

/// The tenant that a span names, as it stands last.
fn tenant(span: &[u8]) -> Option<&str> {
    let is_tenant = |key: &str| key == semconv::TENANT_ID.key();
    let named = Attributes::new(span, 9).flatten().filter(|(key, _)| is_tenant(key));
    named
        .filter_map(|(_, value)| match value {
            AnyView::Text(tenant) => Some(tenant),
            _ => None,
        })
        .last()
}
