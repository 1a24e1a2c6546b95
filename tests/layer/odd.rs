//! What hosts do to spans: no panic, no loss, right parents.

use std::fmt;
use std::sync::Arc;

use tracing::field::Empty;
use tracing::{Dispatch, info, info_span};
use tracing_subscriber::prelude::*;
use tracing_subscriber::{EnvFilter, Registry, reload};
use veilspan::Recorder;
use veilspan::event::Outcome;
use veilspan::layer::{GenAiLayer, others};

use super::stack::{Recorded, Sdk};

fn chat() -> tracing::Span {
    info_span!("chat", gen_ai.operation.name = "chat", gen_ai.usage.input_tokens = Empty)
}

fn tool() -> tracing::Span {
    info_span!("tool", gen_ai.operation.name = "execute_tool")
}

#[test]
fn a_span_entered_on_other_threads_is_one_call_and_their_parent() {
    let recorded = Recorded::new();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(recorded.recorder.layer()));
    let span = tracing::dispatcher::with_default(&dispatch, chat);
    std::thread::scope(|threads| {
        for _ in 0..4 {
            threads.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    for _ in 0..50 {
                        span.in_scope(|| tool().in_scope(|| {}));
                    }
                });
            });
        }
    });
    drop(span);
    let calls = recorded.calls();
    assert_eq!(calls.len(), 201);
    let parent = Some(calls[0].opened.span.span);
    assert!(calls[1..].iter().all(|call| call.opened.span.parent == parent && call.scope == calls[0].scope));
}

#[test]
fn spans_may_be_left_and_closed_in_any_order() {
    let (recorded, sdk) = (Recorded::new(), Sdk::new());
    let exporting = tracing_opentelemetry::layer().with_tracer(sdk.tracer()).with_filter(others());
    let subscriber = tracing_subscriber::registry().with(exporting).with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        let outer = chat();
        let inner = {
            let _inside = outer.enter();
            tool()
        };
        let first = outer.enter();
        let second = inner.enter();
        drop(first);
        info_span!("child of inner").in_scope(|| {});
        drop(second);
        info_span!("child of nobody").in_scope(|| {});
        drop(outer.clone());
        drop(outer);
        inner.record("gen_ai.unknown", 1);
        drop(inner);
    });
    let calls = recorded.calls();
    assert_eq!(calls[1].opened.span.parent, Some(calls[0].opened.span.span));
    let spans = sdk.spans();
    let find = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!(find("child of inner").parent_span_id.to_string(), calls[1].opened.span.span.to_string());
    assert_eq!(find("child of nobody").parent_span_id, opentelemetry::SpanId::INVALID);
}

#[test]
fn a_span_that_never_closes_is_counted_as_started_and_harms_nobody() {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    let thread = std::thread::spawn(move || {
        tracing::subscriber::with_default(subscriber, || {
            drop(tool());
            // A span holds its subscriber, so that this one is never dropped either.
            std::mem::forget(chat().entered());
        });
    });
    // The guard is left in the thread's own state, which the end of the thread must survive.
    thread.join().unwrap();
    assert_eq!(recorded.calls().len(), 1);
    let counts = recorded.recorder.counts();
    assert_eq!((counts.started, counts.recorded), (2, 1));
}

/// What a host may keep for a thread, and what it does when the thread ends.
struct AtEnd {
    dispatch: Dispatch,
    span: tracing::Span,
}

impl std::ops::Drop for AtEnd {
    fn drop(&mut self) {
        self.span.in_scope(|| self.span.record("gen_ai.usage.input_tokens", 7));
        tracing::dispatcher::with_default(&self.dispatch, || chat().in_scope(|| info!("the last")));
    }
}

thread_local! {
    static AT_END: std::cell::RefCell<Option<AtEnd>> = const { std::cell::RefCell::new(None) };
}

