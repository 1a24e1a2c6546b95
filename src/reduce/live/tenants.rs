//! Whose span a span is a child of.
//!
//! A span whose parent belongs to another tenant is set aside. Here that is seen where the parent came first; the newest
//! spans of tenants are remembered, 131,072 at most, a few dozen bytes each, outside the byte budget.

use std::collections::HashMap;

use super::generations::hash;
use crate::event::{Event, Kind, SpanId, TraceId, Veiled};

/// The spans of each of two generations.
const SPANS: usize = 1 << 16;

#[derive(Debug, Default)]
pub(super) struct Tenants {
    young: HashMap<(TraceId, SpanId), u64>,
    old: HashMap<(TraceId, SpanId), u64>,
}

impl Tenants {
    /// Remembers whose span it is. Whether its parent is somebody else's.
    pub(super) fn is_foreign(&mut self, event: &Event<Veiled>) -> bool {
        let (Some(tenant), Kind::Opened(opened, _)) = (&event.scope.tenant, &event.kind) else { return false };
        let tenant = hash(tenant);
        if self.young.len() >= SPANS {
            self.old = std::mem::take(&mut self.young);
        }
        let span = opened.span;
        self.young.insert((span.trace, span.span), tenant);
        let parent = span.parent.map(|parent| (span.trace, parent));
        let of_parent = parent.and_then(|parent| self.young.get(&parent).or_else(|| self.old.get(&parent)));
        of_parent.is_some_and(|other| *other != tenant)
    }
}
