//! Between our spans and OpenTelemetry's context, in both directions.

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry::{Context, ContextGuard};

use super::place::{Outer, Place};
use crate::event::{Scope, SpanId, TraceId};
use crate::intake::Identity;
use crate::semconv::{ROLLOUT_ID, TENANT_ID, THREAD_ID, TURN_ID};

/// What travels with a context beside the ids: whether the trace is sampled, and the vendors' own state.
#[derive(Clone)]
pub(super) struct Carried {
    flags: TraceFlags,
    state: TraceState,
}

impl Default for Carried {
    fn default() -> Self {
        Self { flags: TraceFlags::SAMPLED, state: TraceState::NONE }
    }
}

/// Takes the context back when dropped.
pub(super) struct Attached {
    _guard: ContextGuard,
}

/// The span of the current context.
pub(super) fn current() -> Option<Outer> {
    Context::map_current(|context| {
        if !context.has_active_span() {
            return None;
        }
        let span = context.span();
        let span = span.span_context();
        Some(Outer {
            trace: TraceId::from_bytes(span.trace_id().to_bytes())?,
            span: SpanId::from_bytes(span.span_id().to_bytes())?,
            is_remote: span.is_remote(),
            carried: Carried { flags: span.trace_flags(), state: span.trace_state().clone() },
        })
    })
}

/// The span of the current context where it was made in this process and will be exported.
pub(super) fn exported() -> Option<SpanId> {
    Context::map_current(|context| {
        let span = context.span();
        let span = span.span_context();
        let is_exported = span.is_valid() && span.is_sampled() && !span.is_remote();
        is_exported.then(|| SpanId::from_bytes(span.span_id().to_bytes())).flatten()
    })
}

/// What the current context's baggage says of where a call belongs. It may come from another process: like everything
/// else that was not made here, it is checked for being a label when it leaves.
pub(super) fn baggage() -> Identity {
    Context::map_current(|context| {
        let baggage = context.baggage();
        if baggage.is_empty() {
            return Identity::default();
        }
        let get = |key| baggage.get(key).map(|value| Scope::id(value.as_str()));
        Identity {
            tenant: get(TENANT_ID.key()),
            rollout: get(ROLLOUT_ID.key()),
            thread: get(THREAD_ID.key()),
            turn: get(TURN_ID.key()),
        }
    })
}

/// Makes this span the current context's, for this thread, until the answer is dropped.
pub(super) fn attach(place: &Place) -> Attached {
    let trace = opentelemetry::TraceId::from_bytes(*place.trace.as_bytes());
    let span = opentelemetry::SpanId::from_bytes(*place.span.as_bytes());
    let Carried { flags, state } = place.carried.clone();
    let ours = SpanContext::new(trace, span, flags, false, state);
    let context = Context::map_current(|context| context.with_remote_span_context(ours));
    Attached { _guard: context.attach() }
}
