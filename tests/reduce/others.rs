//! Runs that others tell of, without ids of threads and turns: whose call is whose, and how it ended.

use proptest::prelude::*;
use veilspan::event::Outcome::{Completed, Failed};
use veilspan::event::{EdgeKind, Outcome};
use veilspan::reduce::{Effect, Reason, Rollout, Thread, Turn, tree};
use veilspan::semconv::AGENT_NAME;

use super::events::*;

fn agent(number: u64, name: &str) -> Call {
    let mut agent = turn("conversation", number).of_others();
    agent.opened.set(AGENT_NAME, text(name));
    agent
}

fn chat(number: u64) -> Call {
    inference("conversation", number).of_others()
}

/// What an agent asked of a model, how many tools it called, and what started it.
fn told(turn: &Turn) -> (String, usize, usize, Option<bool>) {
    let agent = turn.agent.as_ref().map(ToString::to_string).unwrap_or_default();
    (agent, turn.inferences().count(), turn.tool_calls().count(), turn.spawned_by.as_ref().map(|by| by.call.is_some()))
}

fn agents(rollout: &Rollout) -> Vec<(String, usize, usize, Option<bool>)> {
    let mut all: Vec<_> = rollout.turns().map(|(_, turn)| (turn.started_unix_nano, told(turn))).collect();
    all.sort();
    all.into_iter().map(|(_, told)| told).collect()
}

/// A planner that asks a helper through a tool.
fn nested() -> Vec<Call> {
    vec![
        agent(1, "planner").at(1, 20),
        chat(2).parent(1).at(2, 3).tokens(10, 1),
        tool("conversation", 3).of_others().parent(1).at(4, 12),
        agent(4, "helper").parent(3).at(5, 11),
        chat(5).parent(4).at(6, 7).tokens(30, 2),
        tool("conversation", 6).of_others().parent(4).at(8, 9),
        chat(7).parent(1).at(13, 14).tokens(20, 3),
    ]
}

#[test]
fn an_agent_inside_of_another_has_a_thread_of_its_own() {
    let rollout = reduce(&all(&nested()));
    let of = |name: &str, chats, tools, by_call| (name.to_owned(), chats, tools, by_call);
    assert_eq!(agents(&rollout), [of("planner", 2, 1, None), of("helper", 1, 1, Some(true))]);
    assert_eq!(rollout.threads.len(), 2);
    assert_eq!(rollout.root.as_deref(), Some("conversation"));
    let inner = rollout.threads.iter().find(|thread| &*thread.id != "conversation").unwrap();
    let own = format!("{}-{}", trace(1), span(4));
    assert_eq!((&*inner.id, &*inner.turns[0].id), (&*own, &*own));
    assert_eq!(
        rollout.threads.iter().flat_map(|thread| &thread.turns).filter(|turn| turn.segments.len() > 1).count(),
        0
    );
    assert_eq!((rollout.totals.turns, rollout.totals.input_tokens), (2, Some(60)));
    assert!(rollout.edges.iter().any(|edge| edge.kind == Some(EdgeKind::Spawn)), "{:?}", rollout.edges);
    assert!(rollout.findings.is_empty(), "{:?}", rollout.findings);
}

#[test]
fn whose_call_it_is_follows_from_times_where_a_parent_is_no_call() {
    // A chain of a framework stands between each of them, which is no call.
    let mut calls = nested();
    for call in &mut calls[1..] {
        call.parent = Some(1000 + call.number);
    }
    let of = |name: &str, chats, tools, by_call| (name.to_owned(), chats, tools, by_call);
    assert_eq!(agents(&reduce(&all(&calls))), [of("planner", 2, 1, None), of("helper", 1, 1, Some(true))]);
    // Of two tools that ran then it is not known which one it was.
    calls.push(tool("conversation", 9).of_others().parent(1).at(4, 12));
    assert_eq!(agents(&reduce(&all(&calls))), [of("planner", 2, 2, None), of("helper", 1, 1, Some(false))]);
}

#[test]
fn of_agents_beside_one_another_none_is_guessed() {
    let calls = [
        agent(1, "planner").at(1, 20),
        agent(2, "one").parent(1).at(2, 10),
        agent(3, "two").parent(1).at(3, 11),
        // Known by its parent, unknown, around neither.
        chat(4).parent(2).at(4, 5),
        chat(5).parent(999).at(4, 5),
        chat(6).parent(999).at(12, 13),
        chat(7).parent(999).at(10, 11),
    ];
    let rollout = reduce(&all(&calls));
    let of = |name: &str, chats, by_call| (name.to_owned(), chats, 0, by_call);
    assert_eq!(agents(&rollout), [of("planner", 2, None), of("one", 1, Some(false)), of("two", 1, Some(false))]);
}

#[test]
fn agents_after_one_another_are_turns_of_one_thread() {
    let calls = [
        agent(1, "triage").parent(77).at(1, 3),
        chat(2).parent(1).at(1, 2),
        agent(3, "support").parent(77).at(4, 9),
        chat(4).parent(3).at(5, 6),
        // Of neither: it began while the second ran.
        chat(5).at(7, 8),
    ];
    let rollout = reduce(&all(&calls));
    assert_eq!(rollout.threads.len(), 1);
    let turns: Vec<&str> = rollout.threads[0].turns.iter().map(|turn| &*turn.id).collect();
    assert_eq!(turns, [trace(1).to_string(), format!("{}-{}", trace(1), span(3))]);
    let of = |name: &str, chats| (name.to_owned(), chats, 0, None);
    assert_eq!(agents(&rollout), [of("triage", 1), of("support", 2)]);
}

