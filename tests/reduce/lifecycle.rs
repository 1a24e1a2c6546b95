//! Approvals, placeholders, delegated calls, admission.

use veilspan::event::Outcome::{Cancelled, Completed, Denied, Disconnected, Failed};
use veilspan::event::{CallKind, Event, Veiled};
use veilspan::reduce::{Counter, Effect, Finding, FindingKind, Reducer, ToolCall, Turn};
use veilspan::semconv::{
    ADMISSION, APPROVAL_DECISION, APPROVAL_INDEX, CONNECTION_ID, ERROR_KIND, TEMPERATURE, TOOL_CALL_ID, TOOL_NAME,
};

use super::events::*;

fn approval(number: u64, from: u64, to: u64, decision: &str, index: i64) -> Call {
    let mut approval = of_kind(CallKind::Approval, "r", number).at(from, to);
    approval.opened.set(APPROVAL_INDEX, index);
    approval.closed.set(APPROVAL_DECISION, text(decision));
    approval
}

fn the_turn(events: &[Event<Veiled>]) -> (Turn, Vec<Finding>) {
    let rollout = reduce(events);
    assert_eq!(rollout.threads[0].turns.len(), 1);
    (rollout.threads[0].turns[0].clone(), rollout.findings)
}

fn decisions(turn: &Turn) -> Vec<Option<&str>> {
    turn.approvals().map(|approval| approval.call.attrs.text(APPROVAL_DECISION)).collect()
}

fn tools(turn: &Turn) -> Vec<&ToolCall> {
    turn.tool_calls().collect()
}

#[test]
fn a07_an_approved_call_is_one_turn_of_two_segments_and_one_wait() {
    let calls = [
        turn("r", 1).at(1, 3).outcome(None),
        approval(2, 3, 63, "approved", 0),
        turn("r", 3).at(63, 70).segment(1).trace(2),
        tool("r", 4).at(64, 65).parent(3).trace(2),
    ];
    let (turn, findings) = the_turn(&all(&calls));
    assert_eq!((turn.segments.len(), turn.outcome), (2, Some(Completed)));
    assert_eq!((turn.totals.wait_nanos, decisions(&turn)), (60 * SECOND, vec![Some("approved")]));
    assert_eq!(turn.segments[1].tool_calls.len(), 1);
    assert!(findings.is_empty());
}

#[test]
fn a09_a_denied_call_is_no_error() {
    let calls = [
        turn("r", 1).at(1, 9),
        approval(2, 2, 4, "denied", 0),
        tool("r", 3).at(4, 5).outcome(Denied),
        tool("r", 4).at(5, 6).outcome(Failed),
    ];
    let (turn, _) = the_turn(&all(&calls));
    assert_eq!((turn.outcome, turn.totals.errors, decisions(&turn)), (Some(Completed), 1, vec![Some("denied")]));
}

#[test]
fn a10_a_wait_ends_with_its_cancelled_turn_and_a_later_decision_changes_nothing() {
    let mut events = turn("r", 1).at(1, 5).outcome(Cancelled).both();
    events.push(approval(2, 3, 0, "", 0).open());
    let (turn, _) = the_turn(&events);
    let wait = turn.approvals().next().unwrap();
    assert_eq!((wait.call.outcome, wait.call.end_inferred, wait.call.late), (Some(Cancelled), true, false));
    events.push(approval(2, 3, 9, "approved", 0).close());
    let (turn, _) = the_turn(&events);
    let wait = turn.approvals().next().unwrap();
    assert_eq!((turn.outcome, wait.call.outcome, wait.call.late), (Some(Cancelled), Some(Cancelled), true));
}

#[test]
fn a06_and_a36_an_end_that_says_done_while_a_person_decides_ends_nothing() {
    let mut events = turn("r", 1).at(1, 3).both();
    events.push(approval(2, 2, 0, "", 0).open());
    let (turn_of, findings) = the_turn(&events);
    assert_eq!((turn_of.outcome, turn_of.ended_at, turn_of.waiting), (None, None, true));
    assert!(findings.is_empty());
    // The same where the end itself says what it waits for.
    let (turn, _) = the_turn(&turn("r", 1).at(1, 3).finish("awaiting_approval").both());
    assert_eq!((turn.outcome, turn.ended_at, turn.waiting), (None, None, true));
}

