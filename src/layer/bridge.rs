//! Between our spans and OpenTelemetry's context, in both directions.

use std::sync::Arc;

use opentelemetry::baggage::BaggageExt;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use opentelemetry::{Context, ContextGuard};

use super::place::{Outer, Place};
use crate::event::{Scope, SpanId, TraceId};
use crate::intake::Identity;
use crate::semconv::{ROLLOUT_ID, TENANT_ID, THREAD_ID, TURN_ID};

/// What travels with a context beside the ids, where it is not what a trace that begins here has.
#[derive(Clone, Default)]
pub(super) struct Carried(Option<Arc<Foreign>>);

/// Whether the trace is sampled, and the vendors' own state.
struct Foreign {
    flags: TraceFlags,
    state: TraceState,
}

impl Carried {
    fn of(span: &SpanContext) -> Self {
        let (flags, state) = (span.trace_flags(), span.trace_state());
        let is_ours = flags == TraceFlags::SAMPLED && *state == TraceState::NONE;
        Self((!is_ours).then(|| Arc::new(Foreign { flags, state: state.clone() })))
    }

    fn parts(&self) -> (TraceFlags, TraceState) {
        let own = (TraceFlags::SAMPLED, TraceState::NONE);
        self.0.as_ref().map_or(own, |foreign| (foreign.flags, foreign.state.clone()))
    }
}

/// Takes the context back when dropped.
pub(super) struct Attached {
    _guard: ContextGuard,
}

/// Whether OpenTelemetry's state of this thread is there. Whoever asks for it when it is gone panics, and at the end of a
/// thread, where a host's own state may open a span once more, that ends the process.
struct Present(bool);

thread_local! {
    static PRESENT: Present = Present::new();
}

impl Present {
    /// What this is made after is gone after this. Where the end of the thread has come before anybody asked here, it may be
    /// gone already.
    fn new() -> Self {
        Self(std::panic::catch_unwind(|| Context::map_current(|_| ())).is_ok())
    }
}

impl Drop for Present {
    /// A state that nothing is done for at the end would seem to be there after it.
    fn drop(&mut self) {
        self.0 = false;
    }
}

/// Looks at the current context, if there still is one.
fn with_context<T>(look: impl FnOnce(&Context) -> T) -> Option<T> {
    let is_present = PRESENT.try_with(|present| present.0).unwrap_or(false);
    is_present.then(|| Context::map_current(look))
}

/// The span of the current context.
pub(super) fn current() -> Option<Outer> {
    with_context(outer)?
}

/// What the current context says of a call that no call of ours is around: its place, where that is asked for, and of where
/// it belongs what the baggage says.
pub(super) fn around(is_inside: bool) -> (Option<Outer>, Option<Box<Identity>>) {
    with_context(|context| (if is_inside { outer(context) } else { None }, said(context))).unwrap_or_default()
}

fn outer(context: &Context) -> Option<Outer> {
    if !context.has_active_span() {
        return None;
    }
    let span = context.span();
    let span = span.span_context();
    Some(Outer {
        trace: TraceId::from_bytes(span.trace_id().to_bytes())?,
        span: SpanId::from_bytes(span.span_id().to_bytes())?,
        is_remote: span.is_remote(),
        carried: Carried::of(span),
    })
}

/// The span of the current context where it was made in this process and will be exported.
pub(super) fn exported() -> Option<SpanId> {
    with_context(|context| {
        let span = context.span();
        let span = span.span_context();
        let is_exported = span.is_valid() && span.is_sampled() && !span.is_remote();
        is_exported.then(|| SpanId::from_bytes(span.span_id().to_bytes())).flatten()
    })?
}

/// What a context's baggage says of where a call belongs. It may come from another process: like everything else that was
/// not made here, it is checked for being a label when it leaves.
fn said(context: &Context) -> Option<Box<Identity>> {
    let baggage = context.baggage();
    if baggage.is_empty() {
        return None;
    }
    let get = |key| baggage.get(key).map(|value| Scope::id(value.as_str()));
    let said = Identity {
        tenant: get(TENANT_ID.key()),
        rollout: get(ROLLOUT_ID.key()),
        thread: get(THREAD_ID.key()),
        turn: get(TURN_ID.key()),
    };
    (!said.is_empty()).then(|| Box::new(said))
}

/// Makes this span the current context's, for this thread, until the answer is dropped.
pub(super) fn attach(place: &Place) -> Option<Attached> {
    let trace = opentelemetry::TraceId::from_bytes(*place.trace.as_bytes());
    let span = opentelemetry::SpanId::from_bytes(*place.span.as_bytes());
    let (flags, state) = place.carried.parts();
    let ours = SpanContext::new(trace, span, flags, false, state);
    let context = with_context(|context| context.with_remote_span_context(ours))?;
    Some(Attached { _guard: context.attach() })
}
