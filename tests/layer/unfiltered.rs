//! Another exporting layer that lacks the filter is found and named, once, and nobody else is.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::{Span, TraceContextExt, Tracer};
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, info_span};
use tracing_subscriber::layer::Context;
use tracing_subscriber::prelude::*;
use tracing_subscriber::{Layer, Registry};
use veilspan::layer::others;

use super::stack::{Recorded, Sdk};

/// What the layer has warned of.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl<S: tracing::Subscriber> Layer<S> for Warnings {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        struct Message(String);
        impl Visit for Message {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        if event.metadata().target().starts_with("veilspan") {
            let mut message = Message(String::new());
            event.record(&mut message);
            self.0.lock().unwrap().push(message.0);
        }
    }
}

impl Warnings {
    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

fn chat() -> tracing::Span {
    info_span!("chat", gen_ai.operation.name = "chat")
}

/// Both layers in either order.
fn beside(
    recorded: &Recorded,
    theirs: impl Layer<Registry> + Send + Sync,
    is_first: bool,
    seen: &Warnings,
) -> Dispatch {
    let mut layers = vec![theirs.boxed(), recorded.recorder.layer().boxed()];
    if !is_first {
        layers.reverse();
    }
    Dispatch::new(tracing_subscriber::registry().with(layers).with(seen.clone()))
}

fn assert_warned_once(warnings: &Warnings) {
    let warnings = warnings.all();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("veilspan::layer::others()"), "{warnings:?}");
}

#[test]
fn a_layer_without_the_filter_that_comes_first_is_warned_of_once() {
    let (recorded, sdk, warnings) = (Recorded::new(), Sdk::new(), Warnings::default());
    let subscriber = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(sdk.tracer()))
        .with(recorded.recorder.layer())
        .with(warnings.clone());
    tracing::subscriber::with_default(subscriber, || {
        info_span!("server").in_scope(|| chat().in_scope(|| chat().in_scope(|| {})));
        chat().in_scope(|| {});
    });
    assert_warned_once(&warnings);
    assert_eq!(recorded.calls().len(), 3);
}

#[test]
fn a_layer_without_the_filter_that_comes_last_is_warned_of_once() {
    let (recorded, sdk, warnings) = (Recorded::new(), Sdk::new(), Warnings::default());
    let subscriber = tracing_subscriber::registry()
        .with(recorded.recorder.layer())
        .with(tracing_opentelemetry::layer().with_tracer(sdk.tracer()))
        .with(warnings.clone());
    tracing::subscriber::with_default(subscriber, || {
        chat().in_scope(|| {});
        chat().in_scope(|| {});
    });
    assert_warned_once(&warnings);
}

#[test]
fn it_is_found_behind_a_filter_of_another_kind_and_across_awaits() {
    use tracing::Instrument;
    use tracing::instrument::WithSubscriber;
    use tracing_subscriber::filter::LevelFilter;
    for is_first in [true, false] {
        let (recorded, sdk, warnings) = (Recorded::new(), Sdk::new(), Warnings::default());
        let theirs = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(LevelFilter::INFO);
        let dispatch = beside(&recorded, theirs, is_first, &warnings);
        let work = async {
            tokio::task::yield_now().instrument(chat()).await;
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(work.with_subscriber(dispatch));
        assert_warned_once(&warnings);
    }
}

#[test]
fn with_the_filter_nothing_is_warned_of_whatever_the_order() {
    for is_first in [true, false] {
        let (recorded, sdk, warnings) = (Recorded::new(), Sdk::new(), Warnings::default());
        let theirs = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
        let dispatch = beside(&recorded, theirs, is_first, &warnings);
        let tracer = sdk.tracer();
        tracing::dispatcher::with_default(&dispatch, || {
            info_span!("server").in_scope(|| {
                let chat = chat();
                chat.in_scope(|| info_span!("client").in_scope(|| {}));
                // A context of the host's own, inside, around, and around something that was made elsewhere.
                let own = opentelemetry::Context::current_with_span(tracer.start("by hand"));
                chat.in_scope(|| drop(own.clone().attach()));
                let guard = own.clone().attach();
                chat.in_scope(|| {});
                self::chat().in_scope(|| {});
                drop(guard);
            });
            // Left in another order than entered: what is around a call is gone before it.
            let server = info_span!("server").entered();
            let chat = chat().entered();
            drop(server);
            drop(chat);
        });
        assert_eq!(warnings.all(), Vec::<String>::new(), "{is_first}");
        tracer.start("the last").end();
        assert!(sdk.spans().iter().all(|span| span.name != "chat"));
    }
}

#[test]
fn nothing_is_warned_of_without_another_exporter() {
    let (recorded, warnings) = (Recorded::new(), Warnings::default());
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer()).with(warnings.clone());
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..100 {
            info_span!("server").in_scope(|| chat().in_scope(|| chat().in_scope(|| {})));
        }
    });
    assert!(warnings.all().is_empty());
}
