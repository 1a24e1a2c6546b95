use veilspan::event::{CallKind, Kind, Outcome};
use veilspan::reduce::{Counter, Effect, FindingKind, Reason, tree};
use veilspan::semconv::{
    AGENT_NAME, END_INFERRED, INPUT_TOKENS, LATE, OPERATION_NAME, OUTCOME, REVISION, ROLLOUT_FINDINGS,
    ROLLOUT_GENERATION, ROLLOUT_INFERENCES, ROLLOUT_REASON, ROLLOUT_TURNS, TENANT_ID, TURN_ID,
};

use super::events::*;

fn counted(effects: &[Effect], counter: Counter) -> u64 {
    let counts = effects.iter().filter_map(|effect| match effect {
        Effect::Count(which, number) if *which == counter => Some(*number),
        _ => None,
    });
    counts.sum()
}

fn closed(effects: &[Effect]) -> u64 {
    [Reason::Ended, Reason::Idle, Reason::Evicted]
        .map(|reason| counted(effects, Counter::RolloutsClosed(reason)))
        .iter()
        .sum()
}

#[test]
fn a_turn_closes_ten_seconds_after_its_span_arrived_whatever_its_own_time() {
    let mut reducer = reducer();
    let arrived = feed(&mut reducer, &[turn("r", 1).at(1, 2)], 1_000);
    assert_eq!(
        arrived.iter().filter(|effect| matches!(effect, Effect::WakeAt(at) if *at == 1_010 * SECOND)).count(),
        1
    );
    assert_eq!(counted(&reducer.tick(1_010 * SECOND - 1), Counter::TurnsClosed), 0);
    let effects = reducer.tick(1_010 * SECOND);
    assert_eq!(counted(&effects, Counter::TurnsClosed), 1);
    assert_eq!(closed(&effects), 0, "the end of a root turn alone closes no rollout");
}

#[test]
fn the_same_span_again_does_not_put_a_closing_off() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1)], 100);
    let again = feed(&mut reducer, &[turn("r", 1)], 109);
    assert_eq!(counted(&again, Counter::Duplicate), 2);
    assert_eq!(counted(&reducer.tick(110 * SECOND), Counter::TurnsClosed), 1);
}

#[test]
fn a_segment_that_ends_in_a_wait_closes_no_turn() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1).outcome(None)], 100);
    assert_eq!(counted(&reducer.tick(1_000 * SECOND), Counter::TurnsClosed), 0);
    feed(&mut reducer, &[turn("r", 2).segment(1)], 1_000);
    assert_eq!(counted(&reducer.tick(1_010 * SECOND), Counter::TurnsClosed), 1);
}

#[test]
fn a_rollout_ends_ten_seconds_after_the_turn_that_says_so_arrived() {
    let mut reducer = reducer();
    let calls = [turn("r", 1).ends_rollout(), inference("r", 2).tokens(30, 5)];
    feed(&mut reducer, &calls, 100);
    assert!(spans(&reducer.tick(109 * SECOND)).is_empty());
    let effects = reducer.tick(110 * SECOND);
    assert_eq!(counted(&effects, Counter::RolloutsClosed(Reason::Ended)), 1);
    assert_eq!(counted(&effects, Counter::TurnsClosed), 1);
    let [summary] = spans(&effects)[..] else { panic!("one span") };
    assert_eq!(summary.name, "rollout planner");
    let attrs = &summary.attrs;
    assert_eq!(attrs.text(ROLLOUT_REASON), Some("ended"));
    assert_eq!(attrs.text(OUTCOME), Some("completed"));
    assert_eq!(attrs.text(OPERATION_NAME), None, "it is no call");
    assert_eq!((attrs.get(ROLLOUT_TURNS), attrs.get(ROLLOUT_INFERENCES)), (Some(1), Some(1)));
    assert_eq!((attrs.get(ROLLOUT_FINDINGS), attrs.get(ROLLOUT_GENERATION)), (Some(0), Some(0)));
    assert_eq!((attrs.get(INPUT_TOKENS), attrs.get(REVISION), attrs.get(LATE)), (Some(30), None, None));
    assert_eq!((summary.links.len(), summary.links[0].span), (1, span(1)));
    assert_ne!(summary.trace, trace(1), "a trace of its own");
    assert_eq!((summary.start_unix_nano, summary.end_unix_nano), (SECOND, 2 * SECOND));
    assert!(spans(&reducer.tick(100_000 * SECOND)).is_empty(), "and never again");
}

