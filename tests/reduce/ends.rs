//! More of the rules of turns and their ends: other orders, other kinds of calls, other processes.

use veilspan::event::Outcome::{Abandoned, Cancelled, Completed, Disconnected, Failed, Timeout};
use veilspan::event::{CallKind, Event, Outcome, Veiled};
use veilspan::reduce::{FindingKind, Rollout, Turn};
use veilspan::semconv::{APPROVAL_DECISION, ERROR_KIND, TOOL_CALL_ID, TOOL_NAME};

use super::events::*;

fn ended(ends: &[(Outcome, u64)]) -> Turn {
    let told = ends.iter().flat_map(|(outcome, to)| turn("r", 1).at(1, *to).outcome(*outcome).both());
    only_turn(&told.collect::<Vec<_>>())
}

fn only_turn(events: &[Event<Veiled>]) -> Turn {
    let rollout = reduce(events);
    assert_eq!(rollout.threads[0].turns.len(), 1);
    rollout.threads[0].turns[0].clone()
}

fn kinds(rollout: &Rollout) -> Vec<FindingKind> {
    rollout.findings.iter().map(|finding| finding.kind).collect()
}

fn seconds(turn: &Turn) -> Option<u64> {
    turn.ended_at.map(|at| at.time_unix_nano / SECOND)
}

fn approval(number: u64, from: u64, to: u64, decision: &str) -> Call {
    let mut approval = of_kind(CallKind::Approval, "r", number).at(from, to);
    approval.closed.set(APPROVAL_DECISION, text(decision));
    approval
}

fn decision(turn: &Turn) -> Option<String> {
    turn.approvals().next().and_then(|wait| wait.call.attrs.get(APPROVAL_DECISION)).map(|word| word.to_string())
}

#[test]
fn a01_every_terminal_sticks_whatever_comes_after_it() {
    let all = [Cancelled, Failed, Timeout, Disconnected, Completed];
    for first in all {
        for second in all.into_iter().filter(|second| *second != first) {
            let turn = ended(&[(first, 5), (second, 6)]);
            assert_eq!((turn.outcome, seconds(&turn)), (Some(first), Some(5)), "{first:?} then {second:?}");
        }
        assert_eq!(ended(&[(Abandoned, 5), (first, 6)]).outcome, Some(first));
        assert_eq!(ended(&[(first, 5), (Abandoned, 6)]).outcome, Some(first));
    }
}

#[test]
fn a02_three_ends_of_two_processes_are_settled_by_time() {
    let told = |outcome, to, producer| turn("r", 1).at(1, to).outcome(outcome).producer(producer).both();
    let turn = only_turn(&[told(Completed, 7, 1), told(Cancelled, 6, 2), told(Failed, 8, 1)].concat());
    assert_eq!((turn.outcome, seconds(&turn)), (Some(Cancelled), Some(6)));
}

#[test]
fn a06_a_segment_that_says_completed_is_no_end_where_another_one_follows() {
    let first = turn("r", 1).at(1, 3);
    let mut events = first.both();
    events.push(turn("r", 2).at(5, 0).segment(1).open());
    let turn = only_turn(&events);
    assert_eq!((turn.outcome, turn.ended_at, turn.waiting), (None, None, false));
}

#[test]
fn a08_the_last_segment_says_how_a_turn_ended() {
    for (last, waits) in [(Some(Failed), false), (Some(Cancelled), false), (Some(Completed), false), (None, true)] {
        let calls = [turn("r", 1).at(1, 3), turn("r", 2).at(5, 9).segment(1).trace(2).outcome(last)];
        let rollout = reduce(&all(&calls));
        let turn = &rollout.threads[0].turns[0];
        assert_eq!((turn.outcome, turn.waiting), (last, waits));
        assert_eq!(seconds(turn), last.map(|_| 9));
        assert!(rollout.findings.is_empty(), "{:?}", rollout.findings);
    }
}

#[test]
fn a08_a_segment_that_was_cancelled_or_failed_ends_its_turn_whatever_follows() {
    for first in [Cancelled, Failed, Timeout] {
        let calls = [turn("r", 1).at(1, 3).outcome(first), turn("r", 2).at(5, 9).segment(1)];
        assert_eq!(only_turn(&all(&calls)).outcome, Some(first));
    }
}

