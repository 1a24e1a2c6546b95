//! Claude Code: what hooks know and no row of a transcript tells.

use serde_json::{Value, json};
use veilspan::event::{CallKind, Outcome};
use veilspan::import::claude::Session;
use veilspan::import::session::Set;
use veilspan::semconv::{APPROVAL_DECISION, END_INFERRED, TOOL_CALL_ID, TOOL_EXECUTION_MS};

use super::claude::drain;
use super::hooked::{at, hook, told, with};
use super::script::{Claude, SESSION};
use super::told::{All, Record, seconds, set};

const GRACE: u64 = 10_000_000_000;

pub fn alone(hooks: &[(f64, &str, Value)]) -> All {
    let mut session = Session::new(set(), SESSION);
    hooks.iter().for_each(|(second, name, more)| hook(&mut session, *second, name, more.clone()));
    session.leave(u64::MAX, 0);
    drain(&mut session)
}

/// The same of a session that is over.
pub fn over(hooks: &[(f64, &str, Value)]) -> All {
    let mut session = Session::new(set(), SESSION);
    hooks.iter().for_each(|(second, name, more)| hook(&mut session, *second, name, more.clone()));
    session.finish();
    drain(&mut session)
}

pub fn agent(id: &str) -> Value {
    json!({"tool_name": "Agent", "tool_input": {"prompt": "x"}, "tool_use_id": id})
}

pub fn of_agent(tool: Value, agent: &str) -> Value {
    with(tool, json!({"agent_id": agent, "agent_type": "Explore"}))
}

fn started(id: &str, by: &str) -> Value {
    with(agent(id), json!({"tool_response": {"agentId": by}}))
}

pub fn tool(id: &str) -> Value {
    json!({"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": id})
}

pub fn call<'a>(told: &'a All, id: &str) -> &'a Record {
    let [one] = told
        .of(CallKind::Tool)
        .into_iter()
        .filter(|call| call.opened.attrs.text(TOOL_CALL_ID) == Some(id))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    one
}

fn turn(told: &All, place: usize) -> &Record {
    told.of(CallKind::Turn)[place]
}

#[test]
fn t14_a_tool_that_only_hooks_saw_begin_is_abandoned_at_the_end_of_its_turn() {
    let told = alone(&[
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (3.0, "PreToolUse", tool("c1")),
        (4.0, "PreToolUse", tool("c2")),
        (5.0, "PostToolUse", tool("c2")),
        (9.0, "Stop", json!({})),
        (10.0, "UserPromptSubmit", json!({"prompt": "again"})),
        (11.0, "PreToolUse", tool("c3")),
    ]);
    let given_up = call(&told, "c1");
    assert_eq!((seconds(given_up), given_up.closed.outcome), ((3, 9), Some(Outcome::Abandoned)));
    assert_eq!(given_up.closed.attrs.get(END_INFERRED), Some(true));
    assert_eq!(seconds(call(&told, "c2")), (4, 5));
    assert_eq!(told.of(CallKind::Tool).len(), 2, "one of a turn that still runs may return");
}

#[test]
fn t29_tools_of_sub_agents_are_told_under_the_calls_that_started_them() {
    let told = alone(&[
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", agent("s1")),
        (2.0, "PreToolUse", agent("s2")),
        (3.0, "PreToolUse", of_agent(tool("g2"), "a2")),
        (3.0, "PreToolUse", of_agent(tool("g1"), "a1")),
        (4.0, "PostToolUse", of_agent(tool("g2"), "a2")),
        (5.0, "PostToolUse", of_agent(tool("g1"), "a1")),
        (6.0, "PostToolUse", started("s2", "a2")),
        (7.0, "PostToolUse", started("s1", "a1")),
        (9.0, "Stop", json!({})),
    ]);
    for (tool, spawn) in [("g1", "s1"), ("g2", "s2")] {
        let (tool, spawn) = (call(&told, tool).opened.span, call(&told, spawn).opened.span);
        assert_eq!((tool.trace, tool.parent), (spawn.trace, Some(spawn.span)));
    }
    assert_eq!(told.of(CallKind::Turn).len(), 1);
}

