//! Where a span stands: its trace, its identity, and what travels with its context.

use std::sync::Arc;

use super::bridge::Carried;
use crate::event::{Scope, SpanId, TraceId};

/// What the spans inside of a span need to know of it.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) scope: Arc<Scope>,
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) carried: Carried,
    /// Whether its rollout is recorded. Where it is not, nothing is read, kept or handed in, and the context stays as it is,
    /// so that no other span becomes the child of one that nobody will see.
    pub(super) is_sampled: bool,
}

/// The span that a new one is a child of, where that is not one of ours.
pub(super) struct Outer {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) is_remote: bool,
    pub(super) carried: Carried,
}