#[test]
fn a03_an_agent_that_fails_inside_of_another_one_of_the_same_turn_does_not_fail_the_turn() {
    let outer = turn("r", 1).at(1, 9);
    let inner = turn("r", 3).at(3, 5).parent(2).outcome(Failed);
    let calls = [outer, tool("r", 2).at(2, 6).parent(1), inner];
    let rollout = reduce(&all(&calls));
    assert_eq!(
        (rollout.threads[0].turns[0].outcome, seconds(&rollout.threads[0].turns[0])),
        (Some(Completed), Some(9))
    );
    assert!(rollout.findings.is_empty());
    // The outer one counts whatever the inner one says.
    let calls = [turn("r", 1).at(1, 9).outcome(Failed), turn("r", 3).at(3, 5).parent(1)];
    assert_eq!(only_turn(&all(&calls)).outcome, Some(Failed));
}

#[test]
fn reduction_a21_whatever_stops_a_turn_stops_the_request_that_it_waits_for() {
    for outcome in [Cancelled, Failed, Timeout, Disconnected] {
        let mut events = turn("r", 1).at(1, 5).outcome(outcome).both();
        events.push(inference("r", 2).at(2, 0).open());
        let turn = only_turn(&events);
        let inference = turn.inferences().next().unwrap();
        assert_eq!((inference.call.outcome, inference.call.end_inferred), (Some(outcome), true));
    }
    for outcome in [Completed, Abandoned] {
        let mut events = turn("r", 1).at(1, 5).outcome(outcome).both();
        events.push(inference("r", 2).at(2, 0).open());
        assert_eq!(only_turn(&events).inferences().next().unwrap().call.outcome, None, "{outcome:?}");
    }
}

#[test]
fn reduction_a21_at_the_same_time_the_count_of_the_process_says_what_came_first() {
    let ended = turn("r", 1).at(1, 5).outcome(Cancelled);
    let before = inference("r", 0).at(2, 5);
    let behind = inference("r", 2).at(2, 5);
    let of_another = inference("r", 3).at(2, 5).producer(2);
    let turn = only_turn(&all(&[ended, before, behind, of_another]));
    let outcomes: Vec<_> = turn.inferences().map(|one| (one.call.key, one.call.outcome)).collect();
    let of = |number| outcomes.iter().find(|(key, _)| *key == inference("r", number).key()).unwrap().1;
    assert_eq!((of(0), of(2), of(3)), (Some(Completed), Some(Cancelled), Some(Completed)));
}

#[test]
fn a23_a_late_request_costs_what_it_cost() {
    let late = inference("r", 2).at(2, 7).tokens(10, 5);
    let rollout = reduce(&all(&[turn("r", 1).at(1, 5).outcome(Cancelled), late, tool("r", 3).at(6, 9)]));
    assert_eq!((rollout.totals.input_tokens, rollout.totals.output_tokens), (Some(10), Some(5)));
    assert_eq!((rollout.totals.late, rollout.outcome), (2, Some(Cancelled)));
    assert_eq!(rollout.totals.tool_nanos, 3 * SECOND);
}

#[test]
fn a10_a_wait_that_its_turn_ended_was_cancelled_whatever_is_decided_later() {
    for outcome in [Cancelled, Failed] {
        let mut events = turn("r", 1).at(1, 5).outcome(outcome).both();
        events.push(approval(2, 3, 0, "").open());
        assert_eq!(decision(&only_turn(&events)).as_deref(), Some("cancelled"));
        events.push(approval(2, 3, 9, "approved").close());
        let turn = only_turn(&events);
        let wait = turn.approvals().next().unwrap();
        assert_eq!(decision(&turn).as_deref(), Some("cancelled"));
        assert_eq!((wait.call.outcome, wait.call.late), (Some(outcome), true));
        assert_eq!(wait.call.conflicts[0].outcome, Completed);
        assert_eq!(turn.totals.wait_nanos, 2 * SECOND);
    }
}

