//! Under which resource a rollout was first seen.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::event::Scope;
use crate::reduce::RolloutKey;

/// The rollouts whose resource is kept, in each of two generations.
const ROLLOUTS: usize = 16_384;
/// The resources that are kept once each.
const RESOURCES: usize = 1024;

/// Under which resource a rollout was first seen: what the stage adds to it belongs to the same service.
#[derive(Default)]
pub(super) struct Resources {
    young: HashMap<RolloutKey, Bytes>,
    old: HashMap<RolloutKey, Bytes>,
    known: HashSet<Bytes>,
    /// Of whom something was kept last: the next is mostly the same.
    last: Option<RolloutKey>,
}

impl Resources {
    pub(super) fn remember(&mut self, scope: &Scope, resource: &[u8]) {
        if self.last.as_ref().is_some_and(|last| last.is_of(scope)) {
            return;
        }
        // Slices of a request would keep the whole of it in memory.
        let key = RolloutKey::of(scope).detached();
        self.last = Some(key.clone());
        if self.young.contains_key(&key) {
            return;
        }
        if self.young.len() >= ROLLOUTS {
            self.old = std::mem::take(&mut self.young);
        }
        let resource = self.old.remove(&key).unwrap_or_else(|| self.interned(resource));
        self.young.insert(key, resource);
    }

    pub(super) fn of(&self, run: &RolloutKey) -> Bytes {
        self.young.get(run).or_else(|| self.old.get(run)).cloned().unwrap_or_default()
    }

    fn interned(&mut self, resource: &[u8]) -> Bytes {
        if let Some(known) = self.known.get(resource) {
            return known.clone();
        }
        if self.known.len() >= RESOURCES {
            self.known.clear();
        }
        let resource = Bytes::copy_from_slice(resource);
        self.known.insert(resource.clone());
        resource
    }
}