#[test]
fn t41_a_tool_that_returned_last_of_all_waits_for_no_other_hook() {
    let told = alone(&[
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "Stop", json!({})),
        (4.0, "PreToolUse", of_agent(tool("g1"), "a1")),
        (5.0, "PostToolUse", of_agent(tool("g1"), "a1")),
    ]);
    assert_eq!(seconds(call(&told, "g1")), (4, 5));
}

#[test]
fn what_outlasts_a_turn_does_not_begin_it_again() {
    let late = |more: &[(f64, &str, Value)]| {
        let mut hooks = vec![(1.0, "UserPromptSubmit", json!({"prompt": "go"})), (2.0, "Stop", json!({}))];
        hooks.extend(more.iter().cloned());
        let told = alone(&hooks);
        assert_eq!((seconds(turn(&told, 0)), turn(&told, 0).closed.outcome), ((1, 2), Some(Outcome::Completed)));
    };
    late(&[(5.0, "PreCompact", json!({"trigger": "manual"})), (6.0, "PostCompact", json!({"trigger": "manual"}))]);
    late(&[(5.0, "SubagentStop", json!({"agent_id": "a1"})), (6.0, "Notification", json!({}))]);
    late(&[(5.0, "PostToolUse", with(tool("g1"), json!({"agent_id": "a1"})))]);
}

#[test]
fn hooks_that_were_set_up_in_the_middle_of_a_turn_lose_no_tool() {
    let told = alone(&[
        (0.5, "SessionStart", json!({"source": "resume"})),
        (5.0, "PostToolUse", with(tool("c1"), json!({"duration_ms": 2000}))),
        (6.0, "PostToolUse", json!({"tool_name": "Read", "tool_input": {"file_path": "x"}})),
        (9.0, "Stop", json!({})),
        (10.0, "UserPromptSubmit", json!({"prompt": "again"})),
        (11.0, "Stop", json!({})),
    ]);
    assert_eq!((seconds(turn(&told, 0)), seconds(turn(&told, 1))), ((3, 9), (10, 11)));
    assert_eq!(told.of(CallKind::Tool).len(), 2);
    let span = turn(&told, 0).opened.span;
    assert!(told.of(CallKind::Tool).iter().all(|tool| tool.opened.span.parent == Some(span.span)));
}

#[test]
fn a_tool_without_an_id_that_outlasts_its_turn_is_told_under_it() {
    let mut session = Session::new(set(), SESSION);
    hook(&mut session, 1.0, "UserPromptSubmit", json!({"prompt": "go"}));
    hook(&mut session, 2.0, "Stop", json!({}));
    session.leave(u64::MAX, 0);
    let told = drain(&mut session);
    hook(&mut session, 5.0, "PostToolUse", json!({"tool_name": "Read", "tool_input": {"file_path": "x"}}));
    session.leave(u64::MAX, 0);
    let late = drain(&mut session);
    assert_eq!(late.tool("Read").opened.span.parent, Some(turn(&told, 0).opened.span.span));
}

#[test]
fn t41_a_hook_knows_the_end_of_a_tool_whose_result_is_in_no_row() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").call(20.0, "m1", ("c1", "Bash"), json!({"command": "ls"}));
    script.prompt(45.0, "p2", "again").call(47.0, "m2", ("c2", "Bash"), json!({"command": "ls"}));
    script.prompt(60.0, "p3", "more").say(61.0, "m3", "done");
    let mut session = Session::new(set(), SESSION);
    hook(&mut session, 25.0, "PreToolUse", tool("c1"));
    hook(&mut session, 37.0, "PostToolUse", with(tool("c1"), json!({"duration_ms": 70})));
    hook(&mut session, 50.0, "PreToolUse", tool("c2"));
    let told = told(&mut session, &script);
    let known = call(&told, "c1");
    assert_eq!((seconds(known), known.closed.outcome), ((25, 37), Some(Outcome::Completed)));
    assert_eq!(known.closed.attrs.get(TOOL_EXECUTION_MS), Some(70));
    let unknown = call(&told, "c2");
    assert_eq!((seconds(unknown), unknown.closed.outcome), ((50, 50), Some(Outcome::Abandoned)));
    assert_eq!([0, 1].map(|place| seconds(turn(&told, place))), [(1, 37), (45, 50)]);
}