#[test]
fn a_trace_that_names_its_conversation_on_some_spans_is_of_that_conversation() {
    let mut calls = nested();
    for place in [1, 2, 4, 5] {
        calls[place] = Call { is_of_others: false, ..calls[place].clone() }.of_nobody();
    }
    let whole: Vec<String> = facts(&all(&nested())).derive().iter().map(Rollout::serialise).collect();
    let parts: Vec<String> = facts(&all(&calls)).derive().iter().map(Rollout::serialise).collect();
    assert_eq!(parts, whole);
    // Of two conversations in a trace it is not known whose the rest is.
    let mut other = agent(30, "third").at(30, 31);
    (other.path[0], other.path[1]) = (text("another"), text("another"));
    calls.push(other);
    assert_eq!(facts(&all(&calls)).derive().len(), 3);
}

#[test]
fn what_has_ended_does_not_wait_and_is_not_abandoned() {
    let rollout = reduce(&all(&nested()));
    assert!(rollout.turns().all(|(_, turn)| !turn.waiting && turn.outcome.is_none() && turn.ended_at.is_some()));
    let text = tree(&rollout);
    assert!(text.contains("turn planner  ended  19.00 s") && !text.contains("wait"), "{text}");
    assert_eq!(closed(&nested()).outcome, Some(Completed));
}

/// The rollout as a reducer closes it when nothing more comes.
fn closed(calls: &[Call]) -> Rollout {
    let mut reducer = reducer();
    feed(&mut reducer, calls, 100);
    let effects = reducer.tick(100_000 * SECOND);
    let closed = effects.into_iter().find_map(|effect| match effect {
        Effect::RolloutClosed(closed) => Some(closed.graph),
        _ => None,
    });
    let closed = closed.unwrap();
    assert_eq!(closed.closed, Some(Reason::Idle));
    closed
}

#[test]
fn a_failure_of_the_outermost_agent_is_the_run_s_and_one_inside_is_not() {
    let outcome = |place: usize| {
        let mut calls = nested();
        calls[place].outcome = Some(Failed);
        closed(&calls).outcome
    };
    assert_eq!([outcome(0), outcome(3), outcome(4)], [Some(Failed), Some(Completed), Some(Completed)]);
}

#[test]
fn answers_without_an_agent_are_judged_by_the_last_of_them() {
    let outcome = |last: Call| closed(&[chat(1).at(1, 2).finish("tool-calls"), last.at(3, 4)]).outcome;
    assert_eq!(outcome(chat(2).finish("stop")), Some(Completed));
    assert_eq!(outcome(chat(2)), Some(Completed));
    assert_eq!(outcome(chat(2).finish("tool-calls")), Some(Outcome::Abandoned));
    assert_eq!(outcome(chat(2).finish("tool_calls")), Some(Outcome::Abandoned));
    let failed = Call { outcome: Some(Failed), ..chat(2) };
    assert_eq!(outcome(failed), Some(Failed));
}

#[test]
fn agents_that_are_inside_of_one_another_both_ways_end_nothing() {
    let calls = [agent(1, "one").parent(2).at(1, 9), agent(2, "two").parent(1).at(1, 9), chat(3).parent(1).at(2, 3)];
    let rollout = reduce(&all(&calls));
    assert_eq!(rollout.totals.inferences, 1);
    assert!(tree(&rollout).len() < 10_000);
}

fn any_call(number: u64) -> impl Strategy<Value = Call> {
    (0..3u8, proptest::option::of(0..12u64), 1..20u64, 0..9u64).prop_map(move |(kind, parent, from, long)| {
        let call = match kind {
            0 => agent(number, "agent"),
            1 => chat(number),
            _ => tool("conversation", number).of_others(),
        };
        let call = call.at(from, from + long);
        match parent {
            Some(parent) => call.parent(parent),
            None => call,
        }
    })
}

proptest! {
    #[test]
    fn every_call_of_others_is_told_once_in_any_order(
        calls in (1..10u64).prop_flat_map(|most| (0..most).map(any_call).collect::<Vec<_>>()),
        seed in any::<u64>(),
    ) {
        let mut events = all(&calls);
        let rollout = facts(&events).derive().remove(0);
        let spans = |threads: &[Thread]| -> usize {
            let turns = || threads.iter().flat_map(|thread| &thread.turns);
            let segments = turns().flat_map(|turn| &turn.segments).filter(|segment| segment.call.is_some()).count();
            segments + turns().map(|turn| turn.calls().count()).sum::<usize>()
        };
        prop_assert_eq!(spans(&rollout.threads), calls.len());
        prop_assert!(rollout.turns().all(|(_, turn)| turn.segments.iter().filter(|one| one.call.is_some()).count() <= 1));
        let mut state = seed | 1;
        for place in (1..events.len()).rev() {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            events.swap(place, (state >> 33) as usize % (place + 1));
        }
        prop_assert_eq!(facts(&events).derive().remove(0).serialise(), rollout.serialise());
    }
}

#[test]
fn a_turn_that_somebody_names_as_an_activation_is_named_here_is_told_in_one_order() {
    let named = format!("{}-{}", trace(1), span(2));
    let theirs = turn("conversation", 7).thread("conversation").turn(&named).at(3, 4);
    let rollout = reduce(&all(&[agent(1, "first").at(1, 2), agent(2, "second").at(3, 4), theirs]));
    let turns: Vec<_> = rollout.turns().map(|(_, turn)| (&*turn.id, told(turn).0)).collect();
    assert_eq!(turns[1..], [(&*named, "planner".to_owned()), (&*named, "second".to_owned())]);
}
