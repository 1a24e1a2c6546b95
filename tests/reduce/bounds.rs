use veilspan::reduce::{Absorbed, Counter, Effect, Facts, FindingKind, Limits, Pressure, Reason, Reducer, derive};
use veilspan::semconv::{REVISION, ROLLOUT_GENERATION, ROLLOUT_REASON};

use super::events::*;

fn counted(effects: &[Effect], counter: Counter) -> u64 {
    let counts = effects.iter().filter_map(|effect| match effect {
        Effect::Count(which, number) if *which == counter => Some(*number),
        _ => None,
    });
    counts.sum()
}

#[test]
fn a_million_facts_of_one_rollout_are_cut_off_counted_and_found() {
    let limits = Limits { rollout_facts: 1_000, ..Limits::default() };
    let mut reducer = Reducer::new(limits);
    let mut dropped = 0;
    for number in 0..500_000 {
        dropped += counted(&feed(&mut reducer, &[inference("r", number)], 0), Counter::Truncated);
    }
    assert_eq!(dropped, 1_000_000 - 1_000);
    let facts = reducer.open().next().unwrap();
    assert_eq!(facts.count(), 1_000);
    let rollout = derive(facts);
    let truncated = rollout.findings.iter().find(|finding| finding.kind == FindingKind::Truncated).unwrap();
    assert_eq!(truncated.count, dropped);
}

#[test]
fn a_rollout_over_its_bytes_is_cut_off_and_still_closes_when_it_says_so() {
    let mut reducer = Reducer::new(Limits { rollout_bytes: 10_000, ..Limits::default() });
    for number in 0..100 {
        feed(&mut reducer, &[inference("r", number)], 0);
    }
    assert!(reducer.open().next().unwrap().bytes() <= 10_000);
    feed(&mut reducer, &[turn("r", 1_000).turn("last").ends_rollout()], 0);
    assert_eq!(counted(&reducer.tick(10 * SECOND), Counter::RolloutsClosed(Reason::Ended)), 1);
}

#[test]
fn when_memory_is_short_the_least_recently_touched_rollouts_are_evicted_first() {
    let mut reducer = Reducer::new(Limits::default());
    feed(&mut reducer, &[turn("a", 1)], 0);
    // Three small ones, and not much more.
    let budget = 4 * reducer.bytes();
    let mut reducer = Reducer::new(Limits { bytes: budget, ..Limits::default() });
    let mut evicted = Vec::new();
    feed(&mut reducer, &[turn("a", 1)], 0);
    feed(&mut reducer, &[turn("b", 2)], 1);
    feed(&mut reducer, &[turn("a", 3).turn("more")], 2);
    for number in 10..100 {
        let effects = feed(&mut reducer, &[inference("c", number)], 3);
        for span in spans(&effects) {
            if span.attrs.text(ROLLOUT_REASON) == Some("evicted") {
                evicted.push(span.attrs.text(veilspan::semconv::ROLLOUT_ID).unwrap().to_owned());
            }
        }
        assert!(reducer.bytes() <= budget);
    }
    assert_eq!(evicted, ["b", "a"]);
    assert_eq!(reducer.open().count(), 1, "the one in use stays");
}

#[test]
fn at_ninety_percent_new_requests_should_be_refused_and_at_the_bound_facts_are() {
    let mut reducer = Reducer::new(Limits { bytes: 20_000, ..Limits::default() });
    assert_eq!(reducer.pressure(), Pressure::None);
    let mut seen = Vec::new();
    let mut refused = 0;
    for number in 0..400 {
        refused += counted(&feed(&mut reducer, &[inference("r", number)], 0), Counter::Refused);
        seen.push(reducer.pressure());
        assert!(reducer.bytes() <= 20_000);
    }
    seen.dedup();
    assert_eq!(seen, [Pressure::None, Pressure::Evict, Pressure::Refuse]);
    assert!(refused > 0);
    // With nobody in the middle of a request, the busiest may go too.
    reducer.tick(SECOND);
    assert_eq!(reducer.pressure(), Pressure::None);
}

#[test]
fn a_thousand_rollouts_stay_within_the_bound() {
    let mut reducer = Reducer::new(Limits { bytes: 200_000, ..Limits::default() });
    let mut closed = 0;
    for number in 0..1_000 {
        let rollout = format!("r{number}");
        let effects = feed(&mut reducer, &[turn(&rollout, number), inference(&rollout, number)], number);
        closed += counted(&effects, Counter::RolloutsClosed(Reason::Evicted));
        assert!(reducer.bytes() <= 200_000);
    }
    assert_eq!(closed as usize + reducer.open().count(), 1_000);
    reducer.tick(1_000_000 * SECOND);
    reducer.tick(2_000_000 * SECOND);
    assert_eq!((reducer.bytes(), reducer.open().count()), (0, 0), "what is forgotten costs nothing");
}

