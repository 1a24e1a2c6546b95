//! What is held of one rollout: the generation that is open, and those that have closed.

use std::collections::{BTreeMap, BTreeSet};

use super::SynthSpan;
use super::deadlines::{Deadlines, Due, TurnKey};
use super::generations::{Next, hash};
use crate::event::Scope;
use crate::reduce::facts::{Reading, RolloutFacts, RolloutKey};
use crate::reduce::graph::Finding;

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) key: RolloutKey,
    pub(super) next: Next,
    /// In a place of its own, so that what is only remembered costs little.
    pub(super) live: Option<Box<Live>>,
    /// Oldest first.
    pub(super) closed: Vec<Tombstone>,
}

impl Slot {
    /// What a slot costs beside its facts.
    pub(super) fn overhead(key: &RolloutKey) -> usize {
        2 * size_of::<Self>() + Deadlines::BYTES + 256 + 2 * key.bytes()
    }

    /// The facts of its generations that have kept theirs.
    pub(super) fn facts(&self) -> impl Iterator<Item = &RolloutFacts> {
        let closed = self.closed.iter().filter_map(|closed| match &closed.kept {
            Kept::Facts(facts) => Some(&**facts),
            Kept::Bare { .. } => None,
        });
        closed.chain(self.live.as_ref().map(|live| &live.facts))
    }

    pub(super) fn live_of(&mut self, generation: u64) -> Option<&mut Live> {
        self.live.as_deref_mut().filter(|live| live.facts.generation == generation)
    }

    pub(super) fn tombstone(&mut self, generation: u64) -> Option<&mut Tombstone> {
        self.closed.iter_mut().find(|closed| closed.generation == generation)
    }
}

/// A generation that is open.
#[derive(Debug)]
pub(super) struct Live {
    pub(super) facts: RolloutFacts,
    pub(super) touched: u64,
    /// Turns whose end has arrived.
    pub(super) turns: BTreeMap<TurnKey, Ending>,
    /// When it ends because a turn has said so.
    pub(super) ends: Option<Due>,
    pub(super) told: Told,
    /// Bytes of `turns` and `told`.
    pub(super) extra: usize,
}

impl Live {
    pub(super) fn new(key: RolloutKey, next: Next, now: u64) -> Self {
        let mut facts = RolloutFacts::new(key);
        facts.generation = next.generation;
        facts.resumes = next.resumes;
        facts.heads = next.heads;
        Self { facts, touched: now, turns: BTreeMap::new(), ends: None, told: Told::default(), extra: 0 }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() - size_of::<RolloutFacts>() + RolloutFacts::EMPTY + self.facts.bytes() + self.extra
    }
}

/// A turn whose end has arrived.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// It closes when nothing more comes.
    Due(Due),
    /// It has closed.
    Closed {
        /// And a span was made for it.
        synthesised: bool,
    },
}

impl Ending {
    /// What one costs.
    pub(super) fn bytes(key: &TurnKey) -> usize {
        2 * (size_of::<(TurnKey, Self)>() + key.thread.len() + key.turn.len()) + Deadlines::BYTES
    }
}

/// Findings that were told, by hash.
#[derive(Debug, Default)]
pub(super) struct Told(BTreeSet<u64>);

impl Told {
    /// About what one costs.
    pub(super) const BYTES: usize = 24;

    pub(super) fn bytes(&self) -> usize {
        self.0.len() * Self::BYTES
    }

    /// Whether the finding has been told.
    pub(super) fn has(&self, finding: &Finding) -> bool {
        self.0.contains(&hash(finding))
    }

    /// Whether the finding is to be told, because it has not been.
    pub(super) fn first(&mut self, finding: &Finding) -> bool {
        self.0.insert(hash(finding))
    }
}

/// A generation that has closed.
#[derive(Debug)]
pub(super) struct Tombstone {
    pub(super) generation: u64,
    pub(super) revision: u64,
    /// When what came late is told.
    pub(super) revising: Option<Due>,
    pub(super) forgotten: Due,
    pub(super) kept: Kept,
    pub(super) told: Told,
    /// Bytes of what the next generation needs of it.
    heads: usize,
    /// What it costs in all.
    pub(super) bytes: usize,
}

impl Tombstone {
    pub(super) fn new(generation: u64, forgotten: Due, kept: Kept, told: Told, heads: usize) -> Self {
        let mut tombstone = Self { generation, revision: 0, revising: None, forgotten, kept, told, heads, bytes: 0 };
        tombstone.weigh();
        tombstone
    }

    /// Reckons its cost anew.
    pub(super) fn weigh(&mut self) {
        self.bytes = size_of::<Self>() + 2 * Deadlines::BYTES + self.kept.bytes() + self.told.bytes() + self.heads;
    }
}

#[derive(Debug)]
pub(super) enum Kept {
    /// All facts, so that late ones find their place and duplicates are known.
    Facts(Box<RolloutFacts>),
    /// After memory was short: which turns it had, by hash, and what was said last.
    Bare { turns: BTreeSet<u64>, summary: Option<Box<SynthSpan>> },
}

impl Kept {
    pub(super) fn knows(&self, scope: &Scope) -> bool {
        match self {
            Self::Facts(facts) => facts.knows(&scope.thread, &scope.turn),
            Self::Bare { turns, .. } => turns.contains(&hash(&(&*scope.thread, &*scope.turn))),
        }
    }

    pub(super) fn bare(facts: &RolloutFacts, summary: Option<SynthSpan>) -> Self {
        let turns = Reading::of(facts).turns().map(|(thread, turn)| hash(&(&*thread, &*turn))).collect();
        Self::Bare { turns, summary: summary.map(|summary| Box::new(summary.detached())) }
    }

    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Facts(facts) => RolloutFacts::EMPTY + facts.bytes(),
            Self::Bare { turns, summary } => {
                turns.len() * Told::BYTES + summary.as_ref().map_or(0, |summary| summary.bytes())
            }
        }
    }
}