#[test]
fn a12_a_placeholder_and_the_result_after_it_are_one_call() {
    let mut stopped = tool("r", 2).at(2, 3).outcome(Failed);
    stopped.closed.set(ERROR_KIND, text("approval_required"));
    let real = tool("r", 2).at(2, 9);
    let (turn, findings) = the_turn(&[turn("r", 1).at(1, 20).both(), stopped.both(), real.both()].concat());
    assert_eq!((tools(&turn).len(), tools(&turn)[0].placeholders), (1, 1));
    assert_eq!((tools(&turn)[0].call.outcome, turn.totals.errors), (Some(Completed), 0));
    assert!(findings.is_empty());
}

#[test]
fn a12_a_placeholder_told_by_a_span_of_its_own_is_folded_into_the_call_that_went_on() {
    let with_id = |mut call: Call| {
        call.opened.set(TOOL_CALL_ID, text("call-1"));
        call
    };
    let mut stopped = with_id(tool("r", 2).at(2, 3).outcome(Failed));
    stopped.closed.set(ERROR_KIND, text("approval_required"));
    let real = with_id(tool("r", 3).at(8, 9));
    let (turn, _) = the_turn(&all(&[turn("r", 1).at(1, 20), stopped, real.clone()]));
    assert_eq!((tools(&turn).len(), tools(&turn)[0].call.key), (1, real.key()));
    assert_eq!((tools(&turn)[0].placeholders, turn.totals.errors), (1, 0));
}

#[test]
fn a13_a_second_wait_after_a_resume_leaves_the_turn_open() {
    let mut events = all(&[
        turn("r", 1).at(1, 3).outcome(None),
        approval(2, 3, 10, "approved", 0),
        turn("r", 3).at(10, 12).segment(1).outcome(None),
    ]);
    events.push(approval(4, 12, 0, "", 1).open());
    let (turn, _) = the_turn(&events);
    let indexes: Vec<_> = turn.approvals().map(|approval| approval.call.attrs.get(APPROVAL_INDEX)).collect();
    assert_eq!((indexes, turn.outcome, turn.waiting), (vec![Some(0), Some(1)], None, true));
}

fn delegated(number: u64, connection: &str, id: &str) -> Call {
    let mut call = tool("r", number);
    call.opened.set(CONNECTION_ID, text(connection));
    call.opened.set(TOOL_CALL_ID, text(id));
    call
}

#[test]
fn a14_one_id_in_two_turns_of_one_connection_is_two_calls() {
    let one = delegated(2, "c-1", "synthetic-bash-0-0");
    let other = delegated(3, "c-1", "synthetic-bash-0-0").turn("other");
    let events = all(&[turn("r", 1), turn("r", 9).turn("other").at(3, 4), one, other]);
    let rollout = reduce(&events);
    assert_eq!(rollout.totals.tool_calls, 2);
    assert!(rollout.turns().all(|(_, turn)| turn.tool_calls().count() == 1));
}

#[test]
fn a16_one_id_for_two_tools_is_two_calls_and_for_one_tool_two_uses() {
    let named = |number: u64, from: u64, name: &str| {
        let mut call = delegated(number, "c-1", "call-1").at(from, from + 1);
        call.opened.set(TOOL_NAME, text(name));
        call
    };
    let calls = [turn("r", 1).at(1, 9), named(2, 2, "add"), named(3, 2, "sub"), named(4, 3, "add")];
    let (turn, _) = the_turn(&all(&calls));
    let uses: Vec<_> = tools(&turn)
        .iter()
        .map(|tool| (tool.call.attrs.text(TOOL_NAME).unwrap().to_owned(), tool.occurrence))
        .collect();
    assert_eq!(uses, [("add".to_owned(), 0), ("sub".to_owned(), 0), ("add".to_owned(), 1)]);
}

