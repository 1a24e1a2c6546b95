//! More of the rules of what is kept apart: ids that repeat, connections, tenants, parameters.

use veilspan::event::CallKind;
use veilspan::event::Outcome::{Completed, Disconnected};
use veilspan::reduce::{Counter, Effect, FindingKind, Reducer, Rollout};
use veilspan::semconv::{
    ADMISSION, AGENT_NAME, CONNECTION_ID, REQUEST_MODEL, SEED, TEMPERATURE, TOOL_CALL_ID, TOOL_NAME,
};

use super::events::*;

fn kinds(rollout: &Rollout) -> Vec<FindingKind> {
    rollout.findings.iter().map(|finding| finding.kind).collect()
}

fn delegated(number: u64, connection: &str, id: &str) -> Call {
    let mut call = tool("r", number);
    call.opened.set(CONNECTION_ID, text(connection));
    call.opened.set(TOOL_CALL_ID, text(id));
    call
}

#[test]
fn a14_one_id_in_two_threads_and_in_two_rollouts_is_as_many_calls() {
    let mut calls = vec![turn("r", 1), turn("r", 2).thread("other")];
    calls.extend([delegated(3, "c", "bash-0"), delegated(4, "c", "bash-0").thread("other")]);
    let mut elsewhere = delegated(5, "c", "bash-0");
    elsewhere.path[0] = text("another");
    calls.push(elsewhere);
    let rollouts = facts(&all(&calls)).derive();
    assert_eq!(rollouts.iter().map(|rollout| rollout.totals.tool_calls).collect::<Vec<_>>(), [1, 2]);
    assert!(
        rollouts.iter().flat_map(Rollout::turns).all(|(_, turn)| turn.tool_calls().all(|tool| tool.occurrence == 0))
    );
}

#[test]
fn a16_uses_of_one_id_are_numbered_by_their_time_whatever_their_order() {
    let used = |number: u64, from: u64| delegated(number, "c", "call-1").at(from, from + 1);
    let rollout = reduce(&all(&[turn("r", 1).at(1, 9), used(4, 2), used(3, 4), used(2, 6)]));
    let uses: Vec<_> = rollout.threads[0].turns[0].tool_calls().map(|tool| (tool.call.key, tool.occurrence)).collect();
    assert_eq!(uses, [(used(4, 2).key(), 0), (used(3, 4).key(), 1), (used(2, 6).key(), 2)]);
}

#[test]
fn a16_uses_of_one_id_are_numbered_in_each_segment_by_itself() {
    let used = |number: u64, from: u64| delegated(number, "c", "call-1").at(from, from + 1);
    let calls = [
        turn("r", 1).at(1, 9).segment(0).outcome(None),
        used(2, 2),
        used(3, 4),
        turn("r", 4).at(20, 29).segment(1),
        used(5, 21),
    ];
    let rollout = reduce(&all(&calls));
    let segments = &rollout.threads[0].turns[0].segments;
    let uses = segments.iter().map(|segment| segment.tool_calls.iter().map(|tool| tool.occurrence).collect());
    assert_eq!(uses.collect::<Vec<Vec<u32>>>(), [vec![0, 1], vec![0]]);
}

#[test]
fn a17_two_strangers_and_the_right_one_leave_two_findings_and_one_result() {
    let call = delegated(2, "c-1", "call-1");
    let mut events = [turn("r", 1).at(1, 9).both(), vec![call.open()]].concat();
    for (connection, second) in [("c-2", 3), ("c-3", 4), ("c-1", 5)] {
        let mut answer = call.clone().at(1, second);
        answer.closed.set(CONNECTION_ID, text(connection));
        events.push(answer.close());
    }
    let rollout = reduce(&events);
    let tool = rollout.threads[0].turns[0].tool_calls().next().unwrap();
    assert_eq!((tool.call.outcome, tool.call.closed_at.unwrap().time_unix_nano), (Some(Completed), 5 * SECOND));
    assert_eq!(kinds(&rollout), [FindingKind::ForeignConnection; 2]);
    let strangers: Vec<_> = rollout.findings.iter().map(|finding| finding.actual.as_deref().unwrap()).collect();
    assert_eq!(strangers, ["c-2", "c-3"]);
}

#[test]
fn a21_a_connection_that_closes_leaves_what_it_had_answered() {
    let calls = [
        turn("r", 1).at(1, 9),
        delegated(2, "c-1", "call-1").at(2, 3),
        delegated(3, "c-1", "call-2").at(2, 5).outcome(Disconnected),
        delegated(4, "c-2", "call-2").at(2, 6),
    ];
    let rollout = reduce(&all(&calls));
    let outcomes: Vec<_> = rollout.threads[0].turns[0].tool_calls().map(|tool| tool.call.outcome.unwrap()).collect();
    assert_eq!(outcomes, [Completed, Disconnected, Completed]);
    assert_eq!((rollout.totals.errors, rollout.outcome), (1, Some(Completed)));
}

#[test]
fn a28_no_tenant_is_a_tenant_of_its_own() {
    let calls = [turn("r", 1), turn("r", 1).tenant("one"), turn("r", 1).tenant("two"), tool("r", 2).tenant("two")];
    let rollouts = facts(&all(&calls)).derive();
    let told: Vec<_> = rollouts.iter().map(|one| (one.tenant.as_deref(), one.totals.tool_calls)).collect();
    assert_eq!(told, [(None, 0), (Some("one"), 0), (Some("two"), 1)]);
    assert!(rollouts.iter().all(|rollout| rollout.findings.is_empty()));
}

