//! The layer itself.

use std::fmt;
use std::sync::Arc;

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::bridge;
use super::entered::{self, Company};
use super::open::{Open, OpenCalls};
use super::operation::Operation;
use super::place::{Outer, Place};
use super::site::Fields;
use super::taken::Taken;
use super::told::{Ending, Told};
use super::visitor::Visitor;
use super::watch::Watch;
use crate::event::{At, CallKind, SpanId, SpanIds, TraceId};
use crate::intake::{Desk, Drop as Loss, Identity};

/// Hands GenAI spans in. Made by [`veilspan::layer`](fn@crate::layer) and [`Recorder::layer`](crate::Recorder::layer),
/// and always behind its filter.
pub struct Spans {
    desk: Option<Arc<Desk>>,
    watch: Watch,
}

/// The layer behind its own filter.
pub type GenAiLayer<S> = Filtered<Spans, Taken, S>;

/// The layer that hands spans in at `desk`; without one it is a layer that sees nothing.
pub(crate) fn layer_for<S>(desk: Option<Arc<Desk>>) -> GenAiLayer<S>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    let taken = Taken { is_enabled: desk.is_some() };
    Spans { desk, watch: Watch::default() }.with_filter(taken)
}

/// The key of a layer's calls: layers that hand in at one desk are one.
fn key(desk: &Arc<Desk>) -> usize {
    Arc::as_ptr(desk).addr()
}

impl Spans {
    /// Where no rollout is recorded, all that is done is to know that a thread is inside of a GenAI span.
    fn samples_nothing(&self) -> bool {
        self.desk.as_ref().is_none_or(|desk| desk.samples_nothing())
    }

    fn key(&self) -> usize {
        self.desk.as_ref().map_or(0, key)
    }

    fn open(desk: &Arc<Desk>, told: Box<Told>, parent: Option<&Place>, outer: Option<Outer>) -> Open {
        let (trace, parent_span, is_remote, carried) = match (parent, outer) {
            (Some(parent), _) => (parent.trace, Some(parent.span), false, parent.carried.clone()),
            (None, Some(outer)) => (outer.trace, Some(outer.span), outer.is_remote, outer.carried),
            (None, None) => (TraceId::random(), None, false, bridge::Carried::default()),
        };
        let ids = SpanIds { trace, span: SpanId::random(), parent: parent_span, parent_is_remote: is_remote };
        let identity = identity(&told, parent, ids);
        let scope = identity.scope(parent.map(|parent| &parent.scope), ids);
        let is_sampled = desk.samples(&scope.rollout);
        let told = is_sampled.then_some(told);
        let place = Place { scope, trace, span: ids.span, carried, is_sampled };
        let now = desk.now();
        let id = desk.call_id(now);
        // What is not handed in takes no place in the order of events.
        let at = if is_sampled { desk.at(now) } else { At { time_unix_nano: now, producer: None, seq: None } };
        Open { desk: Arc::clone(desk), place, ids, id, at, told }
    }

    fn nearest<'a, S>(&self, mut spans: impl Iterator<Item = SpanRef<'a, S>>) -> Option<Place>
    where
        S: LookupSpan<'a> + 'a,
    {
        spans.find_map(|span| self.place(&span))
    }

    fn place<'a, S: LookupSpan<'a> + 'a>(&self, span: &SpanRef<'a, S>) -> Option<Place> {
        let extensions = span.extensions();
        let call = extensions.get::<OpenCalls>()?.get(self.key())?;
        Some(call.place.clone())
    }

    /// Runs `change` on the call of this span, if there is one. The host's code must not be run in it.
    fn with_call<'a, S: LookupSpan<'a> + 'a>(&self, span: &SpanRef<'a, S>, change: impl FnOnce(&mut Open)) {
        let mut extensions = span.extensions_mut();
        if let Some(call) = extensions.get_mut::<OpenCalls>().and_then(|calls| calls.get_mut(self.key())) {
            change(call);
        }
    }

    fn parent<'a, S: LookupSpan<'a> + 'a>(&self, span: &SpanRef<'a, S>) -> Option<SpanId> {
        span.extensions().get::<OpenCalls>()?.get(self.key())?.ids.parent
    }

    fn sampled_place<'a, S: LookupSpan<'a> + 'a>(&self, span: &SpanRef<'a, S>) -> Option<Place> {
        self.place(span).filter(|place| place.is_sampled)
    }
}

