//! Sub-agents, sets and attempts inside of one another.

use proptest::prelude::*;
use veilspan::event::{CallKind, EdgeKind};
use veilspan::record::{Operation, Turn};
use veilspan::reduce::Severity;
use veilspan::replay::{DifferenceKind, Run, Verdict};
use veilspan::semconv::USAGE_COST;

use super::build::{Host, compare, decided, found, kinds, reduce, run, through_otlp, tool};

/// A sub-agent that is started and not ended yet.
fn start(host: &Host, turn: &Turn, agent: &str) -> (veilspan::record::ToolCall, Turn) {
    let call = turn.tool("task").arguments(format!(r#"{{"agent":"{agent}"}}"#)).start();
    let child = host
        .recorder
        .turn(agent)
        .rollout("r")
        .thread(agent)
        .turn_id(&format!("{agent}-1"))
        .follows(&call.reference(), EdgeKind::Spawn)
        .start();
    (call, child)
}

fn end((mut call, child): (veilspan::record::ToolCall, Turn)) {
    child.finish();
    call.result("answer");
    call.finish();
}

/// Sub-agents that run at the same time, each calling its tools.
fn fanned(agents: &[(&str, &[&str])]) -> Run {
    run(|host, turn| {
        tool(turn, "before", "{}", "done");
        let started: Vec<_> = agents.iter().map(|(agent, _)| start(host, turn, agent)).collect();
        for ((_, child), (_, tools)) in started.iter().zip(agents) {
            tools.iter().for_each(|name| tool(child, name, "{}", "done"));
        }
        started.into_iter().for_each(end);
        tool(turn, "after", "{}", "done");
    })
}

#[test]
fn sub_agents_that_ran_at_the_same_time_are_a_set_and_what_differs_in_one_is_found_there() {
    let baseline = fanned(&[("writer", &["draft", "check"]), ("reader", &["search", "open"])]);
    let report = compare(&baseline, &fanned(&[("reader", &["search", "open"]), ("writer", &["draft", "check"])]));
    assert_eq!((kinds(&report), report.verdict()), (vec![], Verdict::Same));
    let report =
        compare(&baseline, &fanned(&[("reader", &["search", "scroll", "open"]), ("writer", &["draft", "check"])]));
    assert_eq!(kinds(&report), ["insertion"]);
    let one = &report.differences[0];
    assert_eq!((one.name.as_deref(), &*one.candidate.as_ref().unwrap().thread), (Some("scroll"), "reader"));
    assert_eq!(one.position, [1, 1]);
    // One more of them is one insertion, with all that it did.
    let report = compare(
        &baseline,
        &fanned(&[("writer", &["draft", "check"]), ("judge", &["weigh"]), ("reader", &["search", "open"])]),
    );
    assert_eq!((kinds(&report), report.differences[0].steps), (vec!["insertion"], 3));
}

#[test]
fn attempts_inside_a_sub_agent_are_one_step_too() {
    let tried = |attempts: usize| {
        run(move |host, turn| {
            let (call, child) = start(host, turn, "helper");
            let operation = Operation::new();
            for attempt in 0..attempts {
                let asked = child.inference("openai", "m").input("hello").attempt_of(&operation).start();
                if attempt + 1 == attempts { asked.finish() } else { asked.fail("overloaded") }
            }
            end((call, child));
        })
    };
    let report = compare(&tried(1), &tried(4));
    assert_eq!((found(&report), report.verdict()), (vec![("retries".to_owned(), Severity::Info)], Verdict::Same));
}

#[test]
fn a_call_that_failed_and_was_made_again_is_one_step_and_another_call_after_it_is_not() {
    let made = |failed: usize, arguments: &'static str| {
        run(move |_, turn| {
            (0..failed).for_each(|_| turn.tool("fetch").arguments("{}").start().fail("timeout"));
            tool(turn, "fetch", arguments, "done");
        })
    };
    let report = compare(&made(0, "{}"), &made(2, "{}"));
    assert_eq!(found(&report), [("retries".to_owned(), Severity::Info)]);
    let report = compare(&made(0, r#"{"page":2}"#), &made(1, r#"{"page":2}"#));
    assert_eq!(kinds(&report), ["insertion"], "it failed at something else");
}

#[test]
fn what_costs_more_is_told_and_is_no_drift() {
    let cost = |cost: f64| {
        let host = Host::new();
        let turn = host.turn("r");
        turn.inference("openai", "m").input("hello").start().finish();
        turn.finish();
        let mut calls = host.calls();
        let told = calls.iter_mut().find(|call| call.kind == CallKind::Inference).unwrap();
        told.closed.attrs.set(USAGE_COST, cost);
        Run::of_recording(&reduce(through_otlp(calls)))
    };
    let report = compare(&cost(0.02), &cost(0.05));
    assert_eq!((found(&report), report.verdict()), (vec![("cost".to_owned(), Severity::Info)], Verdict::Same));
    assert!(compare(&cost(0.1 + 0.2), &cost(0.3)).differences.is_empty());
    assert!(compare(&cost(0.02), &cost(0.022)).differences.is_empty());
}

fn sure(confidence: f64) -> Run {
    run(move |_, turn| turn.decision("go").confidence(confidence).record())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn equal_distances_of_confidence_get_equal_severities_whatever_the_floats_leave(a in 0i32..=100, b in 0i32..=100) {
        let report = compare(&sure(f64::from(a) / 100.0), &sure(f64::from(b) / 100.0));
        let expected = match (a - b).abs() {
            50.. => Some(Severity::Critical),
            40.. => Some(Severity::Warning),
            _ => None,
        };
        prop_assert_eq!(report.differences.first().map(|one| one.severity), expected);
        prop_assert!(report.differences.len() <= 1);
    }

    #[test]
    fn one_change_inside_a_sub_agent_is_found_as_exactly_that(
        names in proptest::collection::vec(proptest::sample::select(&["A", "B", "C"][..]), 1..8),
        place: prop::sample::Index,
    ) {
        let with = |names: &[&str]| fanned(&[("one", names), ("two", &["D"])]);
        let base = with(&names);
        let mut longer = names.clone();
        longer.insert(place.index(names.len() + 1), "X");
        let longer = with(&longer);
        let report = compare(&base, &longer);
        prop_assert_eq!(kinds(&report), ["insertion"]);
        prop_assert_eq!(report.differences[0].name.as_deref(), Some("X"));
        prop_assert_eq!(kinds(&compare(&longer, &base)), ["deletion"]);
        let mut other = names.clone();
        other[place.index(names.len())] = "X";
        let report = compare(&base, &with(&other));
        prop_assert_eq!(kinds(&report), ["tool"]);
        prop_assert_eq!(report.differences[0].kind, DifferenceKind::Field(veilspan::replay::Field::Tool));
    }
}

#[test]
fn a_decision_is_compared_below_whatever_made_it() {
    let made = |action: &'static str| {
        run(move |host, turn| {
            let (call, child) = start(host, turn, "helper");
            child.decision(action).record();
            end((call, child));
        })
    };
    let report = compare(&made("wait"), &made("go"));
    assert_eq!(found(&report), [("action".to_owned(), Severity::Critical)]);
    assert_eq!(report.differences[0].candidate.as_ref().unwrap().depth, 3);
    assert_ne!(compare(&decided("wait"), &made("wait")).verdict(), Verdict::Same);
}
