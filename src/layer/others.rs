//! The filter for every other layer that exports.

use tracing::subscriber::Interest;
use tracing::{Event, Metadata};
use tracing_subscriber::layer::{Context, Filter};

use super::call_site::{self, Verdict};
use super::entered;

/// Keeps away from another exporting layer what this crate exports, and what must not leave as it is.
///
/// That is: the GenAI call sites; every event inside a GenAI span, since libraries put request bodies and errors that
/// quote them into events; the spans that swiftide makes of whole messages; and what this crate logs itself. Spans inside a GenAI span that are no GenAI spans, such as
/// those of an HTTP client, stay with the other layer. Combine it with more by
/// [`FilterExt::and`](tracing_subscriber::filter::FilterExt::and).
///
/// Events inside are known by the thread's entered spans, which [`Spans`](super::Spans) keeps: without our layer in the
/// same subscriber only the call sites are kept away. An event with an explicit parent is kept away where that parent is
/// ours.
pub const fn others() -> Others {
    Others(())
}

/// See [`others`].
#[derive(Clone, Copy, Debug)]
pub struct Others(());

const fn passes(verdict: Verdict) -> bool {
    !verdict.is_gen_ai() && !verdict.is_apart()
}

impl<S> Filter<S> for Others
where
    S: tracing::Subscriber + for<'lookup> tracing_subscriber::registry::LookupSpan<'lookup>,
{
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        passes(call_site::of(metadata))
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        match passes(call_site::register(metadata)) {
            false => Interest::never(),
            // tracing-subscriber lets a filter refuse a single event only where it was asked about its call site before.
            true if metadata.is_event() => Interest::sometimes(),
            true => Interest::always(),
        }
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        match event.parent() {
            Some(parent) => context.metadata(parent).is_none_or(|parent| passes(call_site::of(parent))),
            None => !event.is_contextual() || !entered::is_inside(),
        }
    }
}