/// Explicit scope first, then baggage, then the nearest GenAI ancestor, which the scope is completed from.
fn identity(told: &Told, parent: Option<&Place>, ids: SpanIds) -> Identity {
    let mut identity = told.identity.clone();
    match parent {
        // Another agent: same rollout, a thread of its own.
        Some(_) if matches!(told.stated_operation(), Some(Operation::Call(CallKind::Turn, _))) => {
            let own = Identity::own(ids);
            identity.thread.get_or_insert_with(|| own.clone());
            identity.turn.get_or_insert(own);
        }
        Some(_) => {}
        // Inside of a GenAI span baggage has been read already, when the outermost one opened.
        None => {
            let baggage = bridge::baggage();
            identity.tenant = identity.tenant.or(baggage.tenant);
            identity.rollout = identity.rollout.or(baggage.rollout);
            identity.thread = identity.thread.or(baggage.thread);
            identity.turn = identity.turn.or(baggage.turn);
        }
    }
    identity
}

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(desk) = self.desk.as_ref().filter(|_| !self.samples_nothing()) else { return };
        let Some(span) = context.span(id) else { return };
        let mut told = Box::<Told>::default();
        attributes.record(&mut Visitor::new(&mut told, Fields::of(attributes.metadata())));
        // Not a call: what is inside belongs to what is around.
        if told.stated_operation() == Some(Operation::Unmapped) {
            desk.count_started();
            desk.count_lost(Loss::UnmappedOperation);
            return;
        }
        let parent = self.nearest(span.scope().skip(1));
        // The current context is that of the current span, and of no other that a caller may name.
        let names_current = || attributes.parent().is_some_and(|parent| context.current_span().id() == Some(parent));
        let is_current = parent.is_none() && (attributes.is_contextual() || names_current());
        let outer = if is_current { bridge::current() } else { None };
        let call = Self::open(desk, told, parent.as_ref(), outer);
        if call.place.is_sampled {
            desk.span_opened();
        }
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<OpenCalls>() {
            Some(calls) => calls.add(key(desk), call),
            None => {
                let mut calls = OpenCalls::default();
                calls.add(key(desk), call);
                extensions.insert(calls);
            }
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if self.samples_nothing() {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let fields = Fields::of(span.metadata());
        let mut has_untyped = false;
        self.with_call(&span, |call| {
            if let Some(told) = &mut call.told {
                has_untyped = Visitor::read_typed(told, fields, values);
            }
        });
        if has_untyped {
            let mut told = Told::default();
            values.record(&mut Visitor::new(&mut told, fields));
            self.with_call(&span, |call| call.merge(told));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(mut scope) = context.event_scope(event) else { return };
        let Some(span) = scope.find(|span| self.place(span).is_some()) else { return };
        if self.sampled_place(&span).is_none() {
            return;
        }
        let mut told = Told::default();
        event.record(&mut Visitor::new(&mut told, Fields::of(event.metadata())));
        // Whether the error came from further in cannot be told: spans that no layer wants are not there.
        let is_error = told.end.has_exception || (told.end.has_error && *event.metadata().level() == Level::ERROR);
        told.end = match is_error {
            true => Ending { has_logged: true, error_type: told.end.error_type.take(), ..Ending::default() },
            false => Ending::default(),
        };
        self.with_call(&span, |call| call.merge(told));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let span = if self.samples_nothing() { None } else { context.span(id) };
        let place = span.and_then(|span| self.sampled_place(&span));
        entered::enter(self.key(), id.into_u64(), place.as_ref(), self.watch.is_on());
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let company = entered::exit(self.key(), id.into_u64());
        // Where spans are left in another order than they were entered in, the one around this one may be gone by itself.
        let is_around = |other| context.span(id).and_then(|span| self.parent(&span)) == Some(other);
        match company {
            Company::Unknown => {}
            Company::Span(other) if !is_around(other) => self.watch.warn(),
            Company::Nobody | Company::Span(_) => self.watch.pass(),
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        if self.samples_nothing() {
            return;
        }
        let Some(span) = context.span(&id) else { return };
        let call = span.extensions_mut().get_mut::<OpenCalls>().and_then(|calls| calls.remove(self.key()));
        if let Some(call) = call {
            call.close(span.metadata());
        }
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans").field("desk", &self.desk).finish()
    }
}
