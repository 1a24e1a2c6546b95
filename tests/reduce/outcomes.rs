use veilspan::event::Outcome::{Abandoned, Cancelled, Completed, Denied, Failed};
use veilspan::event::{At, Outcome};
use veilspan::reduce::{FindingKind, Rollout, Turn};

use super::events::*;

/// The turn as these ends tell it, each with its second.
fn ended(ends: &[(Outcome, u64)]) -> (Rollout, Turn) {
    let events: Vec<_> =
        ends.iter().flat_map(|(outcome, to)| turn("r", 1).at(1, *to).outcome(*outcome).both()).collect();
    let rollout = reduce(&events);
    let turn = rollout.threads[0].turns[0].clone();
    (rollout, turn)
}

fn second(at: Option<At>) -> Option<u64> {
    at.map(|at| at.time_unix_nano / SECOND)
}

fn told(rollout: &Rollout) -> Vec<(FindingKind, Option<&str>, Option<&str>)> {
    rollout.findings.iter().map(|found| (found.kind, found.expected.as_deref(), found.actual.as_deref())).collect()
}

#[test]
fn a01_a_turn_cancelled_before_it_completed_is_cancelled_and_the_other_end_is_a_conflict() {
    let (rollout, turn) = ended(&[(Cancelled, 5), (Completed, 6)]);
    assert_eq!((turn.outcome, second(turn.ended_at)), (Some(Cancelled), Some(5)));
    assert_eq!(told(&rollout), [(FindingKind::Conflict, Some("cancelled"), Some("completed"))]);
}

#[test]
fn a02_the_order_of_arrival_changes_nothing() {
    let one = ended(&[(Cancelled, 5), (Completed, 6)]).0.serialise();
    let other = ended(&[(Completed, 6), (Cancelled, 5)]).0.serialise();
    assert_eq!(one, other);
}

#[test]
fn a03_a_turn_that_failed_before_it_completed_has_failed() {
    assert_eq!(ended(&[(Failed, 5), (Completed, 6)]).1.outcome, Some(Failed));
}

#[test]
fn a04_a_turn_that_completed_before_it_was_cancelled_has_completed() {
    let (rollout, turn) = ended(&[(Completed, 5), (Cancelled, 6)]);
    assert_eq!((turn.outcome, second(turn.ended_at)), (Some(Completed), Some(5)));
    assert_eq!(told(&rollout), [(FindingKind::Conflict, Some("completed"), Some("cancelled"))]);
}

#[test]
fn at_the_same_time_cancelled_counts_before_failed_before_completed() {
    assert_eq!(ended(&[(Completed, 5), (Failed, 5), (Cancelled, 5)]).1.outcome, Some(Cancelled));
    assert_eq!(ended(&[(Completed, 5), (Failed, 5)]).1.outcome, Some(Failed));
}

#[test]
fn a24_a_later_end_reopens_what_was_abandoned_and_nothing_else() {
    let (rollout, turn) = ended(&[(Abandoned, 5), (Completed, 6)]);
    assert_eq!(turn.outcome, Some(Completed));
    assert!(rollout.findings.is_empty());
}

#[test]
fn a24_a_segment_after_an_abandoned_one_opens_the_turn_again() {
    let mut events = turn("r", 1).at(1, 5).outcome(Abandoned).both();
    events.push(turn("r", 2).at(9, 10).segment(1).open());
    let turn = &reduce(&events).threads[0].turns[0];
    assert_eq!((turn.outcome, turn.waiting), (None, false));
}

#[test]
fn a06_a_segment_that_ends_in_a_wait_is_no_end_of_its_turn() {
    let waiting = turn("r", 1).outcome(None);
    let rollout = reduce(&[waiting.both(), waiting.both()].concat());
    let turn = &rollout.threads[0].turns[0];
    assert_eq!((turn.outcome, turn.ended_at, turn.waiting), (None, None, true));
    assert!(rollout.findings.is_empty());
}

