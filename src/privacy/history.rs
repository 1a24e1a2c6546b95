//! Which part of a thread's history has already been told, so that an inference carries only what is new.

use std::collections::{HashMap, VecDeque};

use bytestring::ByteString;

use crate::event::{Digest, Scope};

/// The newest heads of a thread that may be a prefix.
const HEADS: usize = 8;
/// Every so many inferences of a thread one is told whole.
const KEYFRAME_EVERY: u32 = 16;
/// The threads of one generation. A forgotten thread goes on with a keyframe.
const THREADS: usize = 8192;

#[derive(Clone, PartialEq, Eq, Hash)]
struct Thread {
    tenant: Option<ByteString>,
    rollout: ByteString,
    thread: ByteString,
}

#[derive(Default)]
struct Told {
    /// Newest last.
    heads: VecDeque<Digest>,
    since_keyframe: u32,
    is_replaced: bool,
}

/// What has been told of each thread. Two generations of threads are kept: one fills while the other is forgotten whole,
/// which bounds memory without an order of use.
#[derive(Default)]
pub(super) struct History {
    young: HashMap<Thread, Told>,
    old: HashMap<Thread, Told>,
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
            told.heads.pop_front();
        }
        told.heads.push_back(chain);
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

    fn thread(&mut self, scope: &Scope) -> &mut Told {
        let key = Thread { tenant: scope.tenant.clone(), rollout: scope.rollout.clone(), thread: scope.thread.clone() };
        if self.young.len() >= THREADS && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        let old = &mut self.old;
        self.young.entry(key).or_insert_with_key(|key| old.remove(key).unwrap_or_default())
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
    fn after_a_loss_the_history_is_told_whole() {
        let mut history = History::default();
        history.told(&scope("a"), head(1));
        history.forget();
        assert_eq!(history.known_prefix(&scope("a"), &[head(0), head(1)]), None);
    }
}
