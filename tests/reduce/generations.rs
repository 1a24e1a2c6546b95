use veilspan::event::EdgeKind;
use veilspan::reduce::{Counter, Effect, derive};
use veilspan::semconv::{LATE, REVISION, ROLLOUT_GENERATION, ROLLOUT_INFERENCES, ROLLOUT_TURNS};

use super::events::*;

#[test]
fn late_data_of_a_known_turn_is_told_by_the_next_revision() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1).ends_rollout()], 0);
    let first = reducer.tick(10 * SECOND);
    let late = feed(&mut reducer, &[inference("r", 2)], 20);
    assert_eq!(late.iter().filter(|effect| matches!(effect, Effect::Count(Counter::Late, _))).count(), 2);
    assert!(spans(&late).is_empty());
    let effects = reducer.tick(30 * SECOND);
    let [revised] = spans(&effects)[..] else { panic!("one span for both events") };
    assert_eq!((revised.attrs.get(REVISION), revised.attrs.get(LATE)), (Some(1), Some(true)));
    assert_eq!((revised.attrs.get(ROLLOUT_INFERENCES), revised.attrs.get(ROLLOUT_GENERATION)), (Some(1), Some(0)));
    assert_eq!(revised.trace, spans(&first)[0].trace);
    assert_ne!(revised.span, spans(&first)[0].span);
    feed(&mut reducer, &[inference("r", 3)], 40);
    assert_eq!(spans(&reducer.shutdown(41 * SECOND))[0].attrs.get(REVISION), Some(2));
}

#[test]
fn a_duplicate_of_what_a_closed_rollout_knows_is_no_late_data() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1).ends_rollout()], 0);
    reducer.tick(10 * SECOND);
    feed(&mut reducer, &[turn("r", 1).ends_rollout()], 20);
    assert!(spans(&reducer.tick(100 * SECOND)).is_empty());
}

#[test]
fn a_turn_that_a_closed_rollout_does_not_know_opens_the_next_generation() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1).ends_rollout()], 0);
    let first = reducer.tick(10 * SECOND);
    let before = spans(&first)[0].clone();
    feed(&mut reducer, &[turn("r", 2).turn("next").ends_rollout()], 20);
    let open = derive(reducer.open().next().unwrap());
    assert_eq!((open.generation, open.edges.len()), (1, 1));
    let edge = &open.edges[0];
    assert_eq!(
        (edge.kind, edge.from.trace, edge.from.span),
        (Some(EdgeKind::Resume), Some(before.trace), Some(before.span))
    );
    let effects = reducer.tick(30 * SECOND);
    let [summary] = spans(&effects)[..] else { panic!("one span") };
    assert_eq!((summary.attrs.get(ROLLOUT_GENERATION), summary.attrs.get(ROLLOUT_TURNS)), (Some(1), Some(1)));
    assert_ne!(summary.trace, before.trace);
    assert_eq!((summary.links[0].kind, summary.links[0].span), (Some(EdgeKind::Resume), before.span));
    // Both are still remembered, each for its own turns.
    feed(&mut reducer, &[inference("r", 5)], 40);
    let effects = reducer.tick(50 * SECOND);
    assert_eq!(spans(&effects)[0].attrs.get(ROLLOUT_GENERATION), Some(0));
}

#[test]
fn late_data_goes_to_its_own_generation_while_the_next_is_open() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1).ends_rollout()], 0);
    reducer.tick(10 * SECOND);
    feed(&mut reducer, &[turn("r", 2).turn("next")], 20);
    feed(&mut reducer, &[inference("r", 3), inference("r", 4).turn("next")], 21);
    assert_eq!(derive(reducer.open().next().unwrap()).totals.inferences, 1);
    assert_eq!(spans(&reducer.tick(31 * SECOND))[0].attrs.get(ROLLOUT_INFERENCES), Some(1));
}

#[test]
fn a_tombstone_lives_ten_minutes_and_the_count_of_generations_longer() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1).ends_rollout()], 0);
    let effects = reducer.tick(10 * SECOND);
    let first = spans(&effects)[0].clone();
    reducer.tick(610 * SECOND);
    assert_eq!(reducer.bytes(), 0);
    // The turn is forgotten, so it opens a generation; its summary must not have the ids of the first.
    feed(&mut reducer, &[turn("r", 1).ends_rollout()], 700);
    let effects = reducer.tick(710 * SECOND);
    let [second] = spans(&effects)[..] else { panic!("one span") };
    assert_eq!(second.attrs.get(ROLLOUT_GENERATION), Some(1));
    assert_ne!((second.trace, second.span), (first.trace, first.span));
}

#[test]
fn what_came_late_is_told_before_its_rollout_is_forgotten() {
    let mut reducer = reducer();
    feed(&mut reducer, &[turn("r", 1).ends_rollout()], 0);
    reducer.tick(10 * SECOND);
    feed(&mut reducer, &[inference("r", 2)], 605);
    let effects = reducer.tick(610 * SECOND);
    assert_eq!(spans(&effects)[0].attrs.get(REVISION), Some(1));
    assert!(spans(&reducer.tick(700 * SECOND)).is_empty());
}

#[test]
fn of_one_rollout_sixteen_closed_generations_are_remembered() {
    let mut reducer = reducer();
    let mut forgotten = 0;
    for number in 0..20 {
        feed(&mut reducer, &[turn("r", number).turn(&format!("{number}")).ends_rollout()], number * 10);
        let effects = reducer.tick((number + 1) * 10 * SECOND);
        assert_eq!(spans(&effects)[0].attrs.get(ROLLOUT_GENERATION), Some(number as i64));
        forgotten += effects.iter().filter(|effect| matches!(effect, Effect::Count(Counter::Forgotten, _))).count();
    }
    assert_eq!(forgotten, 4);
}
