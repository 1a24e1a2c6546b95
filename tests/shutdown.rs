//! What becomes of calls that are open when the recorder shuts down.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use tracing::info_span;
use tracing_subscriber::prelude::*;
use veilspan::event::{CallKind, Message, Outcome, Record, Role};
use veilspan::intake::{Drop, Refused, Sink};
use veilspan::record::ToolCall;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder, semconv};

const SOON: Duration = Duration::from_secs(20);

fn unkeyed() -> Policy {
    Policy::builder().unkeyed_sha256().build_in(&Default::default()).0
}

fn recorder() -> (Recorder, Arc<MemorySink>) {
    let sink = Arc::new(MemorySink::default());
    (Recorder::builder().sink(sink.clone()).policy(unkeyed()).build(), sink)
}

#[test]
fn calls_that_are_open_at_the_shutdown_are_told_as_abandoned_and_those_that_start_later_are_counted() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("planner").start();
    let mut call = turn.inference("openai", "m").input("asked").start();
    turn.tool("done").start().finish();
    let late = turn.tool("t").start();
    let drained = recorder.shutdown(SOON);
    assert!(drained.complete);
    assert_eq!((drained.counts.started, drained.counts.recorded, drained.counts.dropped.calls()), (4, 4, 0));
    // Too late to change what has been told.
    call.output(Message::text(Role::Assistant, "answered"));
    call.finish();
    late.finish();
    turn.finish();
    recorder.tool("t").start().finish();
    let counts = recorder.counts();
    assert_eq!((counts.started, counts.recorded, counts.dropped.of(Drop::ShutDown)), (5, 4, 1));
    assert_eq!(counts.dropped.calls(), 1);
    let told: Vec<_> = sink
        .calls()
        .iter()
        .map(|call| (call.kind, call.closed.outcome, call.closed.attrs.get(semconv::END_INFERRED).is_some()))
        .collect();
    let abandoned = |kind| (kind, Some(Outcome::Abandoned), true);
    assert_eq!(
        told,
        [
            (CallKind::Tool, Some(Outcome::Completed), false),
            abandoned(CallKind::Turn),
            abandoned(CallKind::Inference),
            abandoned(CallKind::Tool),
        ]
    );
    assert!(sink.calls().iter().all(|call| call.closed_at.time_unix_nano >= call.opened_at.time_unix_nano));
}

#[test]
fn of_open_calls_too_none_is_counted_twice_where_a_shutdown_runs_out_of_time() {
    struct Slow;
    impl Sink for Slow {
        fn take(&self, _: Record) -> Result<(), Refused> {
            std::thread::sleep(Duration::from_millis(60));
            Ok(())
        }
    }
    let recorder = Recorder::builder().sink(Arc::new(Slow)).policy(unkeyed()).build();
    let open: Vec<_> = (0..20).map(|_| recorder.tool("t").start()).collect();
    assert!(!recorder.shutdown(Duration::from_millis(150)).complete);
    open.into_iter().for_each(ToolCall::finish);
    let deadline = Instant::now() + SOON;
    loop {
        let counts = recorder.counts();
        let told = counts.recorded + counts.dropped.calls();
        assert!(told <= 20, "{counts:?}");
        if told == 20 || Instant::now() > deadline {
            assert_eq!(told, 20);
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn spans_that_are_open_at_the_shutdown_are_counted_once_whenever_they_close() {
    let (recorder, sink) = recorder();
    let subscriber = tracing_subscriber::registry().with(recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        let chat = || info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = "m");
        drop(chat());
        let (closes, never_closes) = (chat(), chat());
        let counts = recorder.shutdown(SOON).counts;
        assert_eq!((counts.started, counts.recorded, counts.dropped.of(Drop::StillOpen)), (3, 1, 2));
        drop(closes);
        assert_eq!(recorder.counts(), counts, "it has been counted");
        drop(chat());
        let counts = recorder.counts();
        assert_eq!((counts.started, counts.recorded, counts.dropped.of(Drop::ShutDown)), (4, 1, 1));
        assert_eq!(counts.dropped.calls(), 3);
        // Its subscriber goes with it still open.
        std::mem::forget(never_closes);
    });
    assert_eq!(recorder.counts().dropped.calls(), 3);
    assert_eq!(sink.calls().len(), 1);
}

#[test]
fn spans_that_open_and_close_around_a_shutdown_are_each_told_or_counted_once() {
    for _ in 0..20 {
        let (recorder, sink) = recorder();
        let dispatch = tracing::Dispatch::new(tracing_subscriber::registry().with(recorder.layer()));
        let is_over = std::sync::atomic::AtomicBool::new(false);
        let complete = std::thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| {
                    tracing::dispatcher::with_default(&dispatch, || {
                        let mut open = Vec::new();
                        while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                            open.push(info_span!("chat", gen_ai.operation.name = "chat"));
                            if open.len() > 20 {
                                open.drain(..10);
                            }
                        }
                    });
                });
            }
            while recorder.counts().started < 100 {
                std::thread::yield_now();
            }
            let complete = recorder.shutdown(SOON).complete;
            is_over.store(true, std::sync::atomic::Ordering::Relaxed);
            complete
        });
        let counts = recorder.counts();
        assert!(complete && counts.dropped.of(Drop::StillOpen) > 0, "{counts:?}");
        assert_eq!(counts.started, counts.recorded + counts.dropped.calls(), "{counts:?}");
        assert_eq!(counts.recorded, sink.calls().len() as u64);
    }
}
