//! What will happen when, in order. What has been overtaken by then is found out when its time comes.

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

#[derive(Debug, Default)]
pub(super) struct Deadlines {
    queue: BTreeMap<(u64, u64), Deadline>,
    /// Of two at the same time, the one set first comes first.
    set: u64,
}

impl Deadlines {
    pub(super) fn set(&mut self, at: u64, deadline: Deadline) {
        self.queue.insert((at, self.set), deadline);
        self.set += 1;
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
