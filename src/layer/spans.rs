//! The layer itself.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, SpanRef};
use veilspan_filtered::{Direct, KnowsItsSpans};

use super::bridge::{self, Carried};
use super::call_site;
use super::calls::{Calls, Known};
use super::entered::{self, Company};
use super::heading::{Ending, Heading};
use super::open::{Call, End, Moment, Open};
use super::operation::Operation;
use super::page::Page;
use super::place::Outer;
use super::site::Fields;
use super::spares;
use super::taken::Taken;
use super::visitor::Visitor;
use super::watch::Watch;
use crate::event::{At, CallKind, Scope, SpanId, SpanIds, TraceId};
use crate::intake::{Around as Inside, Desk, Drop as Loss, Identity, Way, innermost};

/// Hands GenAI spans in. Made by [`veilspan::layer`](fn@crate::layer) and [`Recorder::layer`](crate::Recorder::layer),
/// and always behind its filter.
pub struct Spans {
    desk: Option<Arc<Desk>>,
    /// Tells this layer from others on the same thread, those of the same recorder among them: two registries give the same
    /// ids to their spans.
    number: u64,
    calls: Calls,
    watch: Watch,
}

/// The layer behind its own filter.
pub type GenAiLayer<S> = Direct<Spans, Taken, S>;

impl KnowsItsSpans for Spans {
    fn forget(&mut self) {
        self.abandon();
        self.calls = Calls::default();
        self.calls.may_not_have_all();
    }
}

/// The layer that hands spans in at `desk`; without one it is a layer that sees nothing.
pub(crate) fn layer_for<S>(desk: Option<Arc<Desk>>) -> GenAiLayer<S>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let taken = Taken { is_enabled: desk.is_some() };
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    Direct::new(Spans { desk, number, calls: Calls::default(), watch: Watch::default() }, taken)
}

/// What a new call is the inside of: a place in a trace, and a scope where that is known; where it is not, what baggage says.
#[derive(Default)]
struct Around {
    scope: Option<Arc<Scope>>,
    place: Option<Outer>,
    said: Option<Box<Identity>>,
}

impl Spans {
    /// Whether a span is ours of which the table knows nothing.
    fn would_take<S>(&self, id: &Id, context: &Context<'_, S>) -> bool
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        let is_gen_ai = || context.metadata(id).is_some_and(|metadata| call_site::of(metadata).is_gen_ai());
        self.desk.is_some() && is_gen_ai()
    }

    /// Hands all in that is open, as what nobody will see the end of.
    fn abandon(&mut self) {
        if let Some(desk) = &self.desk {
            self.calls.drain().for_each(|open| Self::hand_in(desk, open, true));
        }
    }

    /// Keeps a span of which nothing is recorded: what is logged inside of it is kept from other exporters all the same.
    fn put_bare(&self, span: u64) {
        let _ = self.calls.put(span, None);
    }

    fn call(desk: &Desk, heading: &mut Heading, fields: Fields, around: Around) -> Call {
        let Around { scope, place, said } = around;
        let (trace, parent, parent_is_remote, carried) = match place {
            Some(Outer { trace, span, is_remote, carried }) => (trace, Some(span), is_remote, carried),
            None => (TraceId::random(), None, false, Carried::default()),
        };
        let ids = SpanIds { trace, span: SpanId::random(), parent, parent_is_remote };
        let mut scope = match (identity(heading, scope.is_some(), said, ids), scope) {
            (None, scope) => scope,
            (Some(identity), scope) => Some(identity.scope(scope.as_ref(), ids)),
        };
        let is_sampled = desk.samples_all()
            || desk.samples(&scope.get_or_insert_with(|| Identity::default().scope(None, ids)).rollout);
        let now = desk.now();
        // What is not handed in takes no place in the order of events.
        let At { producer, seq, .. } = if is_sampled { desk.at(now) } else { NOT_SAMPLED };
        let opened = Moment { unix_nano: now, seq: seq.unwrap_or_default() };
        Call { ids, carried, scope, is_sampled, id: desk.call_id(now), opened, producer, fields, end: None }
    }

