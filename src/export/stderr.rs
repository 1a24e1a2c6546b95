//! What veilspan has to say, on stderr, where no subscriber of the host's would tell it.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Filtered;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

/// Writes each event of ours as one line. None of them holds content, or the text of a peer or of a variable.
pub(super) struct Stderr;

/// Our own events from `INFO` on, and nothing else.
pub(super) struct Ours;

/// The layer behind its filter.
pub(super) fn layer<S>() -> Filtered<Stderr, Ours, S>
where
    S: Subscriber + for<'lookup> LookupSpan<'lookup>,
{
    Stderr.with_filter(Ours)
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.is_event() && metadata.target() == "veilspan" && *metadata.level() <= Level::INFO
}

impl<S> Filter<S> for Ours {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        is_ours(metadata)
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if is_ours(metadata) { Interest::always() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::INFO)
    }
}

impl<S: Subscriber> Layer<S> for Stderr {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let line = line(event);
        // Where nothing can be written nothing can be said of it either.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
}

fn line(event: &Event<'_>) -> String {
    let mut told = Told::default();
    event.record(&mut told);
    let level = match *event.metadata().level() {
        Level::INFO => "",
        Level::WARN => "warning: ",
        _ => "error: ",
    };
    format!("veilspan: {level}{}{}\n", told.message, told.fields)
}

/// The message, and the fields behind it.
#[derive(Default)]
struct Told {
    message: String,
    fields: String,
}

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<String>>>);

    impl<S: Subscriber> Layer<S> for Lines {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            self.0.lock().unwrap().push(line(event));
        }
    }

    #[test]
    fn our_own_events_are_lines_and_those_of_others_are_nothing() {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::registry().with(lines.clone().with_filter(Ours));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "veilspan", policy = %"content=none", endpoint = "localhost:4317", "recording");
            tracing::warn!(target: "veilspan", waiting = 3, "spans wait");
            tracing::error!(target: "veilspan", "it broke");
            tracing::debug!(target: "veilspan", "a detail");
            tracing::error!(target: "veilspan_tests", "another crate");
            tracing::error!("the host");
            let _span = tracing::info_span!(target: "veilspan", "a span").entered();
        });
        let expected = [
            "veilspan: recording policy=content=none endpoint=localhost:4317\n",
            "veilspan: warning: spans wait waiting=3\n",
            "veilspan: error: it broke\n",
        ];
        assert_eq!(*lines.0.lock().unwrap(), expected);
    }
}
