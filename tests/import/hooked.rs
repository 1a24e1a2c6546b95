//! Claude Code: what hooks know, branches, sub-agents, and what goes wrong.

use serde_json::{Value, json};
use veilspan::event::{CallKind, CallRecord, Given, MarkKind, Outcome, Returned, Role, Veiled};
use veilspan::import::claude::{Of, Session};
use veilspan::import::session::{AsideReason, Set};
use veilspan::semconv::{
    APPROVAL_DECISION, APPROVAL_WAIT_MS, COMPACTION_TRIGGER, ERROR_KIND, MCP_SERVER, OPERATION_ID, TOOL_CALL_ID,
    TOOL_EXECUTION_MS,
};

use super::claude::{drain, read};
use super::script::{Claude, SESSION, START};
use super::told::{All, corpus, seconds, set};

pub fn at(second: f64) -> u64 {
    START + (second * 1e9) as u64
}

pub fn hook(session: &mut Session, second: f64, name: &str, mut payload: Value) {
    payload["session_id"] = SESSION.into();
    payload["hook_event_name"] = name.into();
    assert!(session.hook(payload.to_string().as_bytes(), None, at(second)));
}

fn tool(id: &str) -> Value {
    json!({"tool_name": "Bash", "tool_use_id": id, "tool_input": {"command": "ls"}})
}

pub fn with(mut one: Value, more: Value) -> Value {
    one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    one
}

pub fn told(session: &mut Session, script: &Claude) -> All {
    session.feed(Of::Session, &script.bytes());
    session.end_of_file(Of::Session, true);
    session.finish();
    drain(session)
}

fn script() -> Claude {
    let mut script = Claude::default();
    script.prompt(10.0, "p1", "go").call(20.0, "m1", ("t1", "Bash"), json!({"command": "ls"}));
    script.result(30.0, "t1", "x", json!({})).say(40.0, "m2", "done");
    script
}

#[test]
fn t41_hooks_tell_when_a_tool_ran_and_how_it_ended() {
    let tools = |hooks: &[(f64, &str, Value)]| {
        let mut session = Session::new(set(), SESSION);
        for (second, name, payload) in hooks {
            hook(&mut session, *second, name, payload.clone());
        }
        told(&mut session, &script())
    };
    let both = tools(&[(20.0, "PreToolUse", tool("t1")), (30.0, "PostToolUse", tool("t1"))]);
    assert_eq!(seconds(both.tool("Bash")), (20, 30));
    let post = tools(&[(30.0, "PostToolUse", with(tool("t1"), json!({"duration_ms": 361})))]);
    let record = post.tool("Bash");
    assert_eq!((record.opened_at.time_unix_nano, record.closed_at.time_unix_nano), (at(29.639), at(30.0)));
    assert_eq!(record.closed.attrs.get(TOOL_EXECUTION_MS), Some(361));
    let failed = tools(&[(30.0, "PostToolUseFailure", with(tool("t1"), json!({"error": "boom"})))]);
    let record = failed.tool("Bash");
    assert_eq!((record.closed.outcome, record.closed.error.length), (Some(Outcome::Failed), Some(4)));
    let denied = tools(&[
        (20.0, "PreToolUse", tool("t1")),
        (25.0, "PermissionDenied", with(tool("t1"), json!({"permission_id": "perm-1"}))),
    ]);
    assert_eq!(denied.tool("Bash").closed.outcome, Some(Outcome::Denied));
    let [approval] = denied.of(CallKind::Approval).try_into().unwrap();
    assert_eq!(approval.closed.attrs.text(APPROVAL_DECISION), Some("denied"));
    assert_eq!(approval.opened.attrs.text(OPERATION_ID), Some("perm-1"));
    assert_eq!(approval.opened.span.parent, Some(denied.tool("Bash").opened.span.span));
    let stopped = tools(&[(41.0, "StopFailure", json!({}))]);
    assert_eq!(stopped.of(CallKind::Turn)[0].closed.outcome, Some(Outcome::Failed));
    assert_eq!(seconds(stopped.of(CallKind::Turn)[0]), (10, 41));
}