#[test]
fn at_the_end_of_a_thread_a_span_is_still_a_call_though_the_context_is_gone() {
    let recorded = Recorded::new();
    let others = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(others).with(recorded.recorder.layer()));
    for was_here_before in [true, false] {
        let dispatch = dispatch.clone();
        let elsewhere = tracing::dispatcher::with_default(&dispatch, chat);
        let thread = std::thread::spawn(move || {
            let with = |make: fn() -> tracing::Span| tracing::dispatcher::with_default(&dispatch, make);
            // What tracing keeps of the thread is there to its end.
            with(|| info_span!("no call")).in_scope(|| ());
            AT_END.with_borrow_mut(|at_end| *at_end = None);
            // What is made from here on is gone by then.
            let _ = opentelemetry::Context::current();
            let span = if was_here_before { with(chat) } else { elsewhere };
            AT_END.set(Some(AtEnd { dispatch, span }));
        });
        thread.join().unwrap();
    }
    let told = recorded
        .calls()
        .iter()
        .filter(|call| call.closed.attrs.get(veilspan::semconv::INPUT_TOKENS) == Some(7))
        .count();
    // Of the first round the span that was made elsewhere was never used.
    assert_eq!((told, recorded.calls().len()), (2, 5));
}

#[test]
fn several_layers_each_take_each_span_once() {
    let (one, other) = (Recorded::new(), Recorded::new());
    let subscriber = tracing_subscriber::registry().with(one.recorder.layer()).with(other.recorder.layer());
    tracing::subscriber::with_default(subscriber, || chat().in_scope(|| tool().in_scope(|| {})));
    for recorded in [one, other] {
        let calls = recorded.calls();
        assert_eq!(calls.len(), 2);
        assert_eq!(calls[1].opened.span.parent, Some(calls[0].opened.span.span));
    }
}

#[test]
fn several_registries_on_one_thread_do_not_mix() {
    let (one, other) = (Recorded::new(), Recorded::new());
    let first = Dispatch::new(tracing_subscriber::registry().with(one.recorder.layer()));
    let second = Dispatch::new(tracing_subscriber::registry().with(other.recorder.layer()));
    tracing::dispatcher::with_default(&first, || {
        let span = chat().entered();
        tracing::dispatcher::with_default(&second, || tool().in_scope(|| {}));
        drop(span);
    });
    let (one, other) = (one.call(), other.call());
    // The context of OpenTelemetry is the thread's: the second registry's span is a child of it.
    assert_eq!(other.opened.span.parent, Some(one.opened.span.span));
}

#[test]
fn two_registries_of_one_recorder_do_not_mix_though_their_spans_have_the_same_ids() {
    use opentelemetry::trace::TraceContextExt;
    let recorded = Recorded::new();
    let dispatch = || Dispatch::new(tracing_subscriber::registry().with(recorded.recorder.layer()));
    let (first, second) = (dispatch(), dispatch());
    let one = tracing::dispatcher::with_default(&first, chat);
    let other = tracing::dispatcher::with_default(&second, tool);
    assert_eq!(one.id().map(|id| id.into_u64()), other.id().map(|id| id.into_u64()));
    let outer = one.enter();
    let inner = other.enter();
    drop(outer);
    let current = opentelemetry::Context::current().span().span_context().span_id().to_string();
    drop(inner);
    drop((one, other));
    let calls = recorded.calls();
    assert_eq!(calls[1].opened.span.span.to_string(), current);
}

#[test]
fn an_env_filter_beside_or_above_it_decides_for_itself_alone_or_for_all() {
    let recorded = Recorded::new();
    let quiet = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(EnvFilter::new("off"));
    let subscriber = tracing_subscriber::registry().with(quiet).with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || drop(chat()));
    assert_eq!(recorded.calls().len(), 1);
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer()).with(EnvFilter::new("off"));
    tracing::subscriber::with_default(subscriber, || drop(chat()));
    assert_eq!(recorded.calls().len(), 1);
}

