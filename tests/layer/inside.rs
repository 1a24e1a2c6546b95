//! What is logged inside of a GenAI span is kept from other exporters, whatever our layer knows of that span.

use std::sync::Arc;

use tracing::{Span, Subscriber, info, info_span};
use tracing_subscriber::prelude::*;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry, reload};
use veilspan::Recorder;
use veilspan::intake::Sampler;
use veilspan::layer::{GenAiLayer, others};
use veilspan::testing::MemorySink;

use super::stack::{Recorded, policy};
use super::support::lines::Lines;

fn chat() -> Span {
    info_span!("chat", gen_ai.operation.name = "chat")
}

fn plain() -> Span {
    info_span!("plain")
}

/// What a layer behind the filter writes of what is logged.
fn written<S: Subscriber + for<'lookup> LookupSpan<'lookup>>(lines: &Lines) -> impl Layer<S> + Send + Sync {
    let lines = lines.clone();
    tracing_subscriber::fmt::layer().with_writer(move || lines.clone()).with_filter(others())
}

/// Logs in plain spans and in a GenAI one, and in one that is in the other.
fn log(call: &Span) {
    call.in_scope(|| {
        info!("canary");
        plain().in_scope(|| info!("canary"));
    });
    plain().in_scope(|| {
        info!("first");
        call.in_scope(|| plain().in_scope(|| info!("canary")));
        info!("second");
    });
}

fn assert_kept(lines: &Lines) {
    let text = lines.text();
    let has = ["canary", "first", "second"].map(|word| text.contains(word));
    assert_eq!(has, [false, true, true], "{text}");
}

#[test]
fn where_nothing_is_sampled_and_where_an_operation_is_none_of_ours() {
    for (sampler, operation) in [(Sampler::NONE, "chat"), (Sampler::ALL, "rerank"), (Sampler::ALL, "chat")] {
        let lines = Lines::default();
        let builder = Recorder::builder().sink(Arc::new(MemorySink::default())).policy(policy());
        let recorder = builder.sampler(sampler).build();
        let subscriber = tracing_subscriber::registry().with(written(&lines)).with(recorder.layer());
        tracing::subscriber::with_default(subscriber, || {
            log(&info_span!("call", gen_ai.operation.name = operation));
            // The registry gives them the place of one that was ours.
            (0..10).for_each(|_| plain().in_scope(|| info!("first")));
        });
        assert_kept(&lines);
        assert_eq!(lines.text().matches("first").count(), 11);
    }
}

#[test]
fn where_the_layer_was_exchanged_for_one_that_was_not_told_of_the_span() {
    let (before, after, lines) = (Recorded::new(), Recorded::new(), Lines::default());
    let (layer, handle) = reload::Layer::new(before.recorder.layer::<Registry>());
    let subscriber = tracing_subscriber::registry().with(layer).with(written(&lines));
    tracing::subscriber::with_default(subscriber, || {
        let call = chat();
        let mut next: GenAiLayer<Registry> = after.recorder.layer();
        handle.modify(|layer| std::mem::swap(layer.inner_mut(), next.inner_mut())).unwrap();
        log(&call);
    });
    assert_kept(&lines);
}

#[test]
fn where_more_spans_are_open_than_the_first_room_holds() {
    let (recorded, lines) = (Recorded::new(), Lines::default());
    let subscriber = tracing_subscriber::registry().with(written(&lines)).with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        let mut calls: Vec<_> = (0..3000).map(|_| chat()).collect();
        calls.iter().for_each(log);
        calls.truncate(1500);
        calls.extend((0..1500).map(|_| chat()));
        calls.iter().for_each(log);
    });
    assert_kept(&lines);
    assert_eq!(recorded.calls().len(), 4500);
}
