use veilspan::event::EdgeKind;
use veilspan::reduce::{FindingKind, Rollout};

use super::events::*;

fn kinds(rollout: &Rollout) -> Vec<FindingKind> {
    rollout.findings.iter().map(|finding| finding.kind).collect()
}

#[test]
fn reduction_a19_a_call_of_an_unknown_turn_is_an_orphan_until_its_turn_arrives() {
    let mut events = inference("r", 2).both();
    let before = reduce(&events);
    assert_eq!(kinds(&before), [FindingKind::Orphan]);
    assert!(!before.threads[0].turns[0].reported);
    events.extend(turn("r", 1).both());
    let after = reduce(&events);
    assert!(after.findings.is_empty());
    assert!(after.threads[0].turns[0].reported);
}

#[test]
fn a19_the_result_of_an_unknown_call_is_an_orphan_until_its_call_arrives() {
    let mut events = turn("r", 1).both();
    events.push(tool("r", 2).close());
    let before = reduce(&events);
    assert_eq!(kinds(&before), [FindingKind::Orphan]);
    assert_eq!(before.findings[0].call, Some(tool("r", 2).key()));
    events.push(tool("r", 2).open());
    let after = reduce(&events);
    assert!(after.findings.is_empty());
    assert_eq!(after.totals.tool_calls, 1);
}

#[test]
fn reduction_a20_a_cancelled_inference_keeps_its_partial_answer() {
    let cancelled = inference("r", 2).outcome(veilspan::event::Outcome::Cancelled).answer(7);
    let rollout = reduce(&all(&[turn("r", 1), cancelled]));
    let inference = rollout.threads[0].turns[0].inferences().next().unwrap();
    assert_eq!(inference.call.outcome, Some(veilspan::event::Outcome::Cancelled));
    assert_eq!(inference.output.items.len(), 1);
}

#[test]
fn a25_threads_that_interleave_keep_their_own_histories() {
    let calls = [
        turn("r", 1).thread("one").turn("a").at(1, 9),
        turn("r", 2).thread("two").turn("b").at(2, 8),
        inference("r", 3).thread("one").turn("a").at(2, 3).chain(None, 1),
        inference("r", 4).thread("two").turn("b").at(3, 4).chain(None, 2),
        inference("r", 5).thread("one").turn("a").at(4, 5).chain(Some(1), 3),
        inference("r", 6).thread("two").turn("b").at(5, 6).chain(Some(2), 4),
    ];
    let rollout = reduce(&all(&calls));
    assert!(rollout.findings.is_empty());
    let numbers = |thread: usize| -> Vec<u8> {
        let turn = &rollout.threads[thread].turns[0];
        turn.inferences().map(|inference| inference.input.chain.unwrap().bytes[0]).collect()
    };
    assert_eq!((numbers(0), numbers(1)), (vec![1, 3], vec![2, 4]));
}

#[test]
fn a26_overlapping_segments_of_one_thread_are_both_kept_and_found() {
    let rollout = reduce(&all(&[turn("r", 1).turn("a").at(1, 5), turn("r", 2).turn("b").at(3, 7)]));
    assert_eq!(rollout.threads[0].turns.len(), 2);
    assert_eq!(kinds(&rollout), [FindingKind::Overlap]);
    assert_eq!((rollout.findings[0].turn.as_deref(), rollout.findings[0].actual.as_deref()), (Some("b"), Some("a")));
}

#[test]
fn a26_a_turn_during_the_wait_of_another_is_no_overlap() {
    let calls = [
        turn("r", 1).turn("a").at(1, 3).outcome(None),
        turn("r", 2).turn("b").at(4, 5),
        turn("r", 3).turn("a").at(6, 7).segment(1),
    ];
    assert!(reduce(&all(&calls)).findings.is_empty());
}

#[test]
fn a26_a_turn_that_went_on_twice_at_once_overlaps_with_itself() {
    let goes_on = |trace: u8, from: u64, to: u64| {
        turn("r", u64::from(trace)).trace(trace).turn("a").at(from, to).segment(1).producer(u128::from(trace))
    };
    let stopped = turn("r", 1).turn("a").at(1, 3).outcome(None);
    let rollout = reduce(&all(&[stopped.clone(), goes_on(2, 5, 8), goes_on(3, 6, 9)]));
    assert_eq!((rollout.threads[0].turns[0].segments.len(), kinds(&rollout)), (3, vec![FindingKind::Overlap]));
    // One after the other is none, and one inside of the other in one trace is one activation told by two.
    for calls in [[goes_on(2, 5, 6), goes_on(3, 6, 9)], [goes_on(2, 5, 8), goes_on(3, 6, 7).trace(2).parent(2)]] {
        assert!(reduce(&all(&[&[stopped.clone()][..], &calls].concat())).findings.is_empty());
    }
}

#[test]
fn turns_that_touch_or_run_in_two_threads_do_not_overlap() {
    let calls =
        [turn("r", 1).turn("a").at(1, 3), turn("r", 2).turn("b").at(3, 5), turn("r", 3).thread("other").at(2, 4)];
    assert!(reduce(&all(&calls)).findings.is_empty());
}

