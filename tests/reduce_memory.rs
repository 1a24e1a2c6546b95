//! What reduction holds, as the allocator counts it: the stated budget is one of memory, not of our own estimate of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "reduce/events.rs"]
#[allow(dead_code)]
mod events;
mod over_otlp {
    pub fn is_the_same(_: &[veilspan::event::Event<veilspan::event::Veiled>]) -> bool {
        true
    }
}
mod proto {
    pub const fn is_the_same(_: &veilspan::reduce::Rollout) {}
}
mod sound {
    pub const fn is_sound(_: &veilspan::reduce::Rollout) {}
}

use std::collections::BTreeMap;

use allocation_counter::measure;
use events::*;
use veilspan::reduce::{Counter, Effect, Facts, Limits, Reason, Reducer};

const BUDGET: usize = 16 << 20;
/// What stands outside of the budget: how often forgotten rollouts were closed.
const OUTSIDE: u64 = 6 << 20;

/// Feeds rollouts that never come again. Answers the most bytes that were held, and what was counted.
fn endless(rollouts: u64, calls: impl Fn(&str, u64) -> Vec<Call>) -> (u64, BTreeMap<Counter, u64>) {
    let mut counted = BTreeMap::new();
    let held = measure(|| {
        let mut reducer = Reducer::new(Limits { bytes: BUDGET, ..Limits::default() });
        for number in 0..rollouts {
            let name = format!("rollout-{number}");
            for event in all(&calls(&name, number)) {
                for effect in reducer.on(event, number * 1_000_000) {
                    if let Effect::Count(counter, count) = effect {
                        *counted.entry(counter).or_default() += count;
                    }
                }
            }
        }
        *counted.entry(Counter::TurnsClosed).or_default() += 0;
        assert!(reducer.open().count() > 1_000, "the budget is used");
        assert!(reducer.bytes() <= BUDGET);
    });
    (held.bytes_max, counted)
}

#[test]
fn open_rollouts_without_end_stay_within_the_budget_and_are_counted_when_they_go() {
    const ROLLOUTS: u64 = 40_000;
    let (held, counted) = endless(ROLLOUTS, |name, number| vec![inference(name, number).chain(None, number as u8)]);
    assert!(held <= BUDGET as u64 + OUTSIDE, "{} MiB were held", held >> 20);
    let evicted = counted[&Counter::RolloutsClosed(Reason::Evicted)];
    assert!(evicted > ROLLOUTS / 2, "{counted:?}");
    assert!(counted[&Counter::Forgotten] > 0, "{counted:?}");
}

#[test]
fn turns_that_wait_without_end_stay_within_the_budget() {
    let waits =
        |name: &str, number: u64| vec![turn(name, number).outcome(None), inference(name, number + 1).parent(number)];
    let (held, counted) = endless(20_000, waits);
    assert!(held <= BUDGET as u64 + OUTSIDE, "{} MiB were held", held >> 20);
    assert!(counted[&Counter::RolloutsClosed(Reason::Evicted)] > 10_000, "{counted:?}");
}

#[test]
fn turns_that_end_and_rollouts_that_say_so_leave_nothing_that_is_not_counted() {
    let ends = |name: &str, number: u64| vec![turn(name, number).ends_rollout()];
    let (held, counted) = endless(40_000, ends);
    assert!(held <= BUDGET as u64 + OUTSIDE, "{} MiB were held", held >> 20);
    let closed: u64 = [Reason::Ended, Reason::Evicted]
        .iter()
        .filter_map(|reason| counted.get(&Counter::RolloutsClosed(*reason)))
        .sum();
    assert!(closed > 20_000, "{counted:?}");
}

#[test]
fn one_rollout_of_ever_new_turns_and_texts_stays_within_its_own_bound() {
    let held = measure(|| {
        let mut reducer = Reducer::new(Limits::default());
        for number in 0..60_000 {
            let name = format!("turn-{number}");
            feed(&mut reducer, &[inference("r", number).turn(&name).chain(None, number as u8)], 0);
        }
        assert!(reducer.bytes() <= 9 << 20);
    });
    assert!(held.bytes_max <= 12 << 20, "{} MiB were held", held.bytes_max >> 20);
}

#[test]
fn offline_the_budget_is_one_of_memory_too() {
    let held = measure(|| {
        let mut facts = Facts::within(BUDGET);
        for number in 0..40_000 {
            facts.absorb(&inference(&format!("rollout-{number}"), number).open());
        }
        assert!(facts.refused() > 0, "the budget is used");
    });
    assert!(held.bytes_max <= (BUDGET + BUDGET / 8) as u64, "{} MiB were held", held.bytes_max >> 20);
}

#[test]
fn histories_that_have_lost_every_answer_take_what_each_adds() {
    let id = |number: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        veilspan::event::Digest { algorithm: veilspan::event::Algorithm::HmacSha256, bytes }
    };
    const REQUESTS: u64 = 10_000;
    let mut facts = Facts::default();
    for number in 0..REQUESTS {
        let mut asked = inference("r", number).at(number, number);
        asked.input.prefix = number.checked_sub(1).map(id);
        asked.input.chain = Some(id(number));
        let role = veilspan::event::Role::User;
        let item = |number| veilspan::event::Item {
            digest: Some(id(number)),
            role,
            length: Some(20),
            part_kinds: text("text"),
        };
        asked.input.items = vec![item(number + (1 << 32))];
        let digest = Some(id(number + (2 << 32)));
        asked.output.items = vec![veilspan::event::Measure { digest, length: Some(20), ..Default::default() }];
        asked.both().iter().for_each(|event| assert_eq!(facts.absorb(event), veilspan::reduce::Absorbed::New));
    }
    let derived = measure(|| {
        let rollouts = facts.derive();
        let last = rollouts[0].threads[0].turns[0].inferences().last().unwrap();
        assert_eq!(last.input.items.len() as u64, REQUESTS);
        assert!(last.input.items.runs().len() as u64 >= REQUESTS / 2, "each answer leaves a hole");
    });
    let times = derived.bytes_max / facts.bytes() as u64;
    assert!(times <= 24, "{times} times what the facts take, {} MiB", derived.bytes_max >> 20);
}