/// Whoever follows a session may read the next prompt before what a hook told of the tool before it.
#[test]
fn t41_a_hook_may_tell_of_a_tool_after_the_next_prompt() {
    const SECOND: u64 = 1_000_000_000;
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "go").call(20.0, "m1", ("c1", "Bash"), json!({"command": "ls"}));
    script.result(30.0, "c1", "x", json!({})).say(31.0, "m2", "done").prompt(45.0, "p2", "again").say(46.0, "m3", "y");
    let now = 1_800_000_000 * SECOND;
    let mut session = Session::new(veilspan::import::session::Set { grace: 10 * SECOND, ..set() }, SESSION);
    session.now(now);
    session.feed(veilspan::import::claude::Of::Session, &script.bytes());
    session.tick(now + SECOND);
    let early = drain(&mut session);
    assert_eq!((early.of(CallKind::Turn).len(), early.of(CallKind::Tool).len()), (1, 0));
    hook(&mut session, 25.0, "PreToolUse", tool("c1"));
    hook(&mut session, 30.0, "PostToolUse", with(tool("c1"), json!({"duration_ms": 70})));
    session.tick(now + 2 * SECOND);
    assert!(drain(&mut session).of(CallKind::Tool).is_empty(), "more may come");
    session.tick(now + 11 * SECOND);
    let told = drain(&mut session);
    let tool = call(&told, "c1");
    assert_eq!((seconds(tool), tool.closed.attrs.get(TOOL_EXECUTION_MS)), ((25, 30), Some(70)));
    assert_eq!(tool.opened.span.parent, Some(turn(&early, 0).opened.span.span));
    session.finish();
    assert!(drain(&mut session).of(CallKind::Tool).is_empty(), "it is told once");
}

fn follow(grace: u64) -> Session {
    Session::new(Set { grace, ..set() }, SESSION)
}

#[test]
fn a_tool_of_a_turn_that_is_held_back_is_not_given_up() {
    let mut session = follow(GRACE);
    hook(&mut session, 1.0, "UserPromptSubmit", json!({"prompt": "go"}));
    hook(&mut session, 2.0, "PreToolUse", tool("c1"));
    hook(&mut session, 3.0, "PostToolUse", tool("c1"));
    hook(&mut session, 4.0, "Stop", json!({}));
    session.tell_alone();
    [14.0, 25.0].into_iter().for_each(|second| session.tick(at(second)));
    let before = drain(&mut session);
    assert_eq!((before.of(CallKind::Turn).len(), before.of(CallKind::Tool).len()), (1, 1));
    hook(&mut session, 30.0, "UserPromptSubmit", json!({"prompt": "again"}));
    hook(&mut session, 31.0, "PreToolUse", tool("c5"));
    [31.5, 33.0, 50.0].into_iter().for_each(|second| session.tick(at(second)));
    assert!(drain(&mut session).of(CallKind::Tool).is_empty(), "it runs");
    hook(&mut session, 51.0, "PostToolUse", tool("c5"));
    hook(&mut session, 52.0, "Stop", json!({}));
    session.tick(at(52.0));
    session.tell_alone();
    [60.0, 63.0, 75.0].into_iter().for_each(|second| session.tick(at(second)));
    let told = drain(&mut session);
    let [tool] = told.of(CallKind::Tool).try_into().unwrap();
    assert_eq!((seconds(tool), tool.closed.outcome), ((31, 51), Some(Outcome::Completed)));
    assert_eq!(tool.opened.span.parent, Some(turn(&told, 0).opened.span.span));
    session.finish();
    assert!(drain(&mut session).records().is_empty());
}

