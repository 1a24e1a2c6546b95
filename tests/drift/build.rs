//! Runs as they are recorded.

use std::sync::Arc;
use std::time::Duration;

use veilspan::event::{CallRecord, Event, ManualClock, Message, Source, Veiled};
use veilspan::otlp::encode::Encoder;
use veilspan::otlp::{SpanView, decode};
use veilspan::privacy::Key;
use veilspan::record::{IntoResult, Turn};
use veilspan::reduce::{Facts, Rollout, Severity};
use veilspan::replay::{DifferenceKind, Report, Run, diff};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

/// A recorder on a clock that stands, and what it has told.
pub struct Host {
    pub recorder: Recorder,
    pub sink: Arc<MemorySink>,
    pub clock: Arc<ManualClock>,
}

pub fn unkeyed() -> Policy {
    Policy::builder().unkeyed_sha256().build_in(&Default::default()).0
}

/// A policy whose digests are keyed. One key for each id.
pub fn keyed(id: u8) -> Policy {
    let key = Key::new(vec![id; 32], Some(format!("key-{id}"))).unwrap();
    Policy::builder().key(key).build_in(&Default::default()).0
}

impl Host {
    pub fn new() -> Self {
        Self::with(unkeyed())
    }

    pub fn with(policy: Policy) -> Self {
        let (sink, clock) = (Arc::new(MemorySink::default()), Arc::new(ManualClock::at(1_000_000_000)));
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).clock(clock.clone()).build();
        Self { recorder, sink, clock }
    }

    pub fn turn(&self, rollout: &str) -> Turn {
        self.recorder.turn("agent").rollout(rollout).thread("th").turn_id("tu").start()
    }

    pub fn calls(&self) -> Vec<CallRecord<Veiled>> {
        assert!(self.recorder.flush(Duration::from_secs(30)).complete);
        self.sink.calls()
    }
}

/// As a reader of the spans' bytes has them.
pub fn through_otlp(calls: Vec<CallRecord<Veiled>>) -> Vec<CallRecord<Veiled>> {
    let encoder = Encoder::default();
    let read = |call: CallRecord<Veiled>| {
        let mut bytes = Vec::new();
        encoder.span(&call, &mut bytes);
        decode::call(&SpanView::parse(&bytes).unwrap(), call.opened_at.producer).unwrap()
    };
    calls.into_iter().map(read).collect()
}

pub fn reduce(calls: Vec<CallRecord<Veiled>>) -> Rollout {
    let mut facts = Facts::default();
    let events: Vec<Event<Veiled>> = calls.into_iter().flat_map(|call| call.into_events(Source::Otlp)).collect();
    events.iter().for_each(|event| {
        facts.absorb(event);
    });
    let mut rollouts = facts.derive();
    assert_eq!(rollouts.len(), 1);
    rollouts.remove(0)
}

/// One turn that does this.
pub fn rollout(act: impl FnOnce(&Host, &Turn)) -> Rollout {
    rollout_with(unkeyed(), act)
}

pub fn rollout_with(policy: Policy, act: impl FnOnce(&Host, &Turn)) -> Rollout {
    let host = Host::with(policy);
    let turn = host.turn("r");
    act(&host, &turn);
    turn.finish();
    reduce(through_otlp(host.calls()))
}

pub fn run(act: impl FnOnce(&Host, &Turn)) -> Run {
    Run::of_recording(&rollout(act))
}

pub fn decided(action: &str) -> Run {
    run(|_, turn| turn.decision(action).record())
}

/// A run of calls of these tools, one after the other.
pub fn tools(names: &[&str]) -> Run {
    run(|_, turn| names.iter().for_each(|name| tool(turn, name, "{}", "done")))
}

pub fn tool(turn: &Turn, name: &str, arguments: &str, result: impl IntoResult) {
    let mut call = turn.tool(name).arguments(arguments).start();
    call.result(result);
    call.finish();
}

/// A model is sent a history and answers.
pub fn ask(turn: &Turn, history: &mut Vec<(veilspan::event::Role, String)>, answer: &str) {
    use veilspan::event::Role;
    let messages: Vec<Message> = history.iter().map(|(role, text)| Message::text(*role, text.clone())).collect();
    let mut call = turn.inference("openai", "gpt-x").input(messages).start();
    call.output(Message::text(Role::Assistant, answer.to_owned())).finish_reason("stop");
    call.finish();
    history.push((Role::Assistant, answer.to_owned()));
}

/// What was found: kinds and severities.
pub fn found(report: &Report) -> Vec<(String, Severity)> {
    report.differences.iter().map(|one| (one.kind.as_str().to_owned(), one.severity)).collect()
}

pub fn kinds(report: &Report) -> Vec<&'static str> {
    report.differences.iter().map(|one| one.kind.as_str()).collect()
}

pub fn compare(baseline: &Run, candidate: &Run) -> Report {
    let report = diff(baseline, candidate);
    assert_turned_round(&report, &diff(candidate, baseline));
    for run in [baseline, candidate] {
        assert!(diff(run, run).differences.is_empty(), "a run differs from itself");
    }
    report
}

/// What the one lacks the other has.
fn assert_turned_round(there: &Report, back: &Report) {
    let turned = |report: &Report, turn: bool| {
        let mut all: Vec<_> = report
            .differences
            .iter()
            .map(|one| {
                let kind = match one.kind {
                    DifferenceKind::Insertion if turn => DifferenceKind::Deletion,
                    DifferenceKind::Deletion if turn => DifferenceKind::Insertion,
                    kind => kind,
                };
                let (mut sides, mut position) = ([one.expected.clone(), one.actual.clone()], one.position);
                if turn {
                    sides.reverse();
                    position.reverse();
                }
                (kind, one.severity, sides, position)
            })
            .collect();
        all.sort_by_key(|one| format!("{one:?}"));
        all
    };
    assert_eq!(turned(there, false), turned(back, true));
}
