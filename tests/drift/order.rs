//! How two runs are aligned.

use proptest::prelude::*;
use veilspan::event::EdgeKind;
use veilspan::replay::{DifferenceKind, Run, Verdict, diff};

use super::build::{Host, compare, kinds, reduce, run, through_otlp, tool, tools};

#[test]
fn c15_a_step_between_others_is_one_insertion_at_its_place() {
    let report = compare(&tools(&["A", "B", "C"]), &tools(&["A", "X", "B", "C"]));
    assert_eq!(kinds(&report), ["insertion"]);
    let one = &report.differences[0];
    assert_eq!((one.position, one.name.as_deref()), ([1, 1], Some("X")));
    assert_eq!((one.baseline.is_none(), one.candidate.as_ref().unwrap().index), (true, 1));
    let resync = report.resync.as_ref().unwrap();
    assert_eq!([resync[0].index, resync[1].index], [1, 2], "the runs are the same again from B on");
}

#[test]
fn c17_a_step_after_the_last_is_one_insertion_and_one_left_out_one_deletion_once_the_run_has_ended() {
    let (short, whole) = (tools(&["A", "B"]), tools(&["A", "B", "C"]));
    let report = compare(&whole, &tools(&["A", "B", "C", "D"]));
    assert_eq!((kinds(&report), report.differences[0].position), (vec!["insertion"], [3, 3]));
    let report = compare(&whole, &short);
    assert_eq!((kinds(&report), report.differences[0].position), (vec!["deletion"], [2, 2]));
    // While it runs, what is missing may still come.
    let host = Host::new();
    let turn = host.turn("r");
    ["A", "B"].iter().for_each(|name| tool(&turn, name, "{}", "done"));
    let open = Run::of(&reduce(through_otlp(host.calls())));
    let report = compare(&whole, &open);
    assert_eq!((kinds(&report), report.pending, report.verdict()), (vec![], 1, Verdict::Inconclusive));
    // What it has done already counts.
    tool(&turn, "X", "{}", "done");
    let report = diff(&tools(&["A", "Y", "B", "X", "C"]), &Run::of(&reduce(through_otlp(host.calls()))));
    assert_eq!((kinds(&report), report.pending), (vec!["deletion"], 1));
    assert_eq!(report.differences[0].name.as_deref(), Some("Y"));
    turn.finish();
}

#[test]
fn c19_a_number_that_no_step_has_is_no_step() {
    let run = tools(&["A", "B"]);
    for number in [-1, 3, i64::MIN, i64::MAX] {
        assert!(run.step(number).is_none(), "{number}");
    }
    let numbers: Vec<u64> = (0..3).map(|number| run.step(number).unwrap().place.number).collect();
    assert_eq!(numbers, [0, 1, 2]);
}

/// Calls that run at the same time, in this order.
fn parallel(names: &[&str]) -> Run {
    run(|_, turn| {
        tool(turn, "first", "{}", "done");
        let open: Vec<_> = names.iter().map(|name| turn.tool(name).arguments("{}").start()).collect();
        for mut call in open {
            call.result("done");
            call.finish();
        }
        tool(turn, "last", "{}", "done");
    })
}

#[test]
fn steps_that_ran_at_the_same_time_are_a_set() {
    let report = compare(&parallel(&["A", "B", "C"]), &parallel(&["C", "A", "B"]));
    assert!(report.differences.is_empty());
    assert_eq!(report.reordered, 1);
    // One after the other they have an order.
    assert!(!compare(&tools(&["A", "B", "C"]), &tools(&["C", "A", "B"])).differences.is_empty());
    let report = compare(&parallel(&["A", "B", "C"]), &parallel(&["C", "X", "A", "B"]));
    assert_eq!((kinds(&report), report.differences[0].name.as_deref()), (vec!["insertion"], Some("X")));
    let report = compare(&parallel(&["A", "B", "C"]), &parallel(&["C", "A", "X"]));
    assert_eq!(kinds(&report), ["tool"]);
    assert_eq!(report.differences[0].expected.as_deref(), Some("B"));
}

