//! [`Filtered`], for a layer that knows its spans.
//!
//! tracing-subscriber asks the registry about a span each time that one is entered, left, closed or recorded on, so that a
//! filtered layer hears of those alone that its filter has let through. Each time that takes two exchanges of a counter that
//! all threads share, for the spans of others too. A layer with a table of its spans needs none of that: here it is told of all
//! that becomes of every span, and finds by itself that one is not its own.
//!
//! Which call sites are enabled for whom, which events the layer hears of, and its place among other layers with filters are
//! `Filtered`'s. What it is told of spans comes with a [`Context`] that sees all spans, those that the filter refuses too.

use std::any::TypeId;
use std::fmt::{self, Debug};

use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Dispatch, Event, Metadata, Subscriber};
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Filter, Layer};
use tracing_subscriber::registry::LookupSpan;

/// A layer that tells by itself whether a span is its own: in `on_new_span` by its call site, which is to be what its filter
/// says of that, and in `on_enter`, `on_exit`, `on_record` and `on_close` by what it has put down then.
///
/// The filter's own hooks of these names are not called.
pub trait KnowsItsSpans {
    /// It is about to be changed, or exchanged for another one, maybe of another registry. Of what is open then nothing that
    /// was put down is to be relied on, and from now on there may be spans of its own that it was not told of.
    fn forget(&mut self);
}

/// A layer behind a filter, told of all that becomes of every span.
pub struct Direct<L, F, S>(Filtered<Apart<L>, F, S>);

/// What the filter stands before: all of a layer but what it is told of spans.
#[derive(Debug)]
struct Apart<L>(L);

impl<L, F, S> Direct<L, F, S> {
    /// Puts a layer behind a filter.
    pub fn new(layer: L, filter: F) -> Self
    where
        L: KnowsItsSpans,
    {
        Self(Filtered::new(Apart(layer), filter))
    }

    /// The filter.
    pub fn filter(&self) -> &F {
        self.0.filter()
    }

    /// The filter, for one that changes it in a [`reload::Handle`](tracing_subscriber::reload::Handle).
    pub fn filter_mut(&mut self) -> &mut F {
        self.0.filter_mut()
    }

    /// The layer.
    pub fn inner(&self) -> &L {
        &self.0.inner().0
    }

    /// The layer, for one that changes it in a [`reload::Handle`](tracing_subscriber::reload::Handle).
    pub fn inner_mut(&mut self) -> &mut L
    where
        L: KnowsItsSpans,
    {
        let Apart(layer) = self.0.inner_mut();
        layer.forget();
        layer
    }
}

impl<L: Debug, F: Debug, S> Debug for Direct<L, F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Direct").field(&self.0).finish()
    }
}

impl<L, F, S> Layer<S> for Direct<L, F, S>
where
    L: Layer<S> + KnowsItsSpans,
    F: Filter<S> + 'static,
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, span: &Id, context: Context<'_, S>) {
        // What the filter has said of this span must not be taken for an answer about the next one.
        self.0.on_new_span(attributes, span, context.clone());
        self.inner().on_new_span(attributes, span, context);
    }

    fn on_follows_from(&self, span: &Id, follows: &Id, context: Context<'_, S>) {
        self.inner().on_follows_from(span, follows, context);
    }

    fn on_id_change(&self, old: &Id, new: &Id, context: Context<'_, S>) {
        self.inner().on_id_change(old, new, context);
    }

    fn on_record(&self, span: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.inner().on_record(span, values, context);
    }

    fn on_enter(&self, span: &Id, context: Context<'_, S>) {
        self.inner().on_enter(span, context);
    }

    fn on_exit(&self, span: &Id, context: Context<'_, S>) {
        self.inner().on_exit(span, context);
    }

    fn on_close(&self, span: Id, context: Context<'_, S>) {
        self.inner().on_close(span, context);
    }

    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.0.on_register_dispatch(subscriber);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.0.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.0.enabled(metadata, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.0.max_level_hint()
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        self.0.event_enabled(event, context)
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.0.on_event(event, context);
    }

    // Without it this would be a layer without a filter to those around it.
    #[expect(unsafe_code, reason = "the trait declares it so")]
    unsafe fn downcast_raw(&self, id: TypeId) -> Option<*const ()> {
        if id == TypeId::of::<Self>() {
            return Some(std::ptr::from_ref(self).cast());
        }
        if id == TypeId::of::<L>() {
            return Some(std::ptr::from_ref(self.inner()).cast());
        }
        // SAFETY: the layer inside answers under the same contract: the address of a value of the asked type, within
        // `self.0`, and so as long there as `self` is.
        unsafe { self.0.downcast_raw(id) }
    }
}

impl<L, S> Layer<S> for Apart<L>
where
    L: Layer<S>,
    S: Subscriber,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        self.0.on_register_dispatch(subscriber);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.0.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.0.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.0.enabled(metadata, context)
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        self.0.event_enabled(event, context)
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.0.on_event(event, context);
    }
}
