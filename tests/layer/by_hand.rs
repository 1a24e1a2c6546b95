//! Calls by hand and spans of the layer see each other: whichever is innermost is the parent, and all are in its rollout.

use std::sync::Arc;

use tracing::info_span;
use tracing_subscriber::prelude::*;
use veilspan::Recorder;
use veilspan::event::{CallKind, CallRecord, Veiled};
use veilspan::intake::Sampler;
use veilspan::testing::MemorySink;

use super::stack::{Recorded, SOON, policy};

fn agent() -> tracing::Span {
    info_span!("invoke_agent", gen_ai.operation.name = "invoke_agent")
}

fn chat() -> tracing::Span {
    info_span!("chat", gen_ai.operation.name = "chat")
}

fn recorded(run: impl FnOnce(&Recorder)) -> Vec<CallRecord<Veiled>> {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, || run(&recorded.recorder));
    recorded.calls()
}

fn assert_inside(inner: &CallRecord<Veiled>, outer: &CallRecord<Veiled>) {
    assert_eq!(inner.opened.span.parent, Some(outer.opened.span.span), "{inner:?} {outer:?}");
    assert_eq!(inner.opened.span.trace, outer.opened.span.trace);
    assert_eq!(inner.scope.rollout, outer.scope.rollout);
}

#[test]
fn a_call_inside_a_span_is_its_child_in_its_turn() {
    let calls = recorded(|recorder| {
        agent().in_scope(|| {
            chat().in_scope(|| {
                info_span!("of the service").in_scope(|| recorder.tool("t").start().finish());
            });
            recorder.tool("after").start().finish();
        });
        recorder.tool("outside").start().finish();
    });
    let [agent, chat, tool, after, outside] = &calls[..] else { panic!("{calls:?}") };
    assert_inside(chat, agent);
    assert_inside(tool, chat);
    assert_inside(after, agent);
    assert!([chat, tool, after].iter().all(|call| call.scope == agent.scope));
    assert_eq!(outside.opened.span.parent, None);
    assert_ne!(outside.scope.rollout, agent.scope.rollout);
}

#[test]
fn a_span_inside_a_call_is_its_child_in_its_turn() {
    let calls = recorded(|recorder| {
        let turn = recorder.turn("agent").rollout("r").tenant("t").start();
        turn.in_scope(|| {
            info_span!("of the service").in_scope(|| chat().in_scope(|| {}));
            // Another agent: the same rollout, a thread of its own.
            agent().in_scope(|| {});
        });
        chat().in_scope(|| {});
        turn.finish();
    });
    let [turn, chat, other, outside] = &calls[..] else { panic!("{calls:?}") };
    assert_inside(chat, turn);
    assert_inside(other, turn);
    assert_eq!((&chat.scope, &*chat.scope.rollout), (&turn.scope, "r"));
    assert_eq!((other.kind, other.scope.tenant.as_deref()), (CallKind::Turn, Some("t")));
    assert_ne!(other.scope.thread, turn.scope.thread);
    assert_eq!(outside.opened.span.parent, None);
}

#[test]
fn whichever_is_innermost_is_the_parent() {
    let calls = recorded(|recorder| {
        agent().in_scope(|| {
            let tool = recorder.tool("t").start();
            tool.in_scope(|| {
                chat().in_scope(|| recorder.tool("inner").start().finish());
                recorder.tool("sibling").start().finish();
            });
            tool.finish();
            chat().in_scope(|| {});
        });
    });
    let [agent, tool, chat, inner, sibling, last] = &calls[..] else { panic!("{calls:?}") };
    assert_inside(tool, agent);
    assert_inside(chat, tool);
    assert_inside(inner, chat);
    assert_inside(sibling, tool);
    assert_inside(last, agent);
    assert!(calls.iter().all(|call| call.scope == agent.scope));
}

#[test]
fn an_explicit_parent_counts_more_than_what_runs_around() {
    let calls = recorded(|recorder| {
        let agent = agent();
        let turn = recorder.turn("agent").start();
        turn.in_scope(|| {
            drop(info_span!(parent: &agent, "chat", gen_ai.operation.name = "chat"));
            drop(info_span!(parent: None, "chat", gen_ai.operation.name = "chat"));
        });
        turn.finish();
    });
    let [agent, _, child, root] = &calls[..] else { panic!("{calls:?}") };
    assert_inside(child, agent);
    assert_eq!(root.opened.span.parent, None);
}

#[test]
fn two_recorders_stay_apart() {
    let (one, other) = (Recorded::new(), Recorded::new());
    let subscriber = tracing_subscriber::registry().with(one.recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        chat().in_scope(|| other.recorder.tool("t").start().finish());
        other.recorder.turn("agent").start().in_scope(|| chat().in_scope(|| {}));
    });
    assert!(one.calls().iter().chain(&other.calls()).all(|call| call.opened.span.parent.is_none()));
}

#[test]
fn what_runs_around_follows_tasks_across_threads() {
    let recorded = Recorded::new();
    let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(recorded.recorder.layer()));
    let recorder = recorded.recorder.clone();
    let work = move || {
        let recorder = recorder.clone();
        async move {
            let turn = recorder.turn("agent").start();
            let inside = async {
                tokio::task::yield_now().await;
                let tool = recorder.clone();
                let call = async move {
                    tokio::task::yield_now().await;
                    tool.tool("t").start().finish();
                };
                tracing::Instrument::instrument(call, chat()).await;
            };
            turn.instrument(inside).await;
            turn.finish();
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    use tracing::instrument::WithSubscriber;
    let tasks: Vec<_> = (0..20).map(|_| runtime.spawn(work().with_subscriber(dispatch.clone()))).collect();
    runtime.block_on(async {
        for task in tasks {
            task.await.unwrap();
        }
    });
    let calls = recorded.calls();
    assert_eq!(calls.len(), 60);
    for call in calls.iter().filter(|call| call.kind != CallKind::Turn) {
        let parent = calls.iter().find(|other| Some(other.opened.span.span) == call.opened.span.parent).unwrap();
        assert_inside(call, parent);
        let expected = if call.kind == CallKind::Tool { CallKind::Inference } else { CallKind::Turn };
        assert_eq!(parent.kind, expected);
    }
}

#[test]
fn a_rollout_that_is_not_sampled_is_left_out_whichever_way_tells_of_it() {
    for share in [0.0, 0.5] {
        let sink = Arc::new(MemorySink::default());
        let builder = Recorder::builder().sink(sink.clone()).policy(policy());
        let recorder = builder.sampler(Sampler::ratio(share).unwrap()).build();
        let subscriber = tracing_subscriber::registry().with(recorder.layer());
        tracing::subscriber::with_default(subscriber, || {
            for _ in 0..64 {
                agent().in_scope(|| recorder.tool("t").start().in_scope(|| chat().in_scope(|| {})));
            }
        });
        assert!(recorder.flush(SOON).complete);
        let calls = sink.calls();
        assert_eq!(calls.len() % 3, 0);
        assert!(calls.len() < 3 * 64 && (share == 0.0) == calls.is_empty(), "{}", calls.len());
    }
}