#[test]
fn half_an_hour_of_silence_closes_a_rollout_as_idle() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1)], 0);
    feed(&mut reducer, &[turn("r", 2).turn("more")], 1_000);
    assert_eq!(closed(&reducer.tick(2_799 * SECOND)), 0);
    let effects = reducer.tick(2_800 * SECOND);
    assert_eq!(counted(&effects, Counter::RolloutsClosed(Reason::Idle)), 1);
    assert_eq!(spans(&effects)[0].attrs.text(ROLLOUT_REASON), Some("idle"));
}

#[test]
fn an_event_after_the_silence_finds_its_rollout_closed_though_nobody_ticked() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1)], 0);
    let effects = feed(&mut reducer, &[turn("r", 2).turn("next")], 2_000);
    assert_eq!(closed(&effects), 1);
    assert_eq!(reducer.open().next().unwrap().count(), 2);
}

#[test]
fn a_tick_event_carries_the_hosts_time() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1)], 100);
    let mut tick = turn("", 0).at(110, 110).open();
    tick.kind = Kind::Tick;
    assert_eq!(counted(&reducer.on(tick, 0), Counter::TurnsClosed), 1);
}

#[test]
fn a_turn_that_nobody_reported_is_synthesised_once_when_its_rollout_closes() {
    let mut reducer = reducer();
    let calls = [
        inference("r", 2).at(1, 2).tenant("acme").trace(3).finish("tool_calls"),
        tool("r", 3).at(2, 3).tenant("acme").trace(4),
        inference("r", 4).at(3, 4).tenant("acme").trace(4).finish("stop"),
    ];
    feed(&mut reducer, &calls, 0);
    let effects = reducer.tick(1_800 * SECOND);
    let [turn, summary] = spans(&effects)[..] else { panic!("two spans") };
    assert_eq!((turn.name.as_str(), turn.trace, turn.parent), ("invoke_agent", trace(3), None));
    assert_eq!((turn.start_unix_nano, turn.end_unix_nano), (SECOND, 4 * SECOND));
    assert_eq!(turn.links.iter().map(|link| link.span).collect::<Vec<_>>(), [span(2), span(3), span(4)]);
    assert_eq!((turn.attrs.text(TENANT_ID), turn.attrs.text(TURN_ID)), (Some("acme"), Some("tu")));
    assert_eq!(turn.attrs.text(OPERATION_NAME), Some("invoke_agent"));
    assert_eq!((turn.attrs.text(OUTCOME), turn.attrs.get(END_INFERRED)), (Some("completed"), Some(true)));
    assert_eq!((summary.links[0].trace, summary.links[0].span), (turn.trace, turn.span));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Finding(told) if told.finding.kind == FindingKind::Orphan))
    );
}

#[test]
fn an_unreported_turn_is_judged_by_its_last_call() {
    let judged = |calls: &[Call]| {
        let mut reducer = reducer();
        feed(&mut reducer, calls, 0);
        let effects = reducer.tick(1_800 * SECOND);
        let turn = spans(&effects)[0].clone();
        (turn.attrs.text(OUTCOME).unwrap().to_owned(), turn.is_error)
    };
    let asked = inference("r", 1).at(1, 2).finish("tool_calls");
    assert_eq!(judged(std::slice::from_ref(&asked)), ("abandoned".into(), true));
    assert_eq!(judged(&[asked.clone(), tool("r", 2).at(2, 3)]), ("abandoned".into(), true));
    assert_eq!(judged(&[asked, inference("r", 2).at(3, 4)]), ("completed".into(), false));
    assert_eq!(judged(&[inference("r", 1).outcome(Outcome::Cancelled)]), ("cancelled".into(), false));
    assert_eq!(judged(&[inference("r", 1).outcome(Outcome::Timeout)]), ("failed".into(), true));
}

#[test]
fn a_turn_known_to_have_opened_is_never_synthesised() {
    let mut reducer = reducer();
    reducer.on(turn("r", 1).open(), 0);
    feed(&mut reducer, &[inference("r", 2)], 0);
    let effects = reducer.tick(1_800 * SECOND);
    let [summary] = spans(&effects)[..] else { panic!("one span") };
    assert_eq!((summary.attrs.text(OUTCOME), summary.is_error), (Some("abandoned"), true));
    assert_eq!(summary.attrs.text(AGENT_NAME), Some("planner"));
}

