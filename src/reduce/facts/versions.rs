//! The versions of one observation, each once, in order.

use std::collections::BTreeSet;

/// A set that costs no allocation while it holds one element: nearly every call is told once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::reduce) struct Versions<T> {
    first: Option<T>,
    more: BTreeSet<T>,
}

impl<T> Default for Versions<T> {
    fn default() -> Self {
        Self { first: None, more: BTreeSet::new() }
    }
}

impl<T: Ord> Versions<T> {
    pub(in crate::reduce) fn contains(&self, version: &T) -> bool {
        self.first.as_ref() == Some(version) || self.more.contains(version)
    }

    /// Whether it was new.
    pub(in crate::reduce) fn insert(&mut self, version: T) -> bool {
        match &mut self.first {
            None => {
                self.first = Some(version);
                true
            }
            Some(first) if *first == version => false,
            Some(first) if version < *first => self.more.insert(std::mem::replace(first, version)),
            Some(_) => self.more.insert(version),
        }
    }

    pub(in crate::reduce) fn iter(&self) -> impl Iterator<Item = &T> {
        self.first.iter().chain(&self.more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_order_and_duplication_gives_the_same_set() {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
            let mut versions = Versions::default();
            for version in order.into_iter().chain(order) {
                versions.insert(version);
            }
            assert!(versions.iter().eq(&[1, 2, 3]));
        }
    }
}