fn mismatches(reducer: &mut Reducer, calls: &[Call]) -> u64 {
    let counted = feed(reducer, calls, 0).into_iter().filter_map(|effect| match effect {
        Effect::Count(Counter::TenantMismatch, count) => Some(count),
        _ => None,
    });
    counted.sum()
}

#[test]
fn a29_a_live_reducer_sets_a_foreign_child_aside_whichever_of_the_two_comes_first() {
    let parent = turn("r", 1).tenant("one").at(1, 9);
    let children = [tool("r", 2).tenant("two").parent(1), tool("r", 3).tenant("one").parent(1)];
    let state = |calls: &[Call]| {
        let mut live = reducer();
        let counted = mismatches(&mut live, calls);
        let mut states: Vec<String> = live.rollouts().iter().map(Rollout::serialise).collect();
        states.sort_unstable();
        (counted, states)
    };
    let [foreign, own] = children;
    let first = state(&[parent.clone(), foreign.clone(), own.clone()]);
    let last = state(&[foreign.clone(), own.clone(), parent.clone()]);
    let twice = state(&[foreign.clone(), own, foreign, parent.clone(), parent]);
    assert_eq!(first.0, 1);
    assert_eq!((&first, &first), (&last, &twice));
    assert!(first.1.iter().any(|state| state.contains("tenant_mismatch")));
}

#[test]
fn a29_a_child_of_nobodys_span_and_one_of_its_own_tenants_are_set_aside_by_nobody() {
    let mut live = reducer();
    let calls = [
        turn("r", 1).at(1, 9),
        tool("r", 2).tenant("two").parent(1),
        turn("r", 3).tenant("two").at(1, 9),
        tool("r", 4).tenant("two").parent(3),
        tool("r", 5).tenant("two").parent(99),
    ];
    assert_eq!(mismatches(&mut live, &calls), 0);
}

fn asked(number: u64, model: &str, temperature: Option<f64>) -> Call {
    let mut asked = inference("r", number).at(number, number + 1);
    asked.opened.set(REQUEST_MODEL, text(model));
    if let Some(temperature) = temperature {
        asked.opened.set(TEMPERATURE, temperature);
    }
    asked
}

fn drift(calls: &[Call]) -> Vec<(Option<String>, Option<String>)> {
    let rollout = reduce(&all(&[&[turn("r", 1).at(1, 20)], calls].concat()));
    assert!(kinds(&rollout).iter().all(|kind| *kind == FindingKind::ParameterDrift));
    let word = |word: &Option<bytestring::ByteString>| word.as_ref().map(|word| word.to_string());
    rollout.findings.iter().map(|finding| (word(&finding.expected), word(&finding.actual))).collect()
}

#[test]
fn a31_drift_is_told_at_each_change_and_never_between_models_or_agents() {
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(drift(&[asked(2, "m", Some(0.2)), asked(4, "m", Some(0.3))]), [(some("0.2"), some("0.3"))]);
    assert_eq!(drift(&[asked(2, "m", None), asked(4, "m", Some(0.2))]), [(None, some("0.2"))]);
    assert_eq!(drift(&[asked(2, "m", Some(0.0)), asked(4, "m", None)]), [(some("0"), None)]);
    assert_eq!(drift(&[asked(2, "m", Some(0.2)), asked(4, "n", None), asked(6, "m", Some(0.2))]), []);
    let mut helper = asked(4, "m", None);
    helper.opened.set(AGENT_NAME, text("helper"));
    assert_eq!(drift(&[asked(2, "m", Some(0.2)), helper]), []);
    let mut seeded = [asked(2, "m", None), asked(4, "m", None)];
    seeded[0].opened.set(SEED, 1);
    seeded[1].opened.set(SEED, 2);
    assert_eq!(drift(&seeded), [(some("1"), some("2"))]);
}

#[test]
fn a31_the_parameters_of_two_turns_may_differ() {
    let calls = [
        turn("r", 1).at(1, 4),
        asked(2, "m", Some(0.2)),
        turn("r", 9).turn("next").at(5, 9),
        asked(6, "m", Some(0.9)).turn("next"),
    ];
    assert!(reduce(&all(&calls)).findings.is_empty());
}

#[test]
fn a35_an_input_that_was_turned_away_once_and_then_taken_is_both() {
    let mut busy = of_kind(CallKind::Admission, "r", 5).at(1, 1);
    busy.closed.set(ADMISSION, text("busy"));
    let rollout = reduce(&all(&[busy, turn("r", 1).at(2, 9)]));
    let thread = &rollout.threads[0];
    assert_eq!((thread.admissions.len(), thread.turns.len(), rollout.outcome), (1, 1, Some(Completed)));
    assert!(thread.turns[0].reported && rollout.findings.is_empty());
}

#[test]
fn a18_a_name_that_only_one_side_tells_is_no_other_tool() {
    let call = tool("r", 2);
    let mut silent = call.clone();
    silent.opened.remove(TOOL_NAME.id());
    silent.closed.set(TOOL_NAME, text("add"));
    let rollout = reduce(&[turn("r", 1).at(1, 9).both(), vec![silent.open(), silent.close()]].concat());
    assert_eq!(rollout.threads[0].turns[0].tool_calls().next().unwrap().call.outcome, Some(Completed));
    assert!(rollout.findings.is_empty());
}