#[test]
fn an_evicted_rollout_tells_of_late_data_and_goes_on_in_the_next_generation() {
    let mut reducer = Reducer::new(Limits { bytes: 20_000, ..Limits::default() });
    feed(&mut reducer, &[turn("old", 1)], 0);
    for number in 10.. {
        if reducer.open().all(|facts| &*facts.key().rollout != "old") {
            break;
        }
        feed(&mut reducer, &[inference("new", number)], 1);
    }
    let late = feed(&mut reducer, &[inference("old", 2)], 2);
    assert_eq!(counted(&late, Counter::LateWithoutFacts), 2);
    let effects = reducer.tick(12 * SECOND);
    let revised = spans(&effects).into_iter().find(|span| span.attrs.get(REVISION).is_some()).unwrap();
    assert_eq!((revised.attrs.get(REVISION), revised.attrs.get(ROLLOUT_GENERATION)), (Some(1), Some(0)));
    feed(&mut reducer, &[turn("old", 3).turn("next")], 20);
    let again = reducer.open().map(derive).find(|rollout| rollout.id == "old").unwrap();
    assert_eq!(again.generation, 1);
}

/// Model requests and tool calls in turns, as a recorder tells them: nothing is like anything before it but the labels.
fn typical(number: u64) -> Vec<Call> {
    let id = |digest: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&digest.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        veilspan::event::Digest { algorithm: veilspan::event::Algorithm::HmacSha256, bytes }
    };
    let turn_id = format!("turn-{}", number / 50);
    let mut asked = inference("r", 2 * number).turn(&turn_id).at(number, number + 1).parent(1).tokens(1000, 50);
    asked.input.prefix = number.checked_sub(1).map(id);
    asked.input.chain = Some(id(number));
    asked.input.items = vec![veilspan::event::Item {
        digest: Some(id(number + 1_000_000)),
        role: veilspan::event::Role::Tool,
        length: Some(300),
        part_kinds: text("tool_call_response"),
    }];
    asked.output.items =
        vec![veilspan::event::Measure { digest: Some(id(number + 2_000_000)), length: Some(80), ..Default::default() }];
    let mut called = tool("r", 2 * number + 1).turn(&turn_id).at(number, number + 1).parent(1);
    called.opened.set(veilspan::semconv::TOOL_CALL_ID, text(&format!("call-{number}")));
    vec![asked, called]
}

#[test]
fn ninety_five_thousand_facts_of_which_no_two_are_alike_fit_into_the_bound_of_a_rollout() {
    let mut reducer = Reducer::new(Limits::default());
    let mut dropped = 0;
    for number in 0..23_750 {
        dropped += counted(&feed(&mut reducer, &typical(number), 0), Counter::Truncated);
    }
    let facts = reducer.open().next().unwrap();
    let each = facts.bytes() as u64 / facts.count();
    assert_eq!((dropped, facts.count()), (0, 95_000), "{each} bytes each");
}

#[test]
fn offline_a_budget_holds_for_all_that_is_absorbed_and_what_found_no_room_is_counted_and_found() {
    let mut facts = Facts::within(100_000);
    let mut refused = 0;
    for number in 0..5_000 {
        for event in typical(number).iter().flat_map(Call::both) {
            refused += u64::from(facts.absorb(&event) == Absorbed::Refused);
        }
        assert!(facts.bytes() <= 100_000);
    }
    assert!(refused > 0);
    assert_eq!(facts.refused(), refused);
    let rollouts = facts.derive();
    let truncated = rollouts[0].findings.iter().find(|finding| finding.kind == FindingKind::Truncated).unwrap();
    assert_eq!(truncated.count, refused);
}

#[test]
fn offline_rollouts_whose_ids_never_repeat_stay_within_the_budget() {
    let mut facts = Facts::within(1 << 20);
    let mut refused = 0;
    for number in 0..20_000 {
        let event = inference(&format!("rollout-{number}"), number).open();
        refused += u64::from(facts.absorb(&event) == Absorbed::Refused);
    }
    assert!(facts.bytes() <= 1 << 20);
    assert!(facts.rollouts().count() > 100 && refused > 10_000);
    assert_eq!(facts.refused(), refused);
    assert_eq!(facts.rollouts().count() as u64 + refused, 20_000, "what found no room leaves nothing behind");
}

#[test]
fn turns_that_wait_for_a_person_forever_are_let_go_when_their_rollout_falls_silent() {
    let mut reducer = Reducer::new(Limits { bytes: 1 << 20, ..Limits::default() });
    let mut closed = 0;
    for number in 0..5_000u64 {
        let rollout = format!("waits-{number}");
        let waits = turn(&rollout, number).outcome(None).finish("awaiting_approval");
        let effects = feed(&mut reducer, &[waits], number);
        closed += counted(&effects, Counter::RolloutsClosed(Reason::Idle));
        closed += counted(&effects, Counter::RolloutsClosed(Reason::Evicted));
        assert!(reducer.bytes() <= 1 << 20);
    }
    assert_eq!(closed as usize + reducer.open().count(), 5_000);
    reducer.tick(100_000 * SECOND);
    reducer.tick(200_000 * SECOND);
    assert_eq!((reducer.bytes(), reducer.open().count()), (0, 0));
}