#[test]
fn a_set_in_one_run_may_be_a_sequence_in_the_other() {
    let report = compare(&parallel(&["A", "B"]), &tools(&["first", "B", "A", "last"]));
    assert_eq!(kinds(&report), Vec::<&str>::new());
}

/// An agent that starts another with `arguments`, which calls these tools.
fn delegated(names: &[&str], after: &str) -> Run {
    run(|host, turn| {
        tool(turn, "before", "{}", "done");
        let mut spawn = turn.tool("task").arguments("{}").start();
        let reference = spawn.reference();
        let child = host
            .recorder
            .turn("helper")
            .rollout("r")
            .thread("sub")
            .turn_id("sub-1")
            .follows(&reference, EdgeKind::Spawn)
            .start();
        names.iter().for_each(|name| tool(&child, name, "{}", "done"));
        child.finish();
        spawn.result("answer");
        spawn.finish();
        tool(turn, after, "{}", "done");
    })
}

#[test]
fn what_a_sub_agent_did_is_compared_below_the_call_that_started_it() {
    let baseline = delegated(&["A", "B", "C"], "after");
    let step = baseline.step(2).unwrap();
    assert_eq!((step.name().as_deref(), step.below.len()), (Some("task"), 1), "{baseline:#?}");
    let report = compare(&baseline, &delegated(&["A", "C"], "after"));
    assert_eq!((kinds(&report), report.differences[0].name.as_deref()), (vec!["deletion"], Some("B")));
    assert_eq!(&*report.differences[0].baseline.as_ref().unwrap().thread, "sub");
    // A sub-agent that is left out is one difference.
    let report = compare(&baseline, &tools(&["before", "after"]));
    assert_eq!((kinds(&report), report.differences[0].steps), (vec!["deletion"], 5));
}

#[test]
fn a_ring_of_starters_is_still_a_run() {
    let mut rollout = super::build::rollout(|_, turn| tool(turn, "A", "{}", "done"));
    let thread = rollout.threads[0].id.clone();
    let turn = rollout.threads[0].turns[0].id.clone();
    let call = rollout.threads[0].turns[0].segments[0].tool_calls[0].call.key;
    rollout.threads[0].turns[0].spawned_by = Some(veilspan::reduce::Node { thread, turn, call: Some(call) });
    let run = Run::of_recording(&rollout);
    assert_eq!(run.count, 2);
    assert!(diff(&run, &run).differences.is_empty());
}

const NAMES: [&str; 5] = ["A", "B", "C", "D", "E"];

fn names() -> impl Strategy<Value = Vec<&'static str>> {
    proptest::collection::vec(proptest::sample::select(&NAMES[..]), 1..12)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn one_change_of_a_run_is_found_as_exactly_that(
        names in names(), place: prop::sample::Index, new in proptest::sample::select(&NAMES[..]),
    ) {
        let base = tools(&names);
        let mut inserted = names.clone();
        inserted.insert(place.index(names.len() + 1), new);
        let inserted = tools(&inserted);
        let report = compare(&base, &inserted);
        prop_assert_eq!(report.differences.len(), 1);
        prop_assert_eq!(report.differences[0].kind, DifferenceKind::Insertion);
        prop_assert_eq!(report.differences[0].name.as_deref(), Some(new));
        let report = compare(&inserted, &base);
        prop_assert_eq!(kinds(&report), ["deletion"]);

        let mut substituted = names.clone();
        let place = place.index(names.len());
        substituted[place] = "Z";
        let report = compare(&base, &tools(&substituted));
        prop_assert_eq!(kinds(&report), ["tool"]);
        prop_assert_eq!(report.differences[0].position, [place as u64; 2]);
    }

    #[test]
    fn a_swap_of_parallel_siblings_is_no_difference(names in names(), one: prop::sample::Index, other: prop::sample::Index) {
        let mut swapped = names.clone();
        swapped.swap(one.index(names.len()), other.index(names.len()));
        let report = compare(&parallel(&names), &parallel(&swapped));
        prop_assert!(report.differences.is_empty());
        prop_assert!(report.reordered == 0 || names != swapped);
    }
}
