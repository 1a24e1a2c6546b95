//! The policy on single messages: what a stage and a plug-in in the SDK have in common.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

#[cfg(feature = "collector")]
use super::looked::Left;
#[cfg(feature = "collector")]
use super::others;
use super::rules::Rules;
use super::seen::Seen;
use super::splice::ranged;
use super::verdict::stays_under;
use super::{owner, span};
use crate::otlp::encode::Encoder;
use crate::otlp::wire::Malformed;
#[cfg(feature = "collector")]
use crate::privacy::measure::Telling;
use crate::privacy::{PayloadCounts, Payloads, Policy, Tally, VeilCounts};

/// Applies a policy to messages in canonical bytes: what veils one gives nothing where all of the message may leave.
pub(in crate::processor) struct MessageVeil {
    /// Held while messages are veiled, so that none is under a policy that has been replaced.
    policy: RwLock<Policy>,
    encoder: Encoder,
    labels_replaced: AtomicU64,
    tally: Tally,
}

/// A policy that holds while this lives.
pub(in crate::processor) struct Veiling<'v> {
    veil: &'v MessageVeil,
    in_force: RwLockReadGuard<'v, Policy>,
}

impl MessageVeil {
    pub(in crate::processor) fn new(policy: Policy) -> Self {
        Self {
            policy: RwLock::new(policy),
            encoder: Encoder::default(),
            labels_replaced: AtomicU64::new(0),
            tally: Tally::default(),
        }
    }

    pub(in crate::processor) fn policy(&self) -> Policy {
        self.in_force().clone()
    }

    /// From now on messages leave under this policy, and what waits to be kept is kept if this one lets it.
    pub(in crate::processor) fn set_policy(&self, policy: Policy) {
        let mut in_force = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(payloads) = in_force.payloads() {
            payloads.lower(policy.levels());
        }
        *in_force = policy;
    }

    fn in_force(&self) -> RwLockReadGuard<'_, Policy> {
        self.policy.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::processor) fn counts(&self) -> VeilCounts {
        let (texts_cut, texts_masked) = self.tally.read();
        let labels_replaced = self.labels_replaced.load(Ordering::Relaxed);
        VeilCounts { labels_replaced, labels_left_out: 0, texts_cut, texts_masked }
    }

    pub(in crate::processor) fn payload_counts(&self) -> PayloadCounts {
        self.in_force().payload_counts()
    }

    /// Waits until what was taken to be kept is kept, and says whether nothing waits any more.
    pub(in crate::processor) fn flush(&self, deadline: Instant) -> bool {
        let payloads: Option<Payloads> = self.in_force().payloads().cloned();
        payloads.is_none_or(|payloads| payloads.flush(deadline))
    }

    /// The policy in force, for what is veiled under it together. No other one takes its place meanwhile.
    pub(in crate::processor) fn begin(&self) -> Veiling<'_> {
        Veiling { veil: self, in_force: self.in_force() }
    }
}

/// Where an attribute has less room than this, content is cut to what may say something else than it did, or stands alone
/// where it stood beside what said more.
const LITTLE_ROOM: usize = 1024;
/// As often what is left is looked at again, then. Each look leaves less to be said.
const MORE_LOOKS: usize = 8;

impl Veiling<'_> {
    /// Whether a text may leave as a label.
    pub(in crate::processor) fn stays(&self, text: &str) -> bool {
        stays_under(&self.in_force, text)
    }

    /// The `Span` of a GenAI call.
    pub(in crate::processor) fn span(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        self.settled(span::span(&self.rules(bytes, None), bytes, ranged(bytes))?)
    }

    /// A span that was veiled, as another stage behind this one would leave it.
    fn settled(&self, veiled: Option<Vec<u8>>) -> Result<Option<Vec<u8>>, Malformed> {
        let Some(mut veiled) = veiled else { return Ok(None) };
        let looks = if self.in_force.attribute_bytes() < LITTLE_ROOM { MORE_LOOKS } else { 0 };
        for _ in 0..looks {
            match span::span(&self.rules(&veiled, None), &veiled, ranged(&veiled))? {
                Some(again) => veiled = again,
                None => break,
            }
        }
        Ok(Some(veiled))
    }

    /// The same where all has been judged but what is `left`, of a request of which is known what was `seen`.
    #[cfg(feature = "collector")]
    pub(super) fn left_of_span<'r>(
        &'r self,
        bytes: &'r [u8],
        mut left: Left<'r>,
        seen: &'r Seen<'r>,
    ) -> Result<Option<Vec<u8>>, Malformed> {
        let rules = self.rules(bytes, Some(seen));
        // An id is all that most spans have for themselves.
        left.retain(|(_, field)| !span::is_attribute_that_stays(&rules, field));
        if left.is_empty() {
            return Ok(None);
        }
        self.settled(span::span(&rules, bytes, left.into_iter().map(Ok))?)
    }

    /// The `Span` of anything else. `seen` is of the request that it stands in, if it stands there as it is.
    #[cfg(feature = "collector")]
    pub(super) fn other_span<'r>(
        &self,
        bytes: &'r [u8],
        seen: Option<&Seen<'r>>,
    ) -> Result<Option<Vec<u8>>, Malformed> {
        let telling = Telling::new(&self.in_force, None, &self.veil.tally);
        others::span(&telling, bytes, seen)
    }

    /// The `Resource` of GenAI spans.
    pub(in crate::processor) fn resource(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        owner::resource(&self.rules(&[], None), bytes)
    }

    /// The `InstrumentationScope` of GenAI spans.
    pub(in crate::processor) fn scope(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        owner::scope(&self.rules(&[], None), bytes)
    }

    fn rules<'r>(&'r self, span: &'r [u8], seen: Option<&'r Seen<'r>>) -> Rules<'r> {
        let MessageVeil { encoder, labels_replaced, tally, .. } = self.veil;
        Rules::new(&self.in_force, encoder, (labels_replaced, tally), (span, seen))
    }
}