#[test]
fn a08_segments_in_two_traces_are_one_turn_and_it_ends_with_the_last() {
    let first = turn("r", 1).at(1, 3).outcome(None);
    let second_one = turn("r", 2).at(60, 61).segment(1).trace(2);
    let asked = inference("r", 3).at(1, 2).parent(1);
    let answered = inference("r", 4).at(60, 61).parent(2).trace(2);
    let rollout = reduce(&all(&[first, second_one, asked, answered]));
    let turn = &rollout.threads[0].turns[0];
    assert_eq!((turn.outcome, second(turn.ended_at)), (Some(Completed), Some(61)));
    let shape: Vec<_> = turn.segments.iter().map(|segment| (segment.index, segment.inferences.len())).collect();
    assert_eq!(shape, [(0, 1), (1, 1)]);
    assert!(rollout.findings.is_empty());
}

#[test]
fn a09_a_denied_tool_leaves_its_turn_completed() {
    let rollout = reduce(&all(&[turn("r", 1), tool("r", 2).outcome(Denied)]));
    let turn = &rollout.threads[0].turns[0];
    assert_eq!(turn.outcome, Some(Completed));
    assert_eq!(turn.tool_calls().next().unwrap().call.outcome, Some(Denied));
}

#[test]
fn reduction_a21_a_cancelled_turn_cancels_its_open_inference_and_no_tool() {
    let mut events = turn("r", 1).at(1, 5).outcome(Cancelled).both();
    events.extend([inference("r", 2).at(2, 0).open(), tool("r", 3).at(2, 0).open()]);
    let turn = &reduce(&events).threads[0].turns[0];
    let inference = &turn.inferences().next().unwrap().call;
    assert_eq!((inference.outcome, inference.end_inferred), (Some(Cancelled), true));
    assert_eq!(inference.closed_at, turn.ended_at);
    assert_eq!(turn.tool_calls().next().unwrap().call.closed_at, None);
}

#[test]
fn reduction_a22_a_late_end_does_not_change_an_inference_that_failed_with_its_turn_but_its_answer_is_kept() {
    let ended = turn("r", 1).at(1, 5).outcome(Failed);
    let partial = inference("r", 2).at(2, 7).outcome(Cancelled).answer(7);
    let rollout = reduce(&all(&[ended, partial]));
    let inference = rollout.threads[0].turns[0].inferences().next().unwrap();
    assert_eq!((inference.call.outcome, second(inference.call.closed_at)), (Some(Failed), Some(5)));
    let number = inference.output.items.iter().next().unwrap();
    assert_eq!(rollout.threads[0].items[number as usize].item.digest, Some(digest(7)));
    assert_eq!(inference.call.conflicts[0].outcome, Cancelled);
}

#[test]
fn a23_a_tool_that_ends_after_its_cancelled_turn_is_late_and_changes_nothing() {
    let rollout = reduce(&all(&[turn("r", 1).at(1, 5).outcome(Cancelled), tool("r", 2).at(2, 7)]));
    let turn = &rollout.threads[0].turns[0];
    let tool = &turn.tool_calls().next().unwrap().call;
    assert_eq!((turn.outcome, tool.outcome, tool.late), (Some(Cancelled), Some(Completed), true));
    assert_eq!(rollout.totals.late, 1);
}

#[test]
fn b27_a_tool_that_runs_when_its_turn_completes_stays_open_until_its_rollout_closes() {
    let mut events = turn("r", 1).both();
    events.push(tool("r", 2).open());
    let mut facts = facts(&events);
    let open = facts.derive();
    assert_eq!(open[0].threads[0].turns[0].tool_calls().next().unwrap().call.outcome, None);
    facts.rollouts_mut().for_each(|facts| facts.close(veilspan::reduce::Reason::Idle));
    let closed = facts.derive();
    let tool = &closed[0].threads[0].turns[0].tool_calls().next().unwrap().call;
    assert_eq!((tool.outcome, tool.end_inferred, tool.closed_at), (Some(Abandoned), true, None));
}
