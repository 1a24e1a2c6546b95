//! Whose span a span is a child of.
//!
//! A span whose parent belongs to another tenant is set aside, whichever of the two came first. The newest spans of tenants
//! are remembered, and those whose parents have not been seen: 131,072 of each at most, a hundred bytes each, outside the
//! byte budget.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::deadlines::Which;
use super::generations::hash;
use crate::event::{Event, Key, Kind, SpanId, TraceId, Veiled};

/// The spans of each of two generations.
const SPANS: usize = 1 << 16;

type Ids = (TraceId, SpanId);

/// A call in a rollout.
type Place = (Which, Key);

/// Calls whose parent has not been seen, and the tenant of each.
type Children = SmallVec<[(u64, Which, Key); 1]>;

#[derive(Debug, Default)]
pub(super) struct Tenants {
    of_span: Newest<u64>,
    children: Newest<Children>,
}

impl Tenants {
    /// Remembers whose span it is. Answers the calls that are known by it to have a parent of another tenant: its own, or
    /// those of its children that came before it.
    pub(super) fn foreign(&mut self, event: &Event<Veiled>, which: Which) -> Vec<Place> {
        let (Some(tenant), Kind::Opened(opened, _)) = (&event.scope.tenant, &event.kind) else { return Vec::new() };
        let (tenant, span) = (hash(tenant), opened.span);
        let ids = (span.trace, span.span);
        self.of_span.insert(ids, tenant);
        let is_other = |(other, ..): &(u64, Which, Key)| *other != tenant;
        let children = self.children.take(&ids).unwrap_or_default();
        let mut foreign: Vec<Place> =
            children.into_iter().filter(is_other).map(|(_, which, key)| (which, key)).collect();
        let Some(parent) = span.parent.map(|parent| (span.trace, parent)) else { return foreign };
        match self.of_span.get(&parent) {
            Some(of_parent) if *of_parent != tenant => foreign.push((which, event.key)),
            Some(_) => {}
            None => {
                let mut siblings = self.children.take(&parent).unwrap_or_default();
                siblings.truncate(SIBLINGS);
                siblings.push((tenant, which, event.key));
                self.children.insert(parent, siblings);
            }
        }
        foreign
    }
}

/// The children of one parent that are remembered until it comes.
const SIBLINGS: usize = 256;

/// The newest entries of a map.
#[derive(Debug)]
struct Newest<T> {
    young: HashMap<Ids, T>,
    old: HashMap<Ids, T>,
}

impl<T> Default for Newest<T> {
    fn default() -> Self {
        Self { young: HashMap::new(), old: HashMap::new() }
    }
}

impl<T> Newest<T> {
    fn insert(&mut self, ids: Ids, value: T) {
        if self.young.len() >= SPANS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(ids, value);
    }

    fn get(&self, ids: &Ids) -> Option<&T> {
        self.young.get(ids).or_else(|| self.old.get(ids))
    }

    fn take(&mut self, ids: &Ids) -> Option<T> {
        self.young.remove(ids).or_else(|| self.old.remove(ids))
    }
}
