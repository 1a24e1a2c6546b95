use bytestring::ByteString;
use proptest::prelude::*;
use veilspan::event::{Attrs, CallKind, EdgeKind, Event, Kind, Mark, MarkKind, Noted, Outcome, Veiled};
use veilspan::reduce::{Facts, Limits, Reducer, Rollout, derive, tree};

use super::events::*;

/// Calls that collide on purpose: few ids, few times, few threads.
pub fn calls() -> impl Strategy<Value = Vec<Call>> {
    let outcome = prop_oneof![
        Just(None),
        Just(Some(Outcome::Completed)),
        Just(Some(Outcome::Failed)),
        Just(Some(Outcome::Cancelled)),
        Just(Some(Outcome::Abandoned)),
    ];
    let place = (0u8..3, 0u8..3, 0u8..3, 0u8..2);
    let what = (0u64..12, 1u128..3, 0u64..6, 0u64..6, outcome);
    let more = (prop::option::of(0u64..12), prop::option::of(0u8..4), 0u8..4, 0i64..3, any::<bool>());
    let one =
        (place, what, more).prop_map(|((kind, thread, at, tenant), (number, producer, from, to, outcome), more)| {
            let (parent, prefix, chain, segment, linked) = more;
            let made = match kind {
                0 => turn("r", number),
                1 => inference("r", number).chain(prefix, chain).tokens(i64::from(chain), 1),
                _ => tool("r", number),
            };
            let mut made = made.thread(&format!("th{thread}")).turn(&format!("tu{at}")).at(from, to).outcome(outcome);
            made = made.producer(producer).segment(segment);
            made.parent = parent;
            if tenant > 0 {
                made = made.tenant("acme");
            }
            if linked {
                made = made.link(1, number / 2, EdgeKind::Spawn);
            }
            made
        });
    prop::collection::vec(one, 0..24)
}

/// Some of the events, and the same again with repetitions in another order.
fn twice() -> impl Strategy<Value = (Vec<Event<Veiled>>, Vec<Event<Veiled>>)> {
    let some = calls().prop_flat_map(|calls| {
        let mut events = all(&calls);
        let unknown =
            events.first().cloned().map(|event| Event { kind: Kind::Unknown { name: text("later") }, ..event });
        events.extend(unknown);
        proptest::sample::subsequence(events.clone(), 0..=events.len())
    });
    some.prop_flat_map(|events| {
        let again = proptest::sample::subsequence(events.clone(), 0..=events.len());
        let shuffled = again.prop_flat_map({
            let events = events.clone();
            move |again| Just([events.clone(), again].concat()).prop_shuffle()
        });
        (Just(events), shuffled)
    })
}

fn states(facts: &Facts) -> Vec<String> {
    facts.derive().iter().map(Rollout::serialise).collect()
}

