//! Which part of a thread's history has already been told, so that an inference carries only what is new.

use std::hash::BuildHasher;
use std::mem::swap;

use bytestring::ByteString;
use hashbrown::{DefaultHashBuilder, HashTable};
use smallvec::SmallVec;

use crate::event::{Digest, Scope};

/// The newest heads of a thread that may be a prefix.
const HEADS: usize = 8;
/// Every so many inferences of a thread one is told whole.
const KEYFRAME_EVERY: u32 = 16;
/// The threads of one generation. A forgotten thread goes on with a keyframe.
const THREADS: usize = 8192;

struct Thread {
    tenant: Option<ByteString>,
    rollout: ByteString,
    thread: ByteString,
    told: Told,
}

#[derive(Default)]
struct Told {
    /// Newest last.
    heads: SmallVec<[Digest; 1]>,
    since_keyframe: u32,
    is_replaced: bool,
}

/// What has been told of each thread. Two generations of threads are kept: one fills while the other is forgotten whole,
/// which bounds memory without an order of use.
#[derive(Default)]
pub(super) struct History {
    young: HashTable<Thread>,
    old: HashTable<Thread>,
    hasher: DefaultHashBuilder,
}

impl History {
    /// How many of the first messages need not be told again: the longest prefix of `heads` that the thread has already
    /// told, or nothing where the whole history must be told. `heads` are the chain digests after 0, 1, 2, … messages.
    pub(super) fn known_prefix(&mut self, scope: &Scope, heads: &[Digest]) -> Option<usize> {
        let told = self.thread(scope);
        told.since_keyframe += 1;
        let newest_known = || heads.iter().rposition(|head| told.heads.contains(head));
        let is_due = told.is_replaced || told.since_keyframe >= KEYFRAME_EVERY;
        let known = if is_due { None } else { newest_known() };
        if known.is_none() {
            told.since_keyframe = 0;
            told.is_replaced = false;
        }
        known
    }

    /// A span with this chain has been accepted for export: it may be a prefix from now on.
    pub(super) fn told(&mut self, scope: &Scope, chain: Digest) {
        let told = self.thread(scope);
        told.heads.retain(|head| *head != chain);
        if told.heads.len() == HEADS {
            let _ = told.heads.remove(0);
        }
        told.heads.push(chain);
    }

    /// The thread's history has been replaced by a shorter one, which has to be told whole.
    pub(super) fn replaced(&mut self, scope: &Scope) {
        self.thread(scope).is_replaced = true;
    }

    /// Something was lost on the way out: nothing told before may be relied on.
    pub(super) fn forget(&mut self) {
        self.young.clear();
        self.old.clear();
    }

    /// What the thread of a scope has been told. Each call asks: nothing is copied or hashed twice to find one.
    fn thread(&mut self, scope: &Scope) -> &mut Told {
        let Self { young, old, hasher } = self;
        let hash = |(tenant, rollout, thread): Name<'_>| hasher.hash_one((tenant, rollout, thread));
        let named = (scope.tenant.as_deref(), &*scope.rollout, &*scope.thread);
        let own = hash(named);
        if young.len() >= THREADS && young.find(own, |thread| thread.name() == named).is_none() {
            swap(old, young);
            young.clear();
        }
        let entry = young.entry(own, |thread| thread.name() == named, |thread| hash(thread.name()));
        let thread = entry.or_insert_with(|| {
            let known = old.find_entry(own, |thread| thread.name() == named).ok();
            let told = known.map_or_else(Told::default, |known| known.remove().0.told);
            let Scope { tenant, rollout, thread, .. } = scope.clone();
            Thread { tenant, rollout, thread, told }
        });
        &mut thread.into_mut().told
    }
}

/// Whose thread it is, of which rollout, and which.
type Name<'a> = (Option<&'a str>, &'a str, &'a str);

impl Thread {
    fn name(&self) -> Name<'_> {
        (self.tenant.as_deref(), &self.rollout, &self.thread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Algorithm;

    fn head(byte: u8) -> Digest {
        Digest { algorithm: Algorithm::Sha256, bytes: [byte; 32] }
    }

    fn scope(thread: &str) -> Scope {
        Scope { tenant: None, rollout: "r".into(), thread: thread.into(), turn: "t".into() }
    }

    #[test]
    fn only_what_was_accepted_may_be_a_prefix() {
        let mut history = History::default();
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(1)]), None);
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(1), head(2)]), None);
        history.told(&scope("a"), head(1));
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(1), head(2)]), Some(1));
        assert_eq!(history.known_prefix(&scope("b"), &[head(0), head(1), head(2)]), None);
    }

    #[test]
    fn the_longest_prefix_wins_and_only_eight_are_kept() {
        let mut history = History::default();
        for byte in 0..10 {
            history.told(&scope("a"), head(byte));
        }
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(1)]), None);
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(5), head(9), head(77)]), Some(2));
    }

    #[test]
    fn every_sixteenth_inference_is_a_keyframe() {
        let mut history = History::default();
        let heads = [head(0), head(1)];
        let keyframes: Vec<usize> = (0..64)
            .filter(|_| {
                let keyframe = history.known_prefix(&scope("a"), &heads).is_none();
                history.told(&scope("a"), head(1));
                keyframe
            })
            .collect();
        assert_eq!(keyframes, [0, 16, 32, 48]);
    }

    #[test]
    fn after_a_compaction_the_history_is_told_whole_once() {
        let mut history = History::default();
        history.told(&scope("a"), head(1));
        history.replaced(&scope("a"));
        history.told(&scope("a"), head(2));
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(1), head(2)]), None);
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(1), head(2)]), Some(2));
    }

    #[test]
    fn a_thread_that_goes_on_is_known_and_one_that_rested_for_two_generations_begins_anew() {
        let mut history = History::default();
        let heads = [head(0), head(1)];
        for name in ["resting", "going on"] {
            assert_eq!(history.known_prefix(&scope(name), &heads), None);
            history.told(&scope(name), head(1));
        }
        for number in 0..3 * THREADS {
            history.told(&scope(&number.to_string()), head(2));
            if number % 1000 == 0 {
                history.thread(&scope("going on"));
            }
            assert!(history.young.len() <= THREADS && history.old.len() <= THREADS);
        }
        assert_eq!(history.known_prefix(&scope("going on"), &heads), Some(1));
        assert_eq!(history.known_prefix(&scope("resting"), &heads), None);
        let of = |tenant: &str| Scope { tenant: Some(tenant.into()), ..scope("going on") };
        assert_eq!(history.known_prefix(&of("another tenant's"), &heads), None);
    }

    #[test]
    fn after_a_loss_the_history_is_told_whole() {
        let mut history = History::default();
        history.told(&scope("a"), head(1));
        history.forget();
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(1)]), None);
    }
}