#[test]
fn t48_the_wait_for_a_person_is_told_apart_from_the_execution() {
    let mut session = Session::new(set(), SESSION);
    hook(&mut session, 25.0, "PreToolUse", tool("t1"));
    hook(&mut session, 25.0, "PermissionRequest", json!({"tool_name": "Bash", "tool_input": {"command": "ls"}}));
    hook(&mut session, 37.0, "PostToolUse", with(tool("t1"), json!({"duration_ms": 70})));
    let told = told(&mut session, &script());
    let tool = told.tool("Bash");
    assert_eq!(seconds(tool), (25, 37));
    assert_eq!(tool.closed.attrs.get(TOOL_EXECUTION_MS), Some(70));
    assert_eq!(tool.closed.attrs.get(APPROVAL_WAIT_MS), Some(11_930));
    let [approval] = told.of(CallKind::Approval).try_into().unwrap();
    assert_eq!(approval.closed.attrs.get(APPROVAL_WAIT_MS), Some(11_930));
    assert_eq!(approval.closed.attrs.text(APPROVAL_DECISION), Some("approved"));
    let [rollout] = told.rollouts().try_into().unwrap();
    assert_eq!(rollout.totals.wait_nanos, 11_930_000_000);
}

#[test]
fn t48_of_calls_at_once_the_one_waits_whose_arguments_are_asked_for() {
    let mut script = Claude::default();
    script.prompt(10.0, "p1", "go").call(20.0, "m1", ("t1", "Bash"), json!({"command": "ls"}));
    script.call(21.0, "m1", ("t2", "Bash"), json!({"command": "pwd"}));
    script.result(40.0, "t1", "x", json!({})).result(41.0, "t2", "y", json!({})).say(42.0, "m2", "done");
    let other = json!({"tool_name": "Bash", "tool_use_id": "t2", "tool_input": {"command": "pwd"}});
    let mut session = Session::new(set(), SESSION);
    hook(&mut session, 25.0, "PreToolUse", tool("t1"));
    hook(&mut session, 26.0, "PreToolUse", other.clone());
    hook(&mut session, 27.0, "PermissionRequest", json!({"tool_name": "Bash", "tool_input": {"command": "ls"}}));
    hook(&mut session, 28.0, "PostToolUse", other);
    hook(&mut session, 37.0, "PostToolUse", tool("t1"));
    let told = told(&mut session, &script);
    let [wait] = told.of(CallKind::Approval).try_into().unwrap();
    assert_eq!((seconds(wait), wait.opened.attrs.text(TOOL_CALL_ID)), ((27, 37), Some("t1")));
}

#[test]
fn t48_a_permission_that_nobody_gave_is_a_wait_all_the_same() {
    let asked = |session: &mut Session| {
        hook(session, 25.0, "PreToolUse", tool("t1"));
        hook(session, 26.0, "PermissionRequest", json!({"tool_name": "Bash", "tool_input": {"command": "ls"}}));
    };
    let waits = |script: &mut Claude| {
        let mut session = Session::new(set(), SESSION);
        asked(&mut session);
        let told = told(&mut session, script.prompt(50.0, "p2", "again").say(51.0, "m9", "yes"));
        let [wait] = told.of(CallKind::Approval).try_into().unwrap();
        assert_eq!(wait.opened.span.parent, Some(told.tool("Bash").opened.span.span));
        let decision = wait.closed.attrs.text(APPROVAL_DECISION).unwrap().to_owned();
        (seconds(wait), decision, told.tool("Bash").closed.outcome)
    };
    let mut script = Claude::default();
    script.prompt(10.0, "p1", "go").call(20.0, "m1", ("t1", "Bash"), json!({"command": "ls"}));
    let abandoned = waits(&mut script.clone());
    assert_eq!(abandoned, ((26, 26), "cancelled".to_owned(), Some(Outcome::Abandoned)));
    let text = json!([{"type": "text", "text": "[Request interrupted by user]"}]);
    let interruption = json!({"type": "user", "message": {"role": "user", "content": text}});
    let interrupted = waits(script.clone().row(31.0, interruption));
    assert_eq!(interrupted, ((26, 31), "cancelled".to_owned(), Some(Outcome::Cancelled)));
    let rejected = json!({"is_error": true, "known": "User rejected tool use"});
    let rejected = waits(script.clone().result(31.0, "t1", "no", rejected));
    assert_eq!(rejected, ((26, 31), "denied".to_owned(), Some(Outcome::Denied)));
}