#[test]
fn of_calls_with_hundreds_of_observations_each_is_kept_once_in_any_order() {
    let of_call = |number: u64| {
        let call = inference("r", number);
        let mark = |second: u64| {
            let mark = Mark { kind: MarkKind::FirstChunk, attrs: Attrs::default(), noted: Noted::Nothing };
            let mut event = Event { kind: Kind::Marked(mark), ..call.open() };
            event.at.time_unix_nano += second;
            event
        };
        (0..300).map(mark).chain(call.both()).collect::<Vec<_>>()
    };
    // What is told of the two differs in nothing but the call, and comes by turns.
    let told: Vec<_> = of_call(1).into_iter().zip(of_call(2)).flat_map(|(one, other)| [one, other]).collect();
    let once = facts(&told);
    assert_eq!(once.rollouts().map(veilspan::reduce::RolloutFacts::count).sum::<u64>(), 2 * 302);
    let twice: Vec<_> = told.iter().rev().chain(&told).cloned().collect();
    assert_eq!(states(&facts(&twice)), states(&once));
    assert_eq!(facts(&twice).rollouts().map(veilspan::reduce::RolloutFacts::count).sum::<u64>(), 2 * 302);
    let marks = once.derive()[0].threads[0].turns[0].calls().map(|call| call.marks.len()).collect::<Vec<_>>();
    assert_eq!(marks, [300, 300]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a33_each_span_delivered_twice_in_random_order_gives_the_same_bytes((events, shuffled) in twice()) {
        let (once, again) = (facts(&events), facts(&shuffled));
        prop_assert_eq!(&once, &again);
        prop_assert_eq!(states(&once), states(&again));
        let trees = |facts: &Facts| facts.derive().iter().map(tree).collect::<Vec<_>>();
        prop_assert_eq!(trees(&once), trees(&again));
    }

    #[test]
    fn a_call_is_what_it_is_whether_or_not_something_was_noted_in_it(calls in calls()) {
        let events = all(&calls);
        // A turn is observed in any case, and what is noted in it says that it goes on.
        let inside = events.iter().filter(|event| event.key.kind != CallKind::Turn);
        let noted = inside.cloned().map(|event| {
            let mark = Mark { kind: MarkKind::FirstChunk, attrs: Attrs::default(), noted: Noted::Nothing };
            Event { kind: Kind::Marked(mark), ..event }
        });
        let mut marked = facts(&noted.chain(events.clone()).collect::<Vec<_>>()).derive();
        let threads = marked.iter_mut().flat_map(|rollout| &mut rollout.threads);
        let mut count = 0;
        for segment in threads.flat_map(|thread| &mut thread.turns).flat_map(|turn| &mut turn.segments) {
            let inferences = segment.inferences.iter_mut().map(|one| &mut one.call);
            let tools = segment.tool_calls.iter_mut().map(|one| &mut one.call);
            for call in inferences.chain(tools).chain(&mut segment.call) {
                count += std::mem::take(&mut call.marks).len();
            }
        }
        let is_plain = |event: &Event<Veiled>| matches!(event.key.kind, CallKind::Inference | CallKind::Tool);
        prop_assert!(count > 0 || !events.iter().any(is_plain));
        prop_assert_eq!(facts(&events).derive(), marked);
    }

    #[test]
    fn the_live_reducer_keeps_the_same_facts((events, shuffled) in twice()) {
        let mut reducer = Reducer::new(Limits::default());
        for (place, event) in shuffled.into_iter().enumerate() {
            // All within the grace: nothing closes in between.
            reducer.on(event, 100 * SECOND + place as u64);
        }
        let mut live: Vec<String> = reducer.open().map(|facts| derive(facts).serialise()).collect();
        let mut offline = states(&facts(&events));
        live.sort_unstable();
        offline.sort_unstable();
        prop_assert_eq!(live, offline);
    }

    #[test]
    fn closing_a_rollout_leaves_nothing_open((events, _) in twice()) {
        let mut facts = facts(&events);
        facts.rollouts_mut().for_each(|facts| facts.close(veilspan::reduce::Reason::Ended));
        for rollout in facts.derive() {
            for (_, turn) in rollout.turns() {
                prop_assert!(turn.outcome.is_some());
                prop_assert!(turn.calls().all(|call| call.closed_at.is_some() || call.outcome.is_some()));
            }
        }
    }
}

/// Calls of every kind with everything that the table knows, in few rollouts, threads and turns, and then again with
/// repetitions in another order.
fn of_every_kind() -> impl Strategy<Value = (Vec<Event<Veiled>>, Vec<Event<Veiled>>)> {
    let placed = (super::records::record(), 0u8..2, 0u8..2, 0u8..3).prop_map(|(mut record, rollout, thread, turn)| {
        let path = |name: &str, number: u8| text(&format!("{name}{number}"));
        record.scope = std::sync::Arc::new(veilspan::event::Scope {
            tenant: None,
            rollout: path("r", rollout),
            thread: path("th", thread),
            turn: path("tu", turn),
        });
        record
    });
    prop::collection::vec(placed, 0..8).prop_flat_map(|records| {
        let events: Vec<_> =
            records.into_iter().flat_map(|record| record.into_events(veilspan::event::Source::Otlp)).collect();
        let again = proptest::sample::subsequence(events.clone(), 0..=events.len());
        let shuffled = again.prop_flat_map({
            let events = events.clone();
            move |again| Just([events.clone(), again].concat()).prop_shuffle()
        });
        (Just(events), shuffled)
    })
}

proptest! {
    #[test]
    fn calls_of_every_kind_reduce_to_the_same_bytes_in_any_order_and_twice((events, shuffled) in of_every_kind()) {
        prop_assert_eq!(states(&facts(&events)), states(&facts(&shuffled)));
    }

    #[test]
    fn any_part_of_what_was_seen_is_a_graph((events, _) in of_every_kind(), cut in 0usize..40) {
        let part = &events[..cut.min(events.len())];
        for rollout in facts(part).derive() {
            super::proto::is_the_same(&rollout);
            prop_assert!(!tree(&rollout).is_empty());
        }
    }
}

#[test]
fn two_producers_in_one_rollout_reduce_in_both_orders_to_the_same_bytes() {
    let one = all(&[turn("r", 1), inference("r", 2).tokens(10, 2)]);
    let other = all(&[turn("r", 3).thread("sub").producer(9), inference("r", 4).thread("sub").producer(9)]);
    let forwards = facts(one.iter().chain(&other));
    let backwards = facts(other.iter().chain(&one));
    assert_eq!(states(&forwards), states(&backwards));
}

#[test]
fn an_answer_comes_after_its_request_whatever_the_clocks_say() {
    let mut events = all(&[
        inference("r", 1).at(0, 1).chain(None, 1).answer(5),
        inference("r", 2).at(20, 10).chain(None, 2).answer(6),
    ]);
    for event in &mut events {
        match &mut event.kind {
            Kind::Opened(opened, _) => opened.attrs.set(veilspan::semconv::PREVIOUS_RESPONSE_ID, text("x")),
            Kind::Closed(closed, _) => closed.attrs.set(veilspan::semconv::RESPONSE_ID, text("x")),
            _ => {}
        }
    }
    assert_eq!(states(&facts(&events)), states(&facts(events.iter().rev())));
}

#[test]
fn a28_tenants_with_equal_ids_are_separate() {
    let calls = [turn("r", 1), turn("r", 1).tenant("acme"), inference("r", 2).tenant("acme")];
    let rollouts = facts(&all(&calls)).derive();
    assert_eq!(rollouts.len(), 2);
    assert_eq!(rollouts[0].totals.inferences, 0);
    assert_eq!(rollouts[1].totals.inferences, 1);
}

#[test]
fn what_is_kept_does_not_pin_the_request_it_came_in() {
    let request = bytes::Bytes::from(vec![b'x'; 1 << 20]);
    let mut event = turn("r", 1).open();
    let slice = ByteString::try_from(request.slice(..8)).unwrap();
    event.scope = std::sync::Arc::new(veilspan::event::Scope {
        tenant: Some(slice.clone()),
        rollout: slice.clone(),
        thread: slice.clone(),
        turn: slice.clone(),
    });
    if let Kind::Opened(opened, _) = &mut event.kind {
        opened.attrs.set(veilspan::semconv::AGENT_NAME, slice.clone());
        opened.policy = Some(slice.clone());
    }
    drop(slice);
    let facts = facts([&event]);
    drop(event);
    assert!(request.is_unique());
    assert_eq!(facts.derive().len(), 1);
}