#[test]
fn reduction_a13_a_prefix_that_nobody_in_the_thread_has_shown_is_a_gap() {
    let shown_elsewhere = inference("r", 2).thread("other").chain(None, 5);
    let mut calls =
        vec![turn("r", 1), turn("r", 9).thread("other"), shown_elsewhere, inference("r", 3).chain(Some(5), 6)];
    let rollout = reduce(&all(&calls));
    assert_eq!(kinds(&rollout), [FindingKind::Gap]);
    assert_eq!(rollout.findings[0].call, Some(inference("r", 3).key()));
    // The one after it rejoins, and the gap closes when the missing request turns up, in whatever turn.
    calls.push(inference("r", 4).at(3, 4).chain(Some(6), 7));
    calls.extend([turn("r", 8).turn("before").at(0, 1), inference("r", 5).turn("before").at(0, 1).chain(None, 5)]);
    assert!(reduce(&all(&calls)).findings.is_empty());
}

#[test]
fn no_request_vouches_for_its_own_prefix() {
    let alone = [turn("r", 1), inference("r", 2).chain(Some(5), 5)];
    assert_eq!(kinds(&reduce(&all(&alone))), [FindingKind::Gap]);
    let retried = [turn("r", 1), inference("r", 2).chain(None, 5), inference("r", 3).chain(Some(5), 5)];
    assert!(reduce(&all(&retried)).findings.is_empty());
}

#[test]
fn a_sub_agent_hangs_under_the_call_that_started_it_by_parent_or_by_link() {
    let calls = [
        turn("r", 1).at(1, 9),
        tool("r", 2).at(2, 8).parent(1),
        turn("r", 3).thread("near").turn("n").at(3, 4).parent(2),
        turn("r", 4).thread("far").turn("f").at(3, 4).trace(2).link(1, 2, EdgeKind::Spawn),
    ];
    let rollout = reduce(&all(&calls));
    assert_eq!(rollout.root.as_deref(), Some("th"));
    assert_eq!(rollout.edges.len(), 2);
    for (thread, turn) in rollout.turns().filter(|(thread, _)| &*thread.id != "th") {
        assert_eq!(turn.spawned_by.as_ref().unwrap().call, Some(tool("r", 2).key()), "{}", thread.id);
    }
}

#[test]
fn an_edge_runs_from_what_the_link_points_to() {
    let calls = [turn("r", 1).turn("a").at(1, 2), turn("r", 2).turn("b").at(3, 4).link(1, 1, EdgeKind::Turn)];
    let rollout = reduce(&all(&calls));
    let edge = &rollout.edges[0];
    assert_eq!(edge.kind, Some(EdgeKind::Turn));
    assert_eq!(edge.from.node.as_ref().unwrap().turn, "a");
    assert_eq!(edge.to.node.as_ref().unwrap().turn, "b");
}

#[test]
fn reduction_a38_a_child_that_ends_leaves_its_rollout_open() {
    let child = turn("r", 3).thread("sub").at(3, 4).parent(2);
    let mut events = all(&[child, tool("r", 2).at(2, 5).parent(1)]);
    events.push(turn("r", 1).open());
    assert_eq!(reduce(&events).outcome, None);
    events.push(turn("r", 1).at(1, 9).close());
    assert_eq!(reduce(&events).outcome, Some(veilspan::event::Outcome::Completed));
}

#[test]
fn tokens_that_nobody_told_of_are_missing_and_the_others_are_summed() {
    let rollout = reduce(&all(&[turn("r", 1), inference("r", 2), inference("r", 3).tokens(300, 20)]));
    assert_eq!((rollout.totals.input_tokens, rollout.totals.reasoning_tokens), (Some(300), None));
    assert_eq!(rollout.totals.inference_nanos, 2 * SECOND);
}

#[test]
fn a_call_told_open_without_and_then_with_digests_is_no_conflict() {
    let full = inference("r", 2).chain(None, 5);
    let open = inference("r", 2);
    let rollout = reduce(&[all(&[turn("r", 1), full]), vec![open.open()]].concat());
    assert!(rollout.findings.is_empty());
    assert_eq!(rollout.threads[0].turns[0].inferences().next().unwrap().input.chain, Some(digest(5)));
}

#[test]
fn reduction_a10_two_requests_under_one_key_are_a_conflict_and_the_first_stands() {
    let calls = [turn("r", 1), inference("r", 2).chain(None, 5), inference("r", 2).at(2, 3).chain(None, 6)];
    let rollout = reduce(&all(&calls));
    assert_eq!(kinds(&rollout), [FindingKind::Conflict]);
    assert_eq!(rollout.threads[0].turns[0].inferences().next().unwrap().input.chain, Some(digest(5)));
}

#[test]
fn reduction_a11_and_b30_events_of_an_unknown_kind_are_reported_by_name() {
    let mut events = turn("r", 1).both();
    for (time, name) in [(3, "later"), (4, "later"), (4, "latest")] {
        let mut unknown = turn("r", 1).at(time, time).open();
        unknown.kind = veilspan::event::Kind::Unknown { name: text(name) };
        events.push(unknown);
    }
    let rollout = reduce(&events);
    let told: Vec<_> = rollout.findings.iter().map(|found| (found.actual.as_deref().unwrap(), found.count)).collect();
    assert_eq!(told, [("later", 2), ("latest", 1)]);
}

#[test]
fn a30_a_change_to_a_graph_is_not_seen_by_the_next_reader() {
    let facts = facts(&all(&[turn("r", 1)]));
    let mut first = facts.derive();
    first[0].threads.clear();
    assert_eq!(facts.derive()[0].threads.len(), 1);
}