#[test]
fn whether_rows_or_hooks_come_first_changes_nothing_where_the_clock_is_told() {
    let read = |hooks_first: bool| {
        let mut session = Session::new(Set { grace: 10_000_000_000, ..set() }, SESSION);
        let hooks = |session: &mut Session| {
            hook(session, 24.0, "PreToolUse", tool("t1"));
            hook(session, 25.0, "PermissionRequest", json!({"tool_name": "Bash", "tool_input": {"command": "ls"}}));
            hook(session, 28.0, "PostToolUse", with(tool("t1"), json!({"duration_ms": 70})));
            hook(session, 41.0, "StopFailure", json!({}));
        };
        session.now(at(41.0));
        if hooks_first {
            hooks(&mut session);
        }
        session.feed(Of::Session, &script().bytes());
        session.tick(at(41.0));
        if !hooks_first {
            hooks(&mut session);
        }
        [42.0, 60.0].into_iter().for_each(|second| session.tick(at(second)));
        session.finish();
        drain(&mut session)
    };
    let told = read(true);
    assert_eq!((seconds(told.tool("Bash")), told.of(CallKind::Approval).len()), ((24, 28), 1));
    assert_eq!(told.of(CallKind::Turn)[0].closed.outcome, Some(Outcome::Failed));
    assert_eq!(read(false).sorted(), told.sorted());
}

#[test]
fn hooks_alone_tell_turns_and_tools() {
    let Some(folder) = corpus() else { return };
    let mut session = Session::new(set(), "example-sess-001");
    for line in std::fs::read_to_string(folder.join("claude/example-simple/events.ndjson")).unwrap().lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let at = veilspan::import::session::unix_nanos(event["ts"].as_str().unwrap()).unwrap();
        assert!(session.hook(event["payload"].to_string().as_bytes(), event["hook"].as_str(), at));
    }
    session.finish();
    let told = drain(&mut session);
    assert_eq!([CallKind::Turn, CallKind::Tool, CallKind::Inference].map(|kind| told.of(kind).len()), [1, 2, 0]);
    let parents: Vec<_> = told.of(CallKind::Tool).iter().map(|tool| tool.opened.span.parent.unwrap()).collect();
    assert_eq!(parents, vec![told.of(CallKind::Turn)[0].opened.span.span; 2]);
}

#[test]
fn a_branch_goes_on_where_it_left() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").say(2.0, "m1", "two");
    let fork = script.last.clone();
    script.prompt(3.0, "p2", "three").say(4.0, "m2", "four");
    script.last = fork;
    script.prompt(5.0, "p3", "five").say(6.0, "m3", "six");
    let told = read(&script.bytes());
    let inputs: Vec<usize> = told
        .of(CallKind::Inference)
        .iter()
        .map(|record| match &record.given {
            Given::Request(input) => input.items.len() + usize::from(input.prefix.is_some()),
            _ => panic!(),
        })
        .collect();
    assert_eq!(inputs, [1, 3, 3], "the third is told whole: one, two, five");
    let turns = told.of(CallKind::Turn);
    assert_eq!(turns[2].opened.links[0].span, turns[0].opened.span.span, "it follows the turn that it branched from");
}

