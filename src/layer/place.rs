//! Where a span stands: its trace, its identity, and what travels with its context.

use std::sync::Arc;

use super::bridge::Carried;
use crate::event::{Scope, SpanId, TraceId};

/// What the spans inside of a span need to know of it.
pub(super) struct Place {
    pub(super) scope: Arc<Scope>,
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) carried: Carried,
}

/// The span that a new one is a child of, where that is not one of ours.
pub(super) struct Outer {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) is_remote: bool,
    pub(super) carried: Carried,
}
