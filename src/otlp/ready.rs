//! What many spans in a row have in common, as bytes that lie ready: the ids of their scope, what their calls opened with, and
//! their policy with how they ended.
//!
//! Known again by where it stands in memory. What is remembered is held, so nothing else can come to stand there. Costs the
//! memory of so many scopes and openings at the most, and one more copy of those that come once.

use std::sync::Arc;

use bytestring::ByteString;

use crate::event::{Attrs, CallKind, Outcome, Scope, Value};
use crate::semconv::KeyId;

/// As many scopes, and as many openings, may take turns before some are written anew.
const PLACES: usize = 64;

/// The bytes of scopes and openings that came before.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    pub(super) scopes: Scopes,
    pub(super) openings: Openings,
    pub(super) outcomes: Outcomes,
}

#[derive(Debug, Default)]
pub(super) struct Scopes(Shelf<Arc<Scope>, Vec<u8>>);

#[derive(Debug, Default)]
pub(super) struct Openings(Shelf<(CallKind, Shared), Opening>);

#[derive(Debug, Default)]
pub(super) struct Outcomes(Shelf<(ByteString, Option<Outcome>), Vec<u8>>);

/// What calls that opened alike share.
type Shared = Arc<[(KeyId, Value)]>;

/// What an opening makes of a span.
#[derive(Debug, Default)]
pub(super) struct Opening {
    /// The field of its name.
    pub(super) name: Vec<u8>,
    /// Attributes.
    pub(super) attributes: Vec<u8>,
}

/// Each thing at the place that its address leads to.
#[derive(Debug)]
struct Shelf<K, V>(Vec<Option<(K, V)>>);

impl Scopes {
    /// The bytes of a scope, which `write` writes where they are not known.
    pub(super) fn find(&mut self, scope: &Arc<Scope>, write: impl FnOnce(&mut Vec<u8>)) -> Option<&[u8]> {
        let is_it = |known: &Arc<Scope>| Arc::ptr_eq(known, scope);
        let rewrite = |bytes: &mut Vec<u8>| {
            bytes.clear();
            write(bytes);
        };
        self.0.find(Arc::as_ptr(scope).addr(), is_it, || Arc::clone(scope), rewrite).map(Vec::as_slice)
    }
}

impl Openings {
    /// The same of what a call of this kind opened with, where that is shared with others.
    pub(super) fn find(&mut self, kind: CallKind, attrs: &Attrs, write: impl FnOnce(&mut Opening)) -> Option<&Opening> {
        let shared = attrs.shared()?;
        let is_it = |(of, known): &(CallKind, Shared)| *of == kind && Arc::ptr_eq(known, shared);
        let rewrite = |opening: &mut Opening| {
            opening.name.clear();
            opening.attributes.clear();
            write(opening);
        };
        self.0.find(shared.as_ptr().addr(), is_it, || (kind, Arc::clone(shared)), rewrite)
    }
}

impl Outcomes {
    /// The same of a policy and an outcome.
    pub(super) fn find(
        &mut self,
        policy: Option<&ByteString>,
        outcome: Option<Outcome>,
        write: impl FnOnce(&mut Vec<u8>),
    ) -> Option<&[u8]> {
        let policy = policy?;
        let is_it = |(known, of): &(ByteString, Option<Outcome>)| {
            *of == outcome && std::ptr::eq(known.as_bytes(), policy.as_bytes())
        };
        let rewrite = |bytes: &mut Vec<u8>| {
            bytes.clear();
            write(bytes);
        };
        let address = policy.as_ptr().addr() + outcome.map_or(0, |outcome| 1 + outcome as usize);
        self.0.find(address, is_it, || (policy.clone(), outcome), rewrite).map(Vec::as_slice)
    }
}

impl<K, V: Default> Shelf<K, V> {
    fn find(
        &mut self,
        address: usize,
        is_it: impl FnOnce(&K) -> bool,
        key: impl FnOnce() -> K,
        write: impl FnOnce(&mut V),
    ) -> Option<&V> {
        if self.0.is_empty() {
            self.0.resize_with(PLACES, || None);
        }
        let place = self.0.get_mut(place_of(address))?;
        match place {
            Some((known, _)) if is_it(known) => {}
            Some((known, value)) => {
                write(value);
                *known = key();
            }
            None => {
                let mut value = V::default();
                write(&mut value);
                *place = Some((key(), value));
            }
        }
        place.as_ref().map(|(_, value)| value)
    }
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

const fn place_of(address: usize) -> usize {
    // Addresses are multiples of a few words: the multiplication by 2^64 over the golden ratio spreads them.
    ((address as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACES.ilog2())) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{At, CallRecord, Closed, Given, Key, KeyIdentity, Opened, Returned, SpanId, SpanIds, TraceId};
    use crate::otlp::encode::Encoder;
    use crate::semconv::{MAX_TOKENS, OPERATION_NAME, REQUEST_MODEL};

    fn record(
        kind: CallKind,
        scope: &Arc<Scope>,
        attrs: &Attrs,
        policy: &Option<ByteString>,
        outcome: Option<Outcome>,
    ) -> CallRecord<crate::event::Veiled> {
        let span = SpanIds { trace: TraceId::random(), span: SpanId::random(), parent: None, parent_is_remote: false };
        let at = At { time_unix_nano: 1_800_000_000_000_000_000, producer: None, seq: Some(1 << 20) };
        let opened = Opened { span, attrs: attrs.clone(), links: Vec::new(), policy: policy.clone() };
        let key = Key { kind, id: KeyIdentity::None, occurrence: 0 };
        let mut record = CallRecord::open(Arc::clone(scope), key, at, opened, Given::empty(kind));
        record.close(at, Closed { outcome, ..Closed::default() }, Returned::empty(kind));
        record
    }

    #[test]
    fn what_lies_ready_is_what_would_have_been_written_though_others_come_to_stand_where_it_stood() {
        let (encoder, mut ready) = (Encoder::default(), Ready::default());
        for number in 0..4 * PLACES as i64 {
            let tenant = (number % 3 == 0).then(|| ByteString::from_static("t"));
            let [rollout, thread, turn] = ["rollout", "thread", "turn"].map(|id| format!("{id}-{number}").into());
            let scope = Arc::new(Scope { tenant, rollout, thread, turn });
            let mut attrs = Attrs::default();
            attrs.set(REQUEST_MODEL, ByteString::from(format!("model-{}", "x".repeat(number as usize))));
            attrs.set(MAX_TOKENS, number);
            if number % 2 == 0 {
                attrs.set(OPERATION_NAME, ByteString::from_static("chat"));
            }
            if number % 5 > 0 {
                attrs.share();
            }
            let policy = (number % 7 > 0).then(|| ByteString::from(format!("content=digest;key={}", number % 11)));
            let outcomes = [Some(Outcome::Completed), Some(Outcome::Failed), None];
            let kinds = [CallKind::Inference, CallKind::Tool, CallKind::Inference];
            for (kind, outcome) in kinds.into_iter().zip(outcomes).chain(kinds.into_iter().zip(outcomes)) {
                let record = record(kind, &scope, &attrs, &policy, outcome);
                let (mut written, mut with_ready) = (Vec::new(), Vec::new());
                encoder.span_field(&record, &mut written);
                encoder.span_field_with(&mut ready, &record, &mut with_ready);
                assert!(written == with_ready, "{number} {kind:?}");
            }
        }
    }
}