#[test]
fn a_shutdown_closes_what_waits_for_the_grace_and_leaves_the_rest_open() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("ends", 1).ends_rollout()], 100);
    feed(&mut reducer, &[turn("stays", 2), inference("stays", 3).turn("unreported")], 100);
    let effects = reducer.shutdown(101 * SECOND);
    assert_eq!(counted(&effects, Counter::TurnsClosed), 2);
    assert_eq!(closed(&effects), 1);
    assert_eq!(spans(&effects).len(), 1);
    let open: Vec<_> = reducer.open().map(|facts| facts.key().rollout.to_string()).collect();
    assert_eq!(open, ["stays"]);
    assert!(reducer.shutdown(102 * SECOND).is_empty());
}

#[test]
fn a_finding_is_told_once_though_its_turn_and_its_rollout_both_close() {
    let mut reducer = reducer();
    let calls = [turn("r", 1), inference("r", 2).chain(Some(1), 2)];
    let mut effects = feed(&mut reducer, &calls, 0);
    effects.extend(reducer.tick(10 * SECOND));
    assert_eq!(effects.iter().filter(|effect| matches!(effect, Effect::Finding(_))).count(), 1);
    effects.extend(reducer.tick(3_000 * SECOND));
    assert_eq!(effects.iter().filter(|effect| matches!(effect, Effect::Finding(_))).count(), 1);
}

#[test]
fn a_summary_links_to_128_turns_and_counts_the_rest() {
    let mut reducer = reducer();
    let turns: Vec<Call> = (0..200).map(|number| turn("r", number).turn(&format!("{number:03}"))).collect();
    feed(&mut reducer, &turns, 0);
    let effects = reducer.tick(1_800 * SECOND);
    let summary = spans(&effects)[0];
    assert_eq!((summary.links.len(), summary.dropped_links), (128, 72));
}

#[test]
fn the_time_of_a_wake_is_told_again_only_when_it_has_passed_or_moved_forward() {
    let mut reducer = reducer();
    let wakes = |effects: Vec<Effect>| effects.iter().filter(|effect| matches!(effect, Effect::WakeAt(_))).count();
    assert_eq!(wakes(reducer.on(inference("r", 1).open(), 0)), 1);
    assert_eq!(wakes(reducer.on(inference("r", 1).close(), SECOND)), 0);
    assert_eq!(wakes(reducer.on(turn("r", 2).close(), SECOND)), 1);
    assert_eq!(wakes(reducer.tick(11 * SECOND)), 1);
    assert_eq!(wakes(reducer.tick(12 * SECOND)), 0);
}

#[test]
fn a_closed_rollout_shows_why_in_its_tree() {
    let mut facts = facts(&all(&[turn("r", 1)]));
    facts.rollouts_mut().for_each(|facts| facts.close(Reason::Evicted));
    assert!(tree(&facts.derive()[0]).starts_with("rollout r  completed  closed evicted"));
}

#[test]
fn a24_a_turn_that_nobody_reported_is_told_of_as_cancelled_ten_seconds_after_somebody_stopped_it() {
    let mut reducer = reducer();
    feed(&mut reducer, &[inference("r", 2).at(1, 2), of_kind(CallKind::Cancel, "r", 5).at(3, 3)], 100);
    assert!(spans(&reducer.tick(109 * SECOND)).is_empty());
    let effects = reducer.tick(110 * SECOND);
    let [synthesised] = spans(&effects)[..] else { panic!("one span") };
    assert_eq!(synthesised.attrs.text(OUTCOME), Some("cancelled"));
    assert_eq!((synthesised.attrs.get(END_INFERRED), counted(&effects, Counter::TurnsClosed)), (Some(true), 1));
    let effects = reducer.tick(3_000 * SECOND);
    let [summary] = spans(&effects)[..] else { panic!("the turn is told of once") };
    assert_eq!((summary.attrs.text(OUTCOME), summary.links[0].span), (Some("cancelled"), synthesised.span));
}

#[test]
fn a06_an_end_that_is_none_closes_no_turn_and_the_real_one_does() {
    let mut reducer = reducer();
    let waits = turn("r", 1).at(1, 3).finish("awaiting_approval");
    feed(&mut reducer, &[waits, inference("r", 2).chain(Some(1), 2)], 100);
    let effects = reducer.tick(200 * SECOND);
    assert_eq!(counted(&effects, Counter::TurnsClosed), 0);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Finding(_))), "it is not over");
    feed(&mut reducer, &[turn("r", 3).at(60, 61).segment(1)], 300);
    let effects = reducer.tick(310 * SECOND);
    assert_eq!(counted(&effects, Counter::TurnsClosed), 1);
    assert_eq!(effects.iter().filter(|effect| matches!(effect, Effect::Finding(_))).count(), 1);
}