#[test]
fn a10_a_decision_before_the_cancel_stays_what_it_was() {
    let calls = [turn("r", 1).at(1, 5).outcome(Cancelled), approval(2, 2, 4, "approved")];
    let turn = only_turn(&all(&calls));
    assert_eq!(decision(&turn).as_deref(), Some("approved"));
    assert!(!turn.approvals().next().unwrap().call.end_inferred);
}

#[test]
fn a13_and_a36_done_ends_nothing_while_the_second_of_two_decisions_is_open() {
    let mut events = all(&[turn("r", 1).at(1, 9), approval(2, 2, 4, "approved")]);
    events.push(approval(3, 5, 0, "").open());
    let turn_of = only_turn(&events);
    assert_eq!((turn_of.outcome, turn_of.waiting), (None, true));
    events.push(approval(3, 5, 8, "denied").close());
    assert_eq!(only_turn(&events).outcome, Some(Completed), "both were decided before it ended");
}

#[test]
fn a07_three_segments_have_two_waits_and_their_times_are_summed() {
    let calls = [
        turn("r", 1).at(1, 3).outcome(None),
        approval(2, 3, 10, "approved"),
        turn("r", 3).at(10, 12).segment(1).outcome(None),
        approval(4, 12, 32, "approved"),
        turn("r", 5).at(32, 40).segment(2),
    ];
    let turn = only_turn(&all(&calls));
    assert_eq!((turn.segments.len(), turn.totals.wait_nanos, seconds(&turn)), (3, 27 * SECOND, Some(40)));
}

fn stopped(number: u64, from: u64) -> Call {
    let mut stopped = with_id(tool("r", number).at(from, from + 1).outcome(Failed), "call-1");
    stopped.closed.set(ERROR_KIND, text("approval_required"));
    stopped
}

fn with_id(mut call: Call, id: &str) -> Call {
    call.opened.set(TOOL_CALL_ID, text(id));
    call
}

#[test]
fn a12_a_call_that_stopped_twice_is_one_call_with_two_placeholders() {
    let calls = [turn("r", 1).at(1, 20), stopped(2, 2), stopped(3, 5), with_id(tool("r", 4).at(9, 10), "call-1")];
    let turn = only_turn(&all(&calls));
    let tools: Vec<_> = turn.tool_calls().collect();
    assert_eq!((tools.len(), tools[0].placeholders, turn.totals.errors), (1, 2, 0));
}

#[test]
fn a12_a_placeholder_of_one_segment_and_the_result_in_the_next_are_one_call() {
    let calls = [
        turn("r", 1).at(1, 4).outcome(None),
        stopped(2, 2).parent(1),
        turn("r", 3).at(8, 20).segment(1),
        with_id(tool("r", 4).at(9, 10).parent(3), "call-1"),
    ];
    let turn = only_turn(&all(&calls));
    assert_eq!((turn.tool_calls().count(), turn.segments[1].tool_calls.len(), turn.totals.errors), (1, 1, 0));
}

#[test]
fn a12_a_placeholder_of_another_id_or_tool_is_folded_into_nothing() {
    for other in [with_id(tool("r", 4).at(9, 10), "call-2"), {
        let mut other = with_id(tool("r", 4).at(9, 10), "call-1");
        other.opened.set(veilspan::semconv::TOOL_NAME, text("sub"));
        other
    }] {
        assert_eq!(only_turn(&all(&[turn("r", 1).at(1, 20), stopped(2, 2), other])).tool_calls().count(), 2);
    }
}

#[test]
fn a08_segments_of_processes_whose_clocks_disagree_follow_one_another_by_their_numbers() {
    let waits = || turn("r", 1).at(20, 23).outcome(None);
    let wait = || approval(9, 23, 30, "approved").parent(1);
    let goes_on = |outcome| turn("r", 2).trace(2).producer(2).at(4, 6).segment(1).outcome(outcome);
    let told = |calls: &[Call]| only_turn(&all(calls));
    let turn = told(&[waits(), wait(), goes_on(Some(Completed))]);
    assert_eq!((turn.outcome, seconds(&turn), turn.waiting), (Some(Completed), Some(6), false));
    // One that ended while by its own clock the first had not stopped, and one that says too early that it completed.
    let slow = goes_on(Some(Completed)).at(24, 26);
    assert_eq!(told(&[waits(), wait(), slow]).outcome, Some(Completed));
    let turn = told(&[waits().outcome(Completed), wait(), goes_on(None)]);
    assert_eq!((turn.outcome, turn.waiting), (None, true), "the last of them waits");
    // A wait of the last segment holds it all the same.
    let again = approval(8, 5, 9, "approved").parent(2).trace(2);
    assert_eq!(told(&[waits(), wait(), goes_on(Some(Completed)), again]).outcome, None);
}