fn rejected(change: impl Fn(&mut Call), kind: FindingKind) {
    let call = delegated(2, "c-1", "call-1");
    let mut wrong = call.clone();
    change(&mut wrong);
    let mut events = [turn("r", 1).at(1, 9).both(), vec![call.open(), wrong.close()]].concat();
    let (turn, findings) = the_turn(&events);
    assert_eq!(tools(&turn)[0].call.closed_at, None, "it is still open");
    assert_eq!(tools(&turn)[0].result.digest, None);
    assert_eq!(findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(), [kind]);
    events.push(call.close());
    let (turn, _) = the_turn(&events);
    assert_eq!(tools(&turn)[0].call.outcome, Some(Completed));
}

#[test]
fn a17_a_result_from_another_connection_is_rejected_and_the_call_stays_open() {
    rejected(|call| call.closed.set(CONNECTION_ID, text("c-2")), FindingKind::ForeignConnection);
}

#[test]
fn a18_a_result_that_names_another_tool_is_rejected_and_the_call_stays_open() {
    rejected(|call| call.closed.set(TOOL_NAME, text("sub")), FindingKind::ToolMismatch);
}

#[test]
fn a21_what_was_pending_on_a_closed_connection_was_disconnected_and_nothing_else() {
    let calls = [
        turn("r", 1).at(1, 9),
        delegated(2, "c-1", "call-1").outcome(Disconnected),
        delegated(3, "c-1", "call-2").outcome(Disconnected),
        delegated(4, "c-2", "call-1"),
    ];
    let (turn, findings) = the_turn(&all(&calls));
    let outcomes: Vec<_> = tools(&turn).iter().map(|tool| tool.call.outcome.unwrap()).collect();
    assert_eq!(outcomes, [Disconnected, Disconnected, Completed]);
    assert!(findings.is_empty());
}

#[test]
fn a29_a_span_whose_parent_belongs_to_another_tenant_is_set_aside_and_counted() {
    let parent = turn("r", 1).tenant("one").at(1, 9);
    let child = tool("r", 2).tenant("two").parent(1);
    for events in [all(&[parent.clone(), child.clone()]), all(&[child.clone(), parent.clone()])] {
        let rollouts = facts(&events).derive();
        assert_eq!(rollouts.iter().map(|rollout| rollout.totals.tool_calls).collect::<Vec<_>>(), [0, 0]);
        assert_eq!(rollouts[1].findings[0].kind, FindingKind::TenantMismatch);
    }
    let mut live: Reducer = reducer();
    let effects = feed(&mut live, &[parent, child], 0);
    assert!(effects.contains(&Effect::Count(Counter::TenantMismatch, 1)));
}

#[test]
fn a31_a_parameter_that_is_gone_in_the_next_request_is_drift_and_not_zero() {
    let mut first = inference("r", 2).at(2, 3);
    first.opened.set(TEMPERATURE, 0.2);
    let calls = [turn("r", 1).at(1, 9), first, inference("r", 3).at(4, 5)];
    let (turn, findings) = the_turn(&all(&calls));
    let drift = &findings[0];
    assert_eq!((findings.len(), drift.kind), (1, FindingKind::ParameterDrift));
    assert_eq!(drift.subject.as_deref(), Some("gen_ai.request.temperature"));
    assert_eq!((drift.expected.as_deref(), drift.actual.as_deref()), (Some("0.2"), None));
    assert_eq!(turn.inferences().nth(1).unwrap().call.attrs.get(TEMPERATURE), None);
}

#[test]
fn a35_an_input_that_was_turned_away_is_an_admission_and_no_turn() {
    let mut busy = of_kind(CallKind::Admission, "r", 5).turn("never").at(2, 2).outcome(Failed);
    busy.closed.set(ADMISSION, text("busy"));
    let rollout = reduce(&all(&[turn("r", 1).at(1, 9), busy]));
    assert_eq!(rollout.threads[0].turns.len(), 1);
    let admission = &rollout.threads[0].admissions[0];
    assert_eq!(admission.call.attrs.text(ADMISSION), Some("busy"));
    assert!(rollout.findings.is_empty());
}