#[test]
fn a_filter_that_is_reloaded_beside_it_loses_nothing() {
    let recorded = Recorded::new();
    let (filter, handle) = reload::Layer::new(EnvFilter::new("off"));
    let quiet = tracing_subscriber::fmt::layer().with_writer(std::io::sink).with_filter(filter);
    let subscriber = tracing_subscriber::registry().with(quiet).with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        for level in ["trace", "off", "info"] {
            let span = chat().entered();
            handle.reload(EnvFilter::new(level)).unwrap();
            tool().in_scope(|| info!("an event"));
            drop(span);
        }
    });
    assert_eq!(recorded.calls().len(), 6);
}

#[test]
fn the_layer_itself_may_be_modified_by_reload() {
    let (before, after) = (Recorded::new(), Recorded::new());
    let (layer, handle) = reload::Layer::new(before.recorder.layer::<Registry>());
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        let open = chat();
        let mut next: GenAiLayer<Registry> = after.recorder.layer();
        handle.modify(|layer| std::mem::swap(layer.inner_mut(), next.inner_mut())).unwrap();
        drop(chat());
        drop(open);
    });
    assert_eq!(after.call().closed.outcome, Some(Outcome::Completed));
    // It was open while its layer was taken away, so nobody saw its end.
    assert_eq!(before.call().closed.outcome, Some(Outcome::Abandoned));
}

#[test]
fn the_layer_may_be_an_option_or_boxed_and_a_disabled_one_sees_nothing() {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry()
        .with(None::<GenAiLayer<Registry>>)
        .with(Recorder::disabled().layer().boxed())
        .with(Some(recorded.recorder.layer()).boxed());
    tracing::subscriber::with_default(subscriber, || drop(chat()));
    assert_eq!(recorded.calls().len(), 1);
    let subscriber = tracing_subscriber::registry().with(Recorder::disabled().layer());
    tracing::subscriber::with_default(subscriber, || drop(chat()));
}

/// A value whose formatting uses the very span that it is recorded on.
struct Reentrant(tracing::Span);

impl fmt::Debug for Reentrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.record("gen_ai.usage.input_tokens", 8);
        self.0.in_scope(|| info!(gen_ai.response.model = "inner"));
        f.write_str("from within")
    }
}

#[test]
fn formatting_a_value_may_use_the_span_it_is_recorded_on() {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.usage.input_tokens = Empty,
            gen_ai.input.messages = Empty
        );
        span.record("gen_ai.input.messages", tracing::field::debug(Reentrant(span.clone())));
    });
    assert_eq!(recorded.call().closed.attrs.get(veilspan::semconv::INPUT_TOKENS), Some(8));
}

struct Panics;

impl fmt::Debug for Panics {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        std::panic::resume_unwind(Box::new("the host's own"))
    }
}

#[test]
fn a_value_that_panics_when_formatted_leaves_the_span_usable() {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        let span = chat();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            span.record("gen_ai.usage.input_tokens", tracing::field::debug(Panics));
        }));
        assert!(panicked.is_err());
        span.record("gen_ai.usage.input_tokens", 5);
    });
    assert_eq!(recorded.call().closed.attrs.get(veilspan::semconv::INPUT_TOKENS), Some(5));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_tasks_keep_their_parents_across_awaits() {
    use tracing::Instrument;
    let recorded = Recorded::new();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(recorded.recorder.layer()));
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            use tracing::instrument::WithSubscriber;
            let work = async {
                let agent = info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent");
                async {
                    tokio::task::yield_now().await;
                    async { tokio::task::yield_now().await }.instrument(chat()).await;
                    tokio::task::yield_now().await;
                }
                .instrument(agent)
                .await;
            };
            tokio::spawn(work.with_subscriber(dispatch.clone()))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let calls = Arc::new(recorded.calls());
    assert_eq!(calls.len(), 40);
    for call in calls.iter().filter(|call| call.opened.span.parent.is_some()) {
        let parent = calls.iter().find(|other| Some(other.opened.span.span) == call.opened.span.parent).unwrap();
        assert_eq!(parent.scope, call.scope);
    }
    assert_eq!(calls.iter().filter(|call| call.opened.span.parent.is_none()).count(), 20);
}
