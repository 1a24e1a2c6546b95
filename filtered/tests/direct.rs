//! A layer behind [`Direct`] beside others, with and without filters.

#![allow(clippy::unwrap_used)]

use std::sync::{Arc, Mutex};

use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::with_default;
use tracing::{Event, Metadata, Subscriber, info, info_span, warn_span};
use tracing_subscriber::Registry;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;
use veilspan_filtered::{Direct, KnowsItsSpans};

/// Writes down what it is told.
#[derive(Clone, Debug, Default)]
struct Told(Arc<Mutex<Vec<String>>>);

impl Told {
    fn tell(&self, what: &str, of: Option<&'static Metadata<'static>>) {
        self.0.lock().unwrap().push(format!("{what} {}", of.map_or("?", Metadata::name)));
    }

    fn all(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl KnowsItsSpans for Told {
    fn forget(&mut self) {
        self.tell("forget", None);
    }
}

impl<S: Subscriber + for<'lookup> LookupSpan<'lookup>> Layer<S> for Told {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        self.tell("new", Some(attributes.metadata()));
    }

    fn on_record(&self, span: &Id, _: &Record<'_>, context: Context<'_, S>) {
        self.tell("record", context.metadata(span));
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        self.tell("event", Some(event.metadata()));
    }

    fn on_enter(&self, span: &Id, context: Context<'_, S>) {
        self.tell("enter", context.metadata(span));
    }

    fn on_exit(&self, span: &Id, context: Context<'_, S>) {
        self.tell("exit", context.metadata(span));
    }

    fn on_close(&self, span: Id, context: Context<'_, S>) {
        self.tell("close", context.metadata(&span));
    }
}

fn is_wanted(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "wanted"
}

fn visit() {
    let other = info_span!(target: "other", "other", field = tracing::field::Empty);
    other.record("field", 1);
    other.in_scope(|| {
        info!(name: "saying", target: "other", "said");
        info_span!(target: "wanted", "ours").in_scope(|| info!(name: "ours", target: "wanted", "said"));
    });
}

#[test]
fn it_is_told_of_all_that_becomes_of_every_span_and_of_events_that_the_filter_lets_through() {
    let (told, all, warnings) = (Told::default(), Told::default(), Told::default());
    let subscriber = tracing_subscriber::registry()
        .with(all.clone())
        .with(Direct::new(told.clone(), filter_fn(is_wanted)))
        .with(Direct::new(warnings.clone(), LevelFilter::WARN));
    with_default(subscriber, || {
        visit();
        drop(warn_span!(target: "other", "warning"));
    });
    let (told, all, warnings) = (told.all(), all.all(), warnings.all());
    let of_spans = |told: &[String]| told.iter().filter(|told| !told.starts_with("event")).cloned().collect::<Vec<_>>();
    let events = |told: &[String]| told.iter().filter(|told| told.starts_with("event")).cloned().collect::<Vec<_>>();
    assert_eq!(of_spans(&all).len(), 11, "{all:?}");
    assert_eq!([of_spans(&told), of_spans(&warnings)], [of_spans(&all), of_spans(&all)]);
    assert_eq!(events(&told), ["event ours"]);
    assert!(events(&warnings).is_empty());
    // Who has no filter sees what it saw before.
    assert_eq!(events(&all), ["event saying", "event ours"]);
}

#[test]
fn the_layer_inside_is_found_by_its_type_and_told_before_it_is_changed() {
    let told = Told::default();
    let mut direct: Direct<_, _, Registry> = Direct::new(told.clone(), LevelFilter::INFO);
    *direct.filter_mut() = LevelFilter::WARN;
    assert_eq!(*direct.filter(), LevelFilter::WARN);
    let _ = direct.inner_mut();
    assert_eq!(direct.inner().all(), ["forget ?"]);
    let subscriber = tracing_subscriber::registry().with(direct);
    let dispatch = tracing::Dispatch::new(subscriber);
    assert!(dispatch.downcast_ref::<Told>().is_some());
    assert!(dispatch.downcast_ref::<Direct<Told, LevelFilter, Registry>>().is_some());
    assert!(dispatch.downcast_ref::<LevelFilter>().is_some_and(|level| *level == LevelFilter::WARN));
}
