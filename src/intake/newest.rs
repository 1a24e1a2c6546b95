//! The policies that were set while running, and from which event on each holds.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::privacy::{Level, Levels, PayloadCounts, Payloads, Policy};

/// A policy that holds for what was recorded from this number on.
pub(super) struct Swap {
    pub(super) seq: u64,
    pub(super) policy: Policy,
}

/// Shared by the callers, who set policies, and the pipeline, which asks before each event.
pub(super) struct Newest {
    /// How many policies were set.
    version: AtomicU64,
    /// Those that the pipeline does not know yet.
    swaps: Mutex<Vec<Swap>>,
    /// Whether content is of any use.
    takes_content: AtomicBool,
    stores: Mutex<Stores>,
}

/// Where the policies so far have content kept, and what the newest lets leave.
struct Stores {
    /// Each with what it had counted before: others may have used it.
    all: Vec<(Payloads, PayloadCounts)>,
    levels: Levels,
}

impl Stores {
    fn add(&mut self, policy: &Policy) {
        if let Some(store) = policy.payloads().filter(|store| !self.all.iter().any(|(known, _)| known.is(store))) {
            self.all.push((store.clone(), store.counts()));
        }
    }

    fn lower(&self) {
        self.all.iter().for_each(|(store, _)| store.lower(&self.levels));
    }
}

impl Newest {
    pub(super) fn new(policy: &Policy) -> Self {
        let takes_content = AtomicBool::new(tells_of_content(policy));
        let mut stores = Stores { all: Vec::new(), levels: *policy.levels() };
        stores.add(policy);
        let stores = Mutex::new(stores);
        Self { version: AtomicU64::new(0), swaps: Mutex::default(), takes_content, stores }
    }

    pub(super) fn set(&self, swap: Swap) {
        let mut swaps = self.swaps.lock().unwrap_or_else(PoisonError::into_inner);
        self.takes_content.store(tells_of_content(&swap.policy), Ordering::Relaxed);
        self.lower_stores(&swap.policy);
        swaps.push(swap);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// What waits to be kept is not encoded yet: it has to be allowed by the newest policy too.
    fn lower_stores(&self, policy: &Policy) {
        let mut stores = self.stores();
        stores.levels = *policy.levels();
        stores.lower();
        stores.add(policy);
    }

    /// The same for what was veiled while a policy was set that came after `version`.
    pub(super) fn lower_stores_after(&self, version: u64) {
        if self.version() != version {
            self.stores().lower();
        }
    }

    /// Waits until what was taken to be kept is kept, and says whether nothing waits any more.
    pub(super) fn flush_stores(&self, deadline: Instant) -> bool {
        let stores: Vec<_> = self.stores().all.iter().map(|(store, _)| store.clone()).collect();
        let unfinished = stores.iter().filter(|store| !store.flush(deadline));
        unfinished.count() == 0
    }

    pub(super) fn payload_counts(&self) -> PayloadCounts {
        let mut counts = PayloadCounts::default();
        self.stores().all.iter().for_each(|(store, before)| counts += store.counts().since(*before));
        counts
    }

    fn stores(&self) -> MutexGuard<'_, Stores> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many policies were set.
    pub(super) fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The policies that were set since `version`, which then is the present one.
    pub(super) fn since(&self, version: &mut u64) -> Vec<Swap> {
        let mut swaps = self.swaps.lock().unwrap_or_else(PoisonError::into_inner);
        *version = self.version.load(Ordering::Acquire);
        std::mem::take(&mut swaps)
    }

    /// Whether the policy lets anything be told of content. Where it does not, content need not wait.
    pub(super) fn takes_content(&self) -> bool {
        self.takes_content.load(Ordering::Relaxed)
    }
}

fn tells_of_content(policy: &Policy) -> bool {
    policy.levels().most() > Level::None
}
