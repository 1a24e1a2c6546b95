//! A run as it was recorded: its events in order, with whatever content the policy let leave.

mod checkpoint;
mod cut;
mod importance;
mod instant;
mod pages;
#[cfg(unix)]
mod payloads;

pub use checkpoint::Checkpoint;
pub use cut::{Cut, CutError, Side};
pub use importance::importance;
pub use instant::instant;
pub use pages::{Gather, MAX_PAGES, Page, Pages, pages};
#[cfg(unix)]
pub use payloads::PayloadsRead;

use std::collections::BTreeSet;

use bytestring::ByteString;

use crate::event::{At, Event, Kind, Veiled};
use crate::privacy::Policy;
use crate::privacy::c1::Hasher;
use crate::reduce::{Facts, Rollout};

/// The events of one rollout, each once, in order: by time, and those of one process at one instant by its own counter.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    events: Vec<Event<Veiled>>,
    /// Whether its source broke off before all was read.
    pub incomplete: bool,
    /// How many events came more than once.
    pub duplicates: u64,
    under: Option<Policy>,
}

/// Events that are not those of one rollout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOneRollout {
    /// There is no event.
    #[error("there is no call in what was read")]
    None,
    /// There are events of several rollouts.
    #[error("holds {0} rollouts, and only one can be taken up at a time")]
    Several(usize),
}

impl Recording {
    /// A recording of these events, in whatever order and however often they come.
    ///
    /// # Errors
    ///
    /// They are not those of one rollout.
    pub fn new(events: impl IntoIterator<Item = Event<Veiled>>) -> Result<Self, NotOneRollout> {
        let mut events: Vec<Event<Veiled>> = events.into_iter().filter(|event| event.kind != Kind::Tick).collect();
        events.sort_unstable_by(|one, other| order(one).cmp(&order(other)).then_with(|| one.cmp(other)));
        let before = events.len();
        events.dedup();
        let duplicates = (before - events.len()) as u64;
        let mut rollouts: Vec<_> = events.iter().map(|event| (&event.scope.tenant, &event.scope.rollout)).collect();
        rollouts.sort_unstable();
        rollouts.dedup();
        match rollouts.len() {
            0 => Err(NotOneRollout::None),
            1 => Ok(Self { events, incomplete: false, duplicates, under: None }),
            several => Err(NotOneRollout::Several(several)),
        }
    }

    /// The same, read under a policy: with its key digests tell more surely whether content is whole, and what it masks was
    /// masked in reading.
    #[must_use]
    pub fn read_under(mut self, policy: &Policy) -> Self {
        self.under = Some(policy.clone());
        self
    }

    /// The policy that it was read under, where that is known.
    pub(in crate::replay) const fn under(&self) -> Option<&Policy> {
        self.under.as_ref()
    }

    /// The ways in which its digests may have been made: without a key, or for each tenant with this policy's.
    pub(in crate::replay) fn hashers(&self, policy: Option<&Policy>) -> Vec<Hasher> {
        let tenants: BTreeSet<_> = self.events.iter().map(|event| event.scope.tenant.as_deref()).collect();
        let keyed = policy.and_then(Policy::hasher).into_iter();
        let keyed = keyed.flat_map(|hasher| tenants.iter().map(|tenant| hasher.for_tenant(*tenant)));
        std::iter::once(Hasher::sha256()).chain(keyed).collect()
    }

    /// The events, in order.
    pub fn events(&self) -> &[Event<Veiled>] {
        &self.events
    }

    /// Its rollout.
    pub fn rollout_id(&self) -> Option<&ByteString> {
        self.events.first().map(|event| &event.scope.rollout)
    }

    /// What the events tell together.
    pub fn rollout(&self) -> Option<Rollout> {
        reduced(self.events.iter())
    }

    /// What the events after a cut tell together. A turn that goes on after it is told whole, its calls before it are not,
    /// nor those that were open then.
    pub fn rollout_after(&self, cut: &Cut) -> Option<Rollout> {
        let opened_after: std::collections::HashSet<_> = self
            .events
            .iter()
            .filter(|event| matches!(event.kind, Kind::Opened(..)) && cut.side(event.at) == Side::After)
            .map(|event| (&event.scope, event.key))
            .collect();
        let turns: std::collections::HashSet<_> =
            opened_after.iter().map(|(scope, _)| (&scope.thread, &scope.turn)).collect();
        let kept = |event: &&Event<Veiled>| match event.key.kind {
            crate::event::CallKind::Turn => match event.kind {
                Kind::Marked(_) => cut.side(event.at) == Side::After,
                _ => turns.contains(&(&event.scope.thread, &event.scope.turn)) || cut.side(event.at) == Side::After,
            },
            _ => opened_after.contains(&(&event.scope, event.key)),
        };
        reduced(self.events.iter().filter(kept))
    }
}

fn reduced<'a>(events: impl Iterator<Item = &'a Event<Veiled>>) -> Option<Rollout> {
    let mut facts = Facts::default();
    events.for_each(|event| {
        facts.absorb(event);
    });
    facts.derive().into_iter().next()
}

fn order(event: &Event<Veiled>) -> At {
    event.at
}
