//! Where attributes stand: each in a place of its own, or many in one place.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use super::Value;
use crate::semconv::KeyId;

/// Entries in the order of their keys. Compared and shown as what they are, wherever they stand.
#[derive(Clone)]
pub(super) enum Entries {
    Own(Vec<(KeyId, Value)>),
    /// What comes again and again: a service asks its model with the same parameters each time.
    Shared(Arc<[(KeyId, Value)]>),
}

impl Entries {
    /// Changes them, for this one alone.
    #[inline(always)]
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Vec<(KeyId, Value)>) -> T) -> T {
        match self {
            Self::Own(own) => change(own),
            Self::Shared(_) => self.change_own(change),
        }
    }

    #[cold]
    fn change_own<T>(&mut self, change: impl FnOnce(&mut Vec<(KeyId, Value)>) -> T) -> T {
        let mut own = self.to_vec();
        let changed = change(&mut own);
        *self = Self::Own(own);
        changed
    }

    /// The entries by themselves.
    pub(super) fn into_vec(self) -> Vec<(KeyId, Value)> {
        match self {
            Self::Own(own) => own,
            Self::Shared(shared) => shared.to_vec(),
        }
    }

    /// Takes them out, and keeps the memory for a few.
    pub(super) fn clear(&mut self) {
        const KEPT: usize = 16;
        match self {
            Self::Own(own) if own.capacity() <= KEPT => own.clear(),
            own => *own = Self::default(),
        }
    }

    pub(super) fn share(&mut self) {
        if let Self::Own(own) = self {
            *self = Self::Shared(std::mem::take(own).into());
        }
    }
}

impl Default for Entries {
    fn default() -> Self {
        Self::Own(Vec::new())
    }
}

impl Deref for Entries {
    type Target = [(KeyId, Value)];

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Own(own) => own,
            Self::Shared(shared) => shared,
        }
    }
}

impl fmt::Debug for Entries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl PartialEq for Entries {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Entries {}

impl Hash for Entries {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (**self).hash(state);
    }
}

impl PartialOrd for Entries {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entries {
    fn cmp(&self, other: &Self) -> Ordering {
        (**self).cmp(&**other)
    }
}