#[test]
fn a09_a_call_that_stopped_and_was_refused_then_was_denied_and_is_no_error() {
    let denial = |id: Option<&str>, from: u64| {
        let mut denial = approval(9, from, from + 2, "denied").outcome(Outcome::Denied);
        denial.opened.set(TOOL_NAME, text("add"));
        id.into_iter().for_each(|id| denial.opened.set(TOOL_CALL_ID, text(id)));
        denial
    };
    let waits = || with_id(tool("r", 2).at(2, 3).outcome(None), "call-1");
    let goes_on = || turn("r", 3).at(6, 20).segment(1).trace(2).producer(2);
    for (stopped, denial) in [(stopped(2, 2), denial(Some("call-1"), 3)), (waits(), denial(None, 3))] {
        let turn = only_turn(&all(&[turn("r", 1).at(1, 4).outcome(None), stopped, denial, goes_on()]));
        let tool = turn.tool_calls().next().unwrap();
        assert_eq!((turn.outcome, tool.call.outcome, turn.totals.errors), (Some(Completed), Some(Outcome::Denied), 0));
        assert_eq!(tool.call.closed_at, turn.approvals().next().unwrap().call.closed_at);
    }
    // Not one of another id, nor one that returned.
    for (call, outcome) in [(with_id(waits(), "call-2"), None), (with_id(tool("r", 2), "call-1"), Some(Completed))] {
        let turn = only_turn(&all(&[turn("r", 1).at(1, 4).outcome(None), call, denial(Some("call-1"), 3), goes_on()]));
        assert_eq!(turn.tool_calls().next().unwrap().call.outcome, outcome);
    }
}

#[test]
fn b27_a_code_cell_that_was_given_up_has_answered_nobody() {
    let given_up = of_kind(CallKind::CodeCell, "r", 2).at(2, 9).outcome(Abandoned);
    let rollout = reduce(&all(&[turn("r", 1).at(1, 4), given_up]));
    let cell = &rollout.threads[0].turns[0].segments[0].code_cells[0];
    assert_eq!((cell.call.outcome, cell.responded_at), (Some(Abandoned), None));
    let state = rollout.to_codex_state();
    let cell = state["code_cells"].as_object().unwrap().values().next().unwrap();
    assert_eq!(
        (&cell["runtime_status"], &cell["initial_response_seq"]),
        (&"starting".into(), &serde_json::Value::Null)
    );
}

#[test]
fn a26_a_long_turn_overlaps_with_each_that_runs_meanwhile() {
    let calls = [
        turn("r", 1).turn("long").at(1, 10),
        turn("r", 2).turn("one").at(2, 3),
        turn("r", 3).turn("two").at(4, 5),
        turn("r", 4).turn("behind").at(10, 11),
    ];
    let rollout = reduce(&all(&calls));
    let found: Vec<_> = rollout.findings.iter().map(|one| one.turn.as_deref().unwrap()).collect();
    assert_eq!((found, kinds(&rollout)), (vec!["one", "two"], vec![FindingKind::Overlap; 2]));
}

#[test]
fn a25_a_history_that_another_thread_has_shown_is_none_of_this_one() {
    let calls = [
        turn("r", 1).thread("one").turn("a").at(1, 9),
        turn("r", 2).thread("two").turn("b").at(1, 9),
        inference("r", 3).thread("one").turn("a").at(2, 3).chain(None, 1),
        inference("r", 4).thread("two").turn("b").at(3, 4).chain(Some(1), 2),
    ];
    assert_eq!(kinds(&reduce(&all(&calls))), [FindingKind::Gap]);
}