#[test]
fn a_tool_of_a_sub_agent_in_the_background_is_told_when_it_returns() {
    let mut hooks = vec![
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", agent("s1")),
        (3.0, "PostToolUse", started("s1", "a1")),
        (4.0, "Stop", json!({})),
        (20.0, "PreToolUse", of_agent(tool("g1"), "a1")),
    ];
    let leave = |hooks: &[(f64, &str, Value)], second: f64| {
        let mut session = Session::new(set(), SESSION);
        hooks.iter().for_each(|(second, name, more)| hook(&mut session, *second, name, more.clone()));
        session.leave(at(second), GRACE);
        drain(&mut session)
    };
    let names = |told: &All| {
        let tools = told.of(CallKind::Tool).into_iter();
        tools.map(|tool| tool.opened.attrs.text(TOOL_CALL_ID).unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&leave(&hooks, 21.0)), ["s1"]);
    assert_eq!(names(&leave(&hooks, 3600.0)), ["s1"]);
    let mut ended = hooks.clone();
    ended.push((25.0, "SubagentStop", json!({"agent_id": "a1"})));
    assert_eq!(names(&leave(&ended, 26.0)), ["s1"], "its end may come late");
    let told = leave(&ended, 40.0);
    assert_eq!(call(&told, "g1").closed.outcome, Some(Outcome::Abandoned));
    hooks.push((25.0, "PostToolUse", of_agent(tool("g1"), "a1")));
    hooks.push((26.0, "SubagentStop", json!({"agent_id": "a1"})));
    let told = leave(&hooks, 40.0);
    let tool = call(&told, "g1");
    assert_eq!((seconds(tool), tool.closed.outcome), ((20, 25), Some(Outcome::Completed)));
    assert_eq!(tool.opened.span.parent, Some(call(&told, "s1").opened.span.span));
}

#[test]
fn a_tool_that_returns_after_the_next_prompt_belongs_to_the_turn_that_called_it() {
    let told = over(&[
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", tool("c1")),
        (3.0, "UserPromptSubmit", json!({"prompt": "and this"})),
        (4.0, "PostToolUse", tool("c1")),
    ]);
    let tool = call(&told, "c1");
    assert_eq!((seconds(tool), tool.closed.outcome), ((2, 4), Some(Outcome::Completed)));
    assert_eq!(tool.opened.span.parent, Some(turn(&told, 0).opened.span.span));
}

#[test]
fn a_sub_agent_belongs_to_the_turn_that_called_it() {
    let told = over(&[
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", agent("s1")),
        (2.5, "PreToolUse", of_agent(tool("g1"), "a1")),
        (2.8, "PostToolUse", of_agent(tool("g1"), "a1")),
        (3.0, "UserPromptSubmit", json!({"prompt": "and this"})),
        (4.0, "PostToolUse", started("s1", "a1")),
        (5.0, "Stop", json!({})),
    ]);
    let (tool, spawn) = (call(&told, "g1").opened.span, call(&told, "s1").opened.span);
    assert_eq!((tool.trace, tool.parent), (spawn.trace, Some(spawn.span)));
    assert_eq!(spawn.parent, Some(turn(&told, 0).opened.span.span));
}

#[test]
fn t48_a_wait_that_nobody_ended_is_cancelled_with_its_turn() {
    let told = over(&[
        (1.0, "UserPromptSubmit", json!({"prompt": "go"})),
        (2.0, "PreToolUse", tool("c1")),
        (3.0, "PermissionRequest", json!({"tool_name": "Bash"})),
        (9.0, "Stop", json!({})),
    ]);
    let [wait] = told.of(CallKind::Approval).try_into().unwrap();
    assert_eq!((seconds(wait), wait.closed.outcome), ((3, 9), Some(Outcome::Cancelled)));
    assert_eq!(wait.closed.attrs.text(APPROVAL_DECISION), Some("cancelled"));
    assert_eq!(call(&told, "c1").closed.outcome, Some(Outcome::Abandoned));
}