#[test]
fn a_sub_agents_file_and_its_side_chain_hang_under_the_call() {
    let mut script = Claude::default();
    let input = json!({"description": "d", "prompt": "find it", "subagent_type": "Explore"});
    script.prompt(1.0, "p1", "go").call(2.0, "m1", ("t1", "Agent"), input);
    let mut main = script.clone();
    main.result(9.0, "t1", "found", json!({"known": {"agentId": "a1", "agentType": "Explore"}})).say(10.0, "m2", "ok");
    let mut agent = Claude::default();
    agent.prompt(3.0, "p1", "find it").call(4.0, "s1", ("u1", "Bash"), json!({})).result(5.0, "u1", "x", json!({}));
    agent.say(6.0, "s2", "found");
    agent.rows.iter_mut().for_each(|row| {
        row["isSidechain"] = true.into();
        row["uuid"] = format!("side-{}", row["uuid"].as_str().unwrap()).into();
        if let Some(parent) = row["parentUuid"].as_str().map(|parent| format!("side-{parent}")) {
            row["parentUuid"] = parent.into();
        }
    });
    let mut session = Session::new(set(), SESSION);
    session.feed(Of::Session, &main.bytes());
    assert!(session.knows_agent("a1"));
    session.feed(Of::Agent("a1"), &agent.bytes());
    session.finish();
    let by_file = drain(&mut session);
    let mut rows = script.rows.clone();
    rows.extend(agent.rows.clone());
    rows.extend(main.rows[2..].iter().cloned());
    let by_chain = read(&super::script::lines(&rows));
    for told in [&by_file, &by_chain] {
        let spawn = told.tool("Agent");
        let turns = told.of(CallKind::Turn);
        assert_eq!(turns.len(), 2);
        let sub = turns.iter().find(|turn| turn.scope.thread != SESSION).unwrap();
        assert_eq!(
            (sub.opened.span.trace, sub.opened.span.parent),
            (spawn.opened.span.trace, Some(spawn.opened.span.span))
        );
        assert_eq!((told.of(CallKind::Inference).len(), told.of(CallKind::Tool).len()), (4, 2));
        assert_eq!(told.rollouts()[0].edges.len(), 1);
    }
}

#[test]
fn a_compaction_an_api_error_and_an_interruption_are_told() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").say(2.0, "m1", "two");
    script.prompt(3.0, "p2", "three");
    script.row(4.0, json!({"type": "system", "subtype": "compact_boundary", "compactMetadata": {"trigger": "auto", "preTokens": 9}}));
    let summary = json!({"role": "user", "content": "in short"});
    script.row(4.1, json!({"type": "user", "isCompactSummary": true, "message": summary}));
    script.row(5.0, json!({"type": "system", "subtype": "api_error", "retryAttempt": 1, "error": {"status": 529}}));
    script.say(6.0, "m2", "four");
    let error = json!({"id": "e1", "role": "assistant", "model": "<synthetic>", "content": [{"type": "text", "text": "API Error"}],
        "usage": {"input_tokens": 0, "output_tokens": 0}});
    script
        .prompt(7.0, "p3", "five")
        .row(8.0, json!({"type": "assistant", "isApiErrorMessage": true, "message": error}));
    script.prompt(9.0, "p4", "six").call(10.0, "m4", ("t1", "mcp__linear__list"), json!({}));
    script.row(11.0, json!({"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": "[Request interrupted by user]"}]}}));
    let told = read(&script.bytes());
    let outcomes: Vec<_> = told.of(CallKind::Turn).iter().map(|turn| turn.closed.outcome.unwrap()).collect();
    assert_eq!(outcomes, [Outcome::Completed, Outcome::Completed, Outcome::Failed, Outcome::Cancelled]);
    let [compaction] = told.of(CallKind::Compaction).try_into().unwrap();
    assert_eq!((seconds(compaction), compaction.opened.attrs.text(COMPACTION_TRIGGER)), ((3, 4), Some("auto")));
    assert_eq!(compaction.marks[0].mark.kind, MarkKind::CompactionInstalled);
    let failed: Vec<_> = told
        .of(CallKind::Inference)
        .iter()
        .filter(|call| call.closed.outcome == Some(Outcome::Failed))
        .map(|call| call.closed.attrs.text(ERROR_KIND).unwrap().to_owned())
        .collect();
    assert_eq!(failed, ["http_529", "api_error"]);
    // The error is no answer of the model: it is not shown next, and the turn has not said it.
    let is_error = |call: &&&CallRecord<Veiled>| call.closed.attrs.text(ERROR_KIND) == Some("api_error");
    let inferences = told.of(CallKind::Inference);
    let error = inferences.iter().find(is_error).unwrap();
    let Returned::Answer(output) = &error.returned else { panic!() };
    assert_eq!((output.items.len(), error.closed.error.length), (0, Some("API Error".len() as u64)));
    let Given::Request(next) = &inferences.last().unwrap().given else { panic!() };
    assert_eq!(next.items.last().map(|item| (item.role, item.length)), Some((Role::User, Some(3))));
    assert!(next.items.iter().all(|item| item.length != error.closed.error.length), "{:?}", next.items);
    let tool = told.tool("mcp__linear__list");
    assert_eq!((tool.opened.attrs.text(MCP_SERVER), tool.closed.outcome), (Some("linear"), Some(Outcome::Cancelled)));
    let [rollout] = told.rollouts().try_into().unwrap();
    assert_eq!(rollout.findings, []);
}

