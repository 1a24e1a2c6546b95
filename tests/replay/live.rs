//! How much is kept of runs that are held against baselines while they go on.

use std::sync::Arc;

use veilspan::event::{CallKind, CallRecord, Scope, Source, SpanId, TraceId, Veiled};
use veilspan::reduce::{Effect, Limits, Reducer};
use veilspan::replay::{Baselines, Comparisons, LiveReport, Run};
use veilspan::semconv::{REPLAY_OF, ROLLOUT_END};

use super::build::{Host, digests};

/// The most runs that are watched, and the most differences that one report tells.
const RUNS: usize = 16_384;
const TOLD: usize = 128;
const SECOND: u64 = 1_000_000_000;

/// A turn that calls so many tools, each under a name of its own.
fn calls(names: &str, count: usize) -> Vec<CallRecord<Veiled>> {
    let host = Host::with(digests());
    let turn = host.turn("tu");
    for number in 0..count {
        turn.tool(&format!("{names}-{number}")).arguments("{}").start().finish();
    }
    turn.finish();
    host.calls()
}

/// The same calls as those of another rollout, which names its baseline and ends.
fn of(calls: &[CallRecord<Veiled>], rollout: &str) -> Vec<CallRecord<Veiled>> {
    let (trace, mut number) = (TraceId::random(), 0u64);
    let call = |call: &CallRecord<Veiled>| {
        let mut call = call.clone();
        call.scope = Arc::new(Scope { rollout: rollout.into(), ..Scope::clone(&call.scope) });
        number += 1;
        call.opened.span.trace = trace;
        call.opened.span.span = SpanId::from_bytes(number.to_be_bytes()).unwrap();
        call.opened.span.parent = None;
        if call.kind == CallKind::Turn {
            call.opened.attrs.set(REPLAY_OF, "r".into());
            call.closed.attrs.set(ROLLOUT_END, true);
        }
        call
    };
    calls.iter().map(call).collect()
}

fn baseline(calls: &[CallRecord<Veiled>]) -> Run {
    let events = calls.iter().flat_map(|call| call.clone().into_events(Source::Otlp));
    Run::of_recording(&veilspan::replay::Recording::new(events).unwrap().rollout().unwrap())
}

fn take(comparisons: &mut Comparisons, reducer: &mut Reducer, calls: Vec<CallRecord<Veiled>>, now: u64) {
    for call in calls {
        comparisons.observe(&call, reducer);
        for event in call.into_events(Source::Otlp) {
            reducer.on(event, now);
        }
    }
}

fn closed(comparisons: &mut Comparisons, reducer: &mut Reducer, now: u64) -> Vec<LiveReport> {
    let closed = reducer.tick(now).into_iter().filter_map(|effect| match effect {
        Effect::RolloutClosed(closed) => Some(closed),
        _ => None,
    });
    closed.filter_map(|closed| comparisons.rollout_closed(&closed)).collect()
}

#[test]
fn over_the_bound_the_run_that_was_seen_first_is_let_go_and_counted() {
    let calls = calls("tool", 0);
    let mut comparisons = Comparisons::new(Baselines::new([baseline(&calls)]));
    let mut reducer = Reducer::new(Limits::default());
    for number in 0..RUNS + 10 {
        take(&mut comparisons, &mut reducer, of(&calls, &format!("run-{number}")), SECOND);
    }
    assert_eq!(comparisons.counts().let_go, 10);
    let reports = closed(&mut comparisons, &mut reducer, 60 * SECOND);
    assert_eq!(reports.len(), RUNS);
    assert!(reports.iter().all(|report| &*report.run.rollout != "run-9"), "the first ten are not watched any more");
    assert_eq!(comparisons.counts().compared, RUNS as u64);
}

#[test]
fn of_a_run_that_does_all_otherwise_so_many_differences_are_told_and_the_rest_is_counted() {
    let (before, after) = (calls("old", 300), calls("new", 300));
    let mut comparisons = Comparisons::new(Baselines::new([baseline(&before)]));
    let mut reducer = Reducer::new(Limits::default());
    take(&mut comparisons, &mut reducer, of(&after, "other"), SECOND);
    let reports = closed(&mut comparisons, &mut reducer, 60 * SECOND);
    let [report] = &reports[..] else { panic!("{} reports", reports.len()) };
    assert_eq!((report.differences.len(), report.standing), (TOLD, 300));
    assert_eq!((report.dropped, comparisons.counts().dropped), (300 - TOLD as u64, 300 - TOLD as u64));
}
