//! Where a span stands: its trace, and what travels with its context.

use super::bridge::Carried;
use crate::event::{SpanId, TraceId};

/// What OpenTelemetry's context is told of a span that is entered.
pub(super) struct Place {
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