#[test]
fn a04_a_stop_that_was_asked_for_after_the_end_changes_nothing_and_is_told_of() {
    let asked = of_kind(CallKind::Cancel, "r", 5).at(6, 6);
    let (turn, findings) = the_turn(&all(&[turn("r", 1).at(1, 5), asked]));
    assert_eq!((turn.outcome, findings[0].kind), (Some(Completed), FindingKind::Cancel));
}

#[test]
fn a24_a_turn_that_was_asked_to_stop_and_never_told_its_end_was_cancelled() {
    let mut events = vec![turn("r", 1).open()];
    events.extend(of_kind(CallKind::Cancel, "r", 5).at(6, 6).both());
    let mut facts = facts(&events);
    facts.rollouts_mut().for_each(|facts| facts.close(veilspan::reduce::Reason::Idle));
    let turn = facts.derive()[0].threads[0].turns[0].clone();
    assert_eq!((turn.outcome, turn.end_inferred), (Some(Cancelled), true));
}

/// The call of a model that was sent this text.
fn said(mut call: Call, byte: u8) -> Call {
    call.input.items = vec![veilspan::event::Item {
        digest: Some(digest(byte)),
        role: veilspan::event::Role::User,
        length: Some(200),
        part_kinds: text("text"),
    }];
    call
}

#[test]
fn content_of_one_thread_in_another_that_nothing_passed_to_is_a_leak() {
    let calls = [
        turn("r", 1).thread("one").turn("a").at(1, 9),
        turn("r", 2).thread("two").turn("b").at(1, 9),
        said(inference("r", 3).thread("one").turn("a").at(2, 3), 7),
        said(inference("r", 4).thread("two").turn("b").at(4, 5), 7),
    ];
    let rollout = reduce(&all(&calls));
    let leak = &rollout.findings[0];
    assert_eq!((rollout.findings.len(), leak.kind), (1, FindingKind::Leak));
    assert_eq!((leak.thread.as_deref(), leak.actual.as_deref()), (Some("two"), Some("one")));
    // What one agent was handed by the other it may show.
    let mut handed = calls.clone();
    handed[1] = handed[1].clone().link(1, 1, veilspan::event::EdgeKind::Spawn);
    assert!(reduce(&all(&handed)).findings.is_empty());
}

#[test]
fn what_an_agent_gives_to_those_that_it_starts_is_no_leak() {
    let child =
        |number: u64, name: &str, parent: u64| turn("r", number).thread(name).turn(name).at(2, 40).parent(parent);
    let asked = |number: u64, name: &str, from: u64| inference("r", number).thread(name).turn(name).at(from, from + 1);
    let root = [turn("r", 1).at(1, 50), tool("r", 2).at(1, 45).parent(1)];
    let leaks = |calls: &[Call]| {
        let rollout = reduce(&all(&[&root[..], calls].concat()));
        rollout.findings.iter().filter(|finding| finding.kind == FindingKind::Leak).count()
    };
    // The same task for two of them.
    let (one, two) = (child(3, "one", 2), child(4, "two", 2));
    assert_eq!(leaks(&[one.clone(), two.clone(), said(asked(5, "one", 3), 7), said(asked(6, "two", 4), 7)]), 0);
    // What one of them came to show only later is not what it was given.
    let later = [asked(5, "one", 3), said(asked(7, "one", 5), 7), said(asked(6, "two", 6), 7)];
    assert_eq!(leaks(&[&[one.clone(), two][..], &later].concat()), 1);
    // What the root was told and handed down.
    let helper = [tool("r", 8).thread("one").turn("one").at(3, 30).parent(3), child(9, "deep", 8)];
    let told = [said(inference("r", 10).at(1, 2), 7), said(asked(11, "deep", 9), 7)];
    assert_eq!(leaks(&[&[one][..], &helper, &told].concat()), 0);
}