    /// What a span is the inside of: a call by hand that runs around it, else the nearest call among the spans around it, else
    /// whatever OpenTelemetry's context says.
    fn around<S>(&self, desk: &Arc<Desk>, id: &Id, attributes: &Attributes<'_>, context: &Context<'_, S>) -> Around
    where
        S: Subscriber + for<'lookup> LookupSpan<'lookup>,
    {
        let by_hand = if attributes.is_contextual() { innermost(desk, &[Way::Recorder]) } else { None };
        if let Some(around) = by_hand {
            let scope = around.scope().map(Arc::clone);
            let said = if scope.is_some() { None } else { bridge::around(false).1 };
            let (trace, span, is_remote) = (around.trace, around.span, around.is_remote);
            // What a peer has asked for is done inside of the span that the service has made for it, if it has.
            let local = if is_remote { bridge::current().filter(|local| !local.is_remote) } else { None };
            let place = local.unwrap_or_else(|| Outer { trace, span, is_remote, carried: Carried::default() });
            return Around { scope, place: Some(place), said };
        }
        // The registry is asked for a span alone that is inside of another.
        let is_contextual = attributes.is_contextual();
        let is_inside = attributes.parent().is_some() || is_contextual && context.current_span().id().is_some();
        let ancestor = if is_inside { context.span(id).and_then(|span| self.ancestor(&span)) } else { None };
        ancestor.unwrap_or_else(|| {
            // The current context is that of the current span, and of no other that a caller may name.
            let names_current =
                || attributes.parent().is_some_and(|parent| context.current_span().id() == Some(parent));
            let (place, said) = bridge::around(is_contextual || names_current());
            Around { scope: None, place, said }
        })
    }

    fn ancestor<'a, S: LookupSpan<'a> + 'a>(&self, span: &SpanRef<'a, S>) -> Option<Around> {
        let mut around = span.parent();
        while let Some(span) = around {
            let parent = self.calls.with(span.id().into_u64(), |call, _| {
                let SpanIds { trace, span, .. } = call.ids;
                let place = Outer { trace, span, is_remote: false, carried: call.carried.clone() };
                Around { scope: Some(Arc::clone(call.scope())), place: Some(place), said: None }
            });
            if parent.is_some() {
                return parent;
            }
            around = span.parent();
        }
        None
    }

    /// Hands a call in whose span has closed.
    fn hand_in(desk: &Desk, mut open: Box<Open>, is_abandoned: bool) {
        let Some(call) = open.call.as_mut().filter(|call| call.is_sampled) else { return spares::give(open) };
        let At { time_unix_nano, seq, .. } = desk.at(desk.now().max(call.opened.unix_nano));
        let closed = Moment { unix_nano: time_unix_nano, seq: seq.unwrap_or_default() };
        call.end = Some(End { closed, is_abandoned, panics: std::thread::panicking() });
        desk.whole(open);
    }
}

/// When a call that is not sampled was told of, in the order of events.
const NOT_SAMPLED: At = At { time_unix_nano: 0, producer: None, seq: None };

/// Explicit scope first, then baggage, then the nearest GenAI ancestor, which the scope is completed from.
fn identity(
    heading: &mut Heading,
    has_parent: bool,
    baggage: Option<Box<Identity>>,
    ids: SpanIds,
) -> Option<Box<Identity>> {
    let said = heading.identity.take();
    if has_parent {
        // Inside of a GenAI span baggage has been read already, when the outermost one opened.
        if !matches!(heading.stated_operation(), Some(Operation::Call(CallKind::Turn, _))) {
            return said;
        }
        // Another agent: same rollout, a thread of its own.
        let mut identity = said.unwrap_or_default();
        let own = ids.own_id();
        identity.thread.get_or_insert_with(|| own.clone());
        identity.turn.get_or_insert(own);
        return Some(identity);
    }
    let Some(mut identity) = said else { return baggage };
    if let Some(baggage) = baggage {
        identity.tenant = identity.tenant.or(baggage.tenant);
        identity.rollout = identity.rollout.or(baggage.rollout);
        identity.thread = identity.thread.or(baggage.thread);
        identity.turn = identity.turn.or(baggage.turn);
    }
    Some(identity)
}

