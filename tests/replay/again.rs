//! Events after a cut, told again.

use std::future::ready;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use veilspan::event::{At, CallKind, Event, Kind, MarkKind, ProducerId, Veiled};
use veilspan::replay::{
    Breakpoint, Cut, Recording, ReplayOptions, ReplayStatus, Replayed, Side, StepKind, importance, replay, replay_to,
    restorable, restore,
};

use super::build::{agent, full};

fn recording() -> (Recording, Cut) {
    let (_host, recording) = agent(full(), "langchain");
    let cut = recording.checkpoint("cp-1").unwrap().cut.unwrap();
    (recording, cut)
}

fn again(options: &ReplayOptions) -> Replayed {
    let (recording, cut) = recording();
    replay(&recording, &cut, options, |_| true)
}

fn at_least(min_importance: f64) -> ReplayOptions {
    ReplayOptions { min_importance, ..ReplayOptions::default() }
}

fn kinds(replayed: &Replayed) -> Vec<&'static str> {
    let kind = |event: &Event<Veiled>| match &event.kind {
        Kind::Marked(_) => "decision",
        Kind::Opened(..) => "opened",
        _ => "closed",
    };
    replayed.events.iter().map(kind).collect()
}

#[test]
fn what_came_after_the_cut_is_told_in_order() {
    let replayed = again(&ReplayOptions::default());
    assert_eq!(kinds(&replayed), ["decision", "decision", "opened", "closed", "closed"]);
    assert_eq!((replayed.status, replayed.unordered), (ReplayStatus::Completed, 0));
    assert!(replayed.events.is_sorted_by_key(|event| event.at));
}

#[test]
fn c25_instants_are_compared_as_instants_and_those_of_one_process_by_its_counter() {
    let producer = Some(ProducerId::from(1));
    let at = |text: &str, producer, seq| At { time_unix_nano: veilspan::replay::instant(text).unwrap(), producer, seq };
    let noon = at("2026-01-01T12:00:00Z", producer, Some(10));
    let cut = Cut::behind(noon).unwrap();
    assert_eq!(cut.side(at("2026-01-01T12:00:00.500Z", None, None)), Side::After);
    assert_eq!(cut.side(at("2026-01-01T13:00:00.500+01:00", None, None)), Side::After);
    assert_eq!(cut.side(at("2026-01-01T12:00:00", producer, Some(11))), Side::After);
    assert_eq!(cut.side(at("2026-01-01T12:00:00Z", producer, Some(9))), Side::Before);
    assert_eq!(cut.side(at("2026-01-01T11:59:59Z", producer, Some(11))), Side::After);
}

#[test]
fn c27_an_event_that_nothing_orders_is_left_out_and_counted() {
    let (recording, cut) = recording();
    let events = recording.events().iter().cloned().map(|mut event| {
        if matches!(&event.kind, Kind::Marked(mark) if mark.kind == MarkKind::Decision) {
            event.at = At { time_unix_nano: 0, producer: None, seq: None };
        }
        event
    });
    let recording = Recording::new(events).unwrap();
    let replayed = replay(&recording, &cut, &ReplayOptions::default(), |_| true);
    assert_eq!((kinds(&replayed), replayed.unordered), (vec!["opened", "closed", "closed"], 2));
}

#[test]
fn c24_what_matters_as_much_as_the_bound_is_told_and_what_says_nothing_matters_by_its_kind() {
    assert_eq!(kinds(&again(&at_least(0.9))), ["decision"]);
    assert_eq!(kinds(&again(&at_least(0.5))), ["decision", "opened", "closed"]);
    assert_eq!(again(&at_least(0.5)).unimportant, 2);
    let (recording, _) = recording();
    let tool = |event: &&Event<Veiled>| event.key.kind == CallKind::Tool;
    assert!(recording.events().iter().filter(tool).all(|event| importance(event) == 0.5));
    // What adding decimal fractions leaves behind makes nothing matter less.
    assert_eq!(kinds(&again(&at_least(0.1 + 0.2 + 0.6))), ["decision"]);
}

#[test]
fn whoever_replays_may_say_what_matters() {
    let tools = |event: &Event<Veiled>| match event.key.kind {
        CallKind::Tool => Some(1.0),
        CallKind::Turn if !matches!(event.kind, Kind::Marked(_)) => Some(f64::NAN),
        _ => None,
    };
    let options = ReplayOptions { importance: Some(tools), ..at_least(0.9) };
    assert_eq!(
        kinds(&again(&options)),
        ["decision", "opened", "closed"],
        "and what it says nothing of matters as ever"
    );
}

#[test]
fn c23_importance_leaves_out_what_is_told_and_nothing_of_the_baseline() {
    let (recording, cut) = recording();
    let told = replay(&recording, &cut, &at_least(0.5), |_| true);
    let decisions = |kind: StepKind| kind == StepKind::Decision;
    assert_eq!(kinds(&told).iter().filter(|kind| **kind == "decision").count(), 1);
    let state = restorable(&recording, "cp-1").unwrap();
    let baseline = restore(&recording, &state, &mut veilspan::replay::GenericHistory::default()).baseline.unwrap();
    let steps = (0..baseline.count as i64).filter_map(|number| baseline.step(number));
    assert_eq!(steps.filter(|step| decisions(step.kind)).count(), 2);
}

#[test]
fn c29_whoever_says_no_to_the_second_event_was_told_one() {
    let (recording, cut) = recording();
    let mut seen = 0;
    let replayed = replay(&recording, &cut, &ReplayOptions::default(), |_| {
        seen += 1;
        seen < 2
    });
    assert_eq!((replayed.events.len(), replayed.status), (1, ReplayStatus::Cancelled));
    // The same where it has to be waited for.
    let mut seen = 0;
    let options = ReplayOptions::default();
    let told = replay_to(&recording, &cut, &options, async |_: &Event<Veiled>| {
        seen += 1;
        ready(seen < 2).await
    });
    let Poll::Ready(replayed) = pin!(told).poll(&mut Context::from_waker(Waker::noop())) else { panic!("it waits") };
    assert_eq!((replayed.events.len(), replayed.status), (1, ReplayStatus::Cancelled));
}

#[test]
fn c46_c47_breakpoints_are_among_the_events_told_and_ignore_what_does_not_say_how_sure_it_was() {
    let with = |breakpoints: Vec<Breakpoint>, min_importance| {
        again(&ReplayOptions { min_importance, breakpoints, ..ReplayOptions::default() })
    };
    let replayed = with(vec![Breakpoint::Confidence(1.0)], 0.0);
    assert_eq!(replayed.breakpoints, [0, 1], "the tool and the turn say nothing of confidence");
    assert_eq!(with(vec![Breakpoint::Confidence(0.2)], 0.0).breakpoints, [1]);
    assert_eq!(with(vec![Breakpoint::Tool("delete".into())], 0.0).breakpoints, [2]);
    assert_eq!(with(vec![Breakpoint::Kind(StepKind::Decision)], 0.0).breakpoints, [0, 1]);
    // What is left out is no breakpoint.
    let replayed = with(vec![Breakpoint::Kind(StepKind::Decision), Breakpoint::Tool("delete".into())], 0.5);
    assert_eq!(replayed.breakpoints, [0, 1]);
    assert!(replayed.breakpoints.iter().all(|place| *place < replayed.events.len()));
}