#[test]
fn t37_what_cannot_be_read_is_set_aside_with_its_place_and_nothing_else_is_lost() {
    let script = script();
    let lines: Vec<Vec<u8>> = script.bytes().split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let mut bytes = lines[0].clone();
    bytes.extend(b"{\"type\": \"user\", PLANTED\n[]\n\xff\xfe\n");
    bytes.extend(lines[1..].concat());
    bytes.extend(b"{\"type\": \"assis");
    let mut session = Session::new(set(), SESSION);
    session.feed(Of::Session, &bytes);
    session.end_of_file(Of::Session, true);
    session.finish();
    let asides = session.take_asides();
    let places: Vec<_> = asides.iter().map(|aside| (aside.line, aside.reason)).collect();
    let expected =
        [(2, AsideReason::NotJson), (3, AsideReason::NotJson), (4, AsideReason::NotJson), (8, AsideReason::Truncated)];
    assert_eq!(places, expected);
    assert_eq!(asides[0].to_string(), format!("{SESSION}.jsonl:2: not_json"));
    assert_eq!(drain(&mut session).sorted(), read(&script.bytes()).sorted());
}

#[test]
fn a_clock_that_runs_backwards_makes_no_call_end_before_it_began() {
    let mut script = Claude::default();
    script.prompt(50.0, "p1", "go").call(40.0, "m1", ("t1", "Bash"), json!({})).result(10.0, "t1", "x", json!({}));
    let told = read(&script.say(5.0, "m2", "done").bytes());
    assert_eq!(told.records().len(), 4);
    assert!(told.records().iter().all(|record| record.closed_at >= record.opened_at));
}

#[test]
fn rows_of_another_session_are_history_and_no_calls() {
    let mut script = Claude::default();
    script.prompt(1.0, "p1", "one").say(2.0, "m1", "two");
    script.rows.iter_mut().for_each(|row| row["sessionId"] = "00000000-0000-4000-8000-00000000000b".into());
    script.prompt(3.0, "p2", "three").say(4.0, "m2", "four");
    let told = read(&script.bytes());
    let [inference] = told.of(CallKind::Inference).try_into().unwrap();
    let Given::Request(input) = &inference.given else { panic!() };
    assert_eq!(input.items.len(), 3);
    assert_eq!(told.of(CallKind::Turn).len(), 1);
}

#[test]
fn rows_of_one_turn_that_come_late_stay_with_it() {
    let mut session = Session::new(set(), SESSION);
    let whole = script();
    session.feed(Of::Session, &super::script::lines(&whole.rows[..3]));
    hook(&mut session, 35.0, "Stop", json!({}));
    session.feed(Of::Session, &super::script::lines(&whole.rows[3..]));
    session.finish();
    let told = drain(&mut session);
    assert_eq!(seconds(told.of(CallKind::Turn)[0]), (10, 40));
    assert_eq!(told.of(CallKind::Inference).len(), 2);
}