impl<S> Layer<S> for Spans
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let is_ours = |_: &&Arc<Desk>| call_site::of(attributes.metadata()).is_gen_ai();
        let Some(desk) = self.desk.as_ref().filter(is_ours) else { return };
        let span = id.into_u64();
        if desk.samples_nothing() {
            // All that is done is to know that a thread is inside of a GenAI span.
            return self.put_bare(span);
        }
        let fields = Fields::of(attributes.metadata());
        let mut open = spares::take();
        attributes.record(&mut Visitor::new(&mut open.page, fields));
        // Not a call: what is inside belongs to what is around.
        if open.page.heading.stated_operation() == Some(Operation::Unmapped) {
            desk.count_started();
            desk.count_lost(Loss::UnmappedOperation);
            spares::give(open);
            return self.put_bare(span);
        }
        let around = self.around(desk, id, attributes, &context);
        let call = Self::call(desk, &mut open.page.heading, fields, around);
        let (is_sampled, opened_at) = (call.is_sampled, call.opened_at());
        open.call = Some(call);
        if is_sampled {
            desk.span_opened();
        }
        if let Err(open) = self.calls.put(span, Some(open)) {
            open.into_iter().for_each(spares::give);
            if is_sampled {
                desk.span_lost(opened_at, Loss::IntakeFull);
            }
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let untyped = self.calls.with(id.into_u64(), |call, page| {
            let fields = call.fields;
            (call.is_sampled && Visitor::read_typed(page, fields, values)).then_some(fields)
        });
        if let Some(Some(fields)) = untyped {
            let mut page = Page::default();
            Visitor::read_untyped(&mut page, fields, values);
            let _ = self.calls.with(id.into_u64(), |_, known| known.merge(page));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(mut scope) = context.event_scope(event) else { return };
        let is_sampled = |span: &SpanRef<'_, S>| self.calls.with(span.id().into_u64(), |call, _| call.is_sampled);
        let Some((id, true)) = scope.find_map(|span| Some((span.id().into_u64(), is_sampled(&span)?))) else { return };
        let mut page = Page::default();
        event.record(&mut Visitor::new(&mut page, Fields::of(event.metadata())));
        // Whether the error came from further in cannot be told: spans that no layer wants are not there.
        let end = &mut page.heading.end;
        let is_error = end.has_exception || (end.has_error && *event.metadata().level() == Level::ERROR);
        *end = match is_error {
            true => Ending { has_logged: true, error_type: end.error_type.take(), ..Ending::default() },
            false => Ending::default(),
        };
        let _ = self.calls.with(id, |_, known| known.merge(page));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let span = id.into_u64();
        let enter = |call: &mut Call, _: &mut Page| {
            let entering = self.desk.as_ref().and_then(|desk| Inside::span(&call.ids, call.scope.as_ref()).enter(desk));
            (entering, call.place())
        };
        let (entering, place) = match self.calls.look(span, enter) {
            Known::Foreign => return,
            Known::Unknown if !self.would_take(id, &context) => return,
            Known::Bare | Known::Unknown => (None, None),
            Known::Call(known) => known,
        };
        entered::enter(self.number, span, entering, place.as_ref(), self.watch.is_on());
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        let company = entered::exit(self.number, id.into_u64());
        // Where spans are left in another order than they were entered in, the one around this one may be gone by itself.
        let is_around = |other| self.calls.with(id.into_u64(), |call, _| call.ids.parent == Some(other)) == Some(true);
        match company {
            Company::Unknown => {}
            Company::Span(other) if !is_around(other) => self.watch.warn(),
            Company::Nobody | Company::Span(_) => self.watch.pass(),
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let open = self.calls.take(id.into_u64());
        if let (Some(desk), Some(open)) = (&self.desk, open) {
            Self::hand_in(desk, open, false);
        }
    }
}

impl Drop for Spans {
    /// What is still open will not be told of any more: the registry is gone, or the layer is.
    fn drop(&mut self) {
        self.abandon();
    }
}

impl fmt::Debug for Spans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spans").field("desk", &self.desk).finish()
    }
}
