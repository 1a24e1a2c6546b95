//! The policy on single messages: what a stage and a plug-in in the SDK have in common.

use std::sync::atomic::{AtomicU64, Ordering};

use super::rules::Rules;
use super::verdict::stays_under;
use super::{owner, span};
use crate::otlp::encode::Encoder;
use crate::otlp::wire::Malformed;
use crate::privacy::{Policy, Tally, VeilCounts};

/// Applies a policy to messages in canonical bytes. Each function gives nothing where all of the message may leave.
pub(in crate::processor) struct MessageVeil {
    policy: Policy,
    encoder: Encoder,
    labels_replaced: AtomicU64,
    tally: Tally,
}

impl MessageVeil {
    pub(in crate::processor) fn new(policy: Policy) -> Self {
        Self { policy, encoder: Encoder::default(), labels_replaced: AtomicU64::new(0), tally: Tally::default() }
    }

    pub(in crate::processor) const fn policy(&self) -> &Policy {
        &self.policy
    }

    pub(in crate::processor) fn counts(&self) -> VeilCounts {
        let (texts_cut, texts_masked) = self.tally.read();
        VeilCounts { labels_replaced: self.labels_replaced.load(Ordering::Relaxed), texts_cut, texts_masked }
    }

    /// Whether a text may leave as a label.
    pub(in crate::processor) fn stays(&self, text: &str) -> bool {
        stays_under(&self.policy, text)
    }

    /// The `Span` of a GenAI call.
    pub(in crate::processor) fn span(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        span::span(&self.rules(bytes), bytes)
    }

    /// The `Resource` of GenAI spans.
    pub(in crate::processor) fn resource(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        owner::resource(&self.rules(&[]), bytes)
    }

    /// The `InstrumentationScope` of GenAI spans.
    pub(in crate::processor) fn scope(&self, bytes: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        owner::scope(&self.rules(&[]), bytes)
    }

    const fn rules<'a>(&'a self, span: &'a [u8]) -> Rules<'a> {
        Rules::new(&self.policy, &self.encoder, (&self.labels_replaced, &self.tally), span)
    }
}
