//! What will happen when, in order. Who goes takes his deadlines along, so that there are never more than things to close.

use std::collections::BTreeMap;

use bytestring::ByteString;

/// A turn in a rollout.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TurnKey {
    pub(super) thread: ByteString,
    pub(super) turn: ByteString,
}

/// A generation of a rollout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Which {
    pub(super) slot: u64,
    pub(super) generation: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Deadline {
    CloseTurn(Which, TurnKey),
    EndRollout(Which),
    Revise(Which),
    Forget(Which),
}

/// A deadline that was set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due(u64, u64);

#[derive(Debug, Default)]
pub(super) struct Deadlines {
    queue: BTreeMap<(u64, u64), Deadline>,
    /// Of two at the same time, the one set first comes first.
    set: u64,
}

impl Deadlines {
    /// About what one costs.
    pub(super) const BYTES: usize = 3 * size_of::<((u64, u64), Deadline)>() / 2;

    pub(super) fn set(&mut self, at: u64, deadline: Deadline) -> Due {
        let due = Due(at, self.set);
        self.queue.insert((due.0, due.1), deadline);
        self.set += 1;
        due
    }

    /// What it was set for is gone, or has happened.
    pub(super) fn cancel(&mut self, due: Due) {
        self.queue.remove(&(due.0, due.1));
    }

    pub(super) fn first(&self) -> Option<u64> {
        self.queue.first_key_value().map(|((at, _), _)| *at)
    }

    pub(super) fn pop(&mut self) -> Option<Deadline> {
        self.queue.pop_first().map(|(_, deadline)| deadline)
    }

    /// Takes out what waits for `late_grace` alone: turns, then rollouts, then revisions, each in order.
    pub(super) fn take_graces(&mut self) -> Vec<Deadline> {
        let (forget, graces) =
            std::mem::take(&mut self.queue).into_iter().partition(|(_, due)| matches!(due, Deadline::Forget(_)));
        self.queue = forget;
        let graces: BTreeMap<_, _> = graces;
        let mut graces: Vec<Deadline> = graces.into_values().collect();
        graces.sort_by_key(|deadline| match deadline {
            Deadline::CloseTurn(..) => 0,
            Deadline::EndRollout(_) => 1,
            Deadline::Revise(_) | Deadline::Forget(_) => 2,
        });
        graces
    }
}
