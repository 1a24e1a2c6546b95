//! The policies that were set while running, and from which event on each holds.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::privacy::{Level, Policy};

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
}

impl Newest {
    pub(super) fn new(policy: &Policy) -> Self {
        let takes_content = AtomicBool::new(tells_of_content(policy));
        Self { version: AtomicU64::new(0), swaps: Mutex::default(), takes_content }
    }

    pub(super) fn set(&self, swap: Swap) {
        let mut swaps = self.swaps.lock().unwrap_or_else(PoisonError::into_inner);
        self.takes_content.store(tells_of_content(&swap.policy), Ordering::Relaxed);
        swaps.push(swap);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// The policies that were set since `version`, which then is the present one.
    pub(super) fn since(&self, version: &mut u64) -> Vec<Swap> {
        if self.version.load(Ordering::Acquire) == *version {
            return Vec::new();
        }
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
