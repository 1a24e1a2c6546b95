//! What was found to be a label before: most labels are the same from call to call.

use std::sync::Arc;

use bytestring::ByteString;

use super::detect::Detectors;
use super::kept::kept;
use super::label::is_safe_label;
use super::openings::Openings;
use super::policy::Policy;
use crate::event::{Scope, SpanIds};
use crate::semconv::{Class, KeyId, is_constant};

/// The last label of each key, and the last scopes, so that what comes again is neither looked at nor copied again.
///
/// Keeps only what leaves as it is.
#[derive(Default)]
pub(super) struct Known {
    labels: Vec<Last>,
    /// Each at the place that its address leads to. While it is kept nothing else has that address.
    scopes: Vec<Option<Arc<Scope>>>,
    snapshot: Option<ByteString>,
    pub(super) openings: Openings,
}

/// As many as calls of different scopes may run at once before some are looked at again.
const SCOPES: usize = 256;

#[derive(Clone, Default)]
struct Last {
    label: ByteString,
    /// The same, where it is kept for good.
    for_good: Option<&'static str>,
    /// How many others have come since it last came again.
    misses: u8,
    /// How often it has come again.
    repeats: u8,
}

/// After so many different labels in a row a key's are taken for ids, which never come again, and no more are kept.
const MISSES: u8 = 8;

/// After so many repetitions a label is kept for good.
const REPEATS: u8 = 64;

impl Known {
    /// The text, where it came so often that it is kept for good. What is made of it needs neither be counted nor moved.
    #[inline]
    pub(super) fn for_good(&mut self, id: KeyId, text: &[u8]) -> Option<&'static str> {
        let last = self.labels.get_mut(usize::from(id.0))?;
        let label = last.for_good.filter(|label| label.as_bytes() == text)?;
        last.misses = 0;
        Some(label)
    }

    /// The text, where it may leave as a label.
    pub(super) fn label(&mut self, detectors: Option<&Detectors>, id: KeyId, text: &[u8]) -> Option<ByteString> {
        let place = usize::from(id.0);
        if let Some(last) = self.labels.get_mut(place)
            && last.label.as_bytes() == text
            && !text.is_empty()
        {
            last.misses = 0;
            if last.repeats < REPEATS {
                last.repeats += 1;
                if last.repeats == REPEATS {
                    last.for_good = kept(&last.label);
                }
            }
            return Some(last.label.clone());
        }
        let may_leave = |text: &&str| match id.name().class {
            Class::Constant => is_constant(id, text),
            _ => is_safe_label(detectors, text),
        };
        let text = std::str::from_utf8(text).ok().filter(may_leave)?;
        let label = ByteString::from(text);
        if self.labels.len() <= place {
            self.labels.resize(place + 1, Last::default());
        }
        if let Some(last) = self.labels.get_mut(place).filter(|last| last.misses < MISSES) {
            *last = Last { label: label.clone(), for_good: None, misses: last.misses + 1, repeats: 0 };
        }
        Some(label)
    }

    /// The snapshot of the policy under which all of these were found.
    pub(super) fn snapshot(&mut self, policy: &Policy) -> ByteString {
        let snapshot = policy.snapshot();
        self.snapshot
            .get_or_insert_with(|| kept(snapshot).map_or_else(|| snapshot.clone(), ByteString::from_static))
            .clone()
    }

    /// Whether all ids of a scope may leave as labels. `own` are the ids of the call that opens in it, if one does: what was
    /// made of them was made by us, and says nothing.
    pub(super) fn scope(&mut self, detectors: Option<&Detectors>, scope: &Arc<Scope>, own: Option<&SpanIds>) -> bool {
        // Their addresses are multiples of a few words: the multiplication spreads them.
        let address = Arc::as_ptr(scope).addr() as u64;
        let place = (address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SCOPES.ilog2())) as usize;
        if self.scopes.get(place).is_some_and(|last| last.as_ref().is_some_and(|last| Arc::ptr_eq(last, scope))) {
            return true;
        }
        let ids = [Some(&scope.rollout), Some(&scope.thread), Some(&scope.turn), scope.tenant.as_ref()];
        let is_own = |id: &str| own.is_some_and(|own| own.is_own_id(id));
        let are_labels = ids.into_iter().flatten().all(|id| is_own(id) || is_safe_label(detectors, id));
        if are_labels {
            self.scopes.resize(SCOPES, None);
            if let Some(last) = self.scopes.get_mut(place) {
                *last = Some(Arc::clone(scope));
            }
        }
        are_labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::semconv::{REQUEST_MODEL, RESPONSE_ID};

    #[test]
    fn a_label_that_comes_again_is_the_same_and_a_text_never_becomes_one() {
        let mut known = Known::default();
        for text in ["gpt", "gpt", "gpt-4", "gpt"] {
            assert_eq!(known.label(None, REQUEST_MODEL.id(), text.as_bytes()), Some(ByteString::from(text)));
            assert_eq!(known.label(None, REQUEST_MODEL.id(), b"two words"), None);
            assert_eq!(known.label(None, REQUEST_MODEL.id(), b""), None);
        }
    }

    #[test]
    fn a_label_is_kept_for_good_when_it_came_often_and_is_never_taken_for_another() {
        let mut known = Known::default();
        let id = REQUEST_MODEL.id();
        for _ in 0..=REPEATS {
            assert_eq!(known.for_good(id, b"gpt-for-good"), None);
            assert!(known.label(None, id, b"gpt-for-good").is_some());
        }
        // Another test leaves no room for more.
        assert_eq!(known.for_good(id, b"gpt-for-good"), kept("gpt-for-good"));
        known.labels[usize::from(id.0)].for_good = Some("gpt-for-good");
        assert_eq!(known.for_good(id, b"gpt-for-good"), Some("gpt-for-good"));
        assert_eq!(known.for_good(RESPONSE_ID.id(), b"gpt-for-good"), None);
        for other in [&b""[..], b"gpt-for-goo", b"gpt-for-good!", b"two words"] {
            assert_eq!(known.for_good(id, other), None);
        }
        assert!(known.label(None, id, b"gpt-other").is_some());
        assert_eq!(known.for_good(id, b"gpt-for-good"), None);
    }

    #[test]
    fn ids_are_not_kept() {
        let mut known = Known::default();
        for number in 0..100 {
            let id = format!("id-{number}");
            assert_eq!(known.label(None, RESPONSE_ID.id(), id.as_bytes()), Some(id.into()));
        }
        let last = known.labels.last().unwrap();
        assert_eq!(last.label, "id-7");
    }
}
