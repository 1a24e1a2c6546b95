use serde_json::json;
use veilspan::event::{CallKind, MarkKind, Outcome};
use veilspan::reduce::{Producer, Rollout, TerminalOperation};
use veilspan::semconv::{
    MCP_CALL_ID, TERMINAL_CWD, TERMINAL_EXIT_CODE, TERMINAL_ID, TERMINAL_MAX_TOKENS, TERMINAL_YIELD_MS, TOOL_NAME,
};

use super::build::*;

pub fn exec() -> serde_json::Value {
    json!({"type": "exec_command"})
}

pub fn invocation(name: &str, arguments: &str) -> serde_json::Value {
    json!({"tool_name": name, "payload": {"type": "function", "arguments": arguments}})
}

fn begin(process: Option<&str>, cwd: &str) -> serde_json::Value {
    json!({"call_id": "call-1", "process_id": process, "turn_id": "t1", "started_at_ms": 1, "command": ["ls", "-l"],
        "cwd": cwd, "parsed_cmd": [], "source": "agent"})
}

fn done(process: Option<&str>, code: i64) -> serde_json::Value {
    json!({"call_id": "call-1", "process_id": process, "command": ["ls", "-l"], "cwd": "/w", "stdout": "out",
        "stderr": "", "aggregated_output": "out", "exit_code": code, "formatted_output": "out", "status": "completed"})
}

fn operations(rollout: &Rollout) -> Vec<&TerminalOperation> {
    let turns = thread(rollout, "R").turns.iter();
    turns.flat_map(|turn| &turn.segments).flat_map(|segment| &segment.terminal_operations).collect()
}

#[test]
fn reduction_a18_a_tool_is_linked_to_the_items_that_ask_for_it_and_hold_its_result() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.tool_end(
        "call-1",
        "completed",
        json!({"type": "direct_response", "response_item": output("call-1", "done")}),
    );
    bundle.ask_in("R", "t1", "i2", json!({"previous_response_id": "resp-1", "input": [output("call-1", "done")]}));
    let rollout = bundle.reduce();
    let tool = tools(&rollout, "R")[0];
    assert_eq!((&tool.call_items[..], &tool.output_items[..]), (&[1][..], &[2][..]));
    assert_eq!(inferences(&rollout)[0].started, [tool.call.key]);
    assert_eq!(thread(&rollout, "R").items[2].produced_by, [Producer::Tool(tool.call.key)]);
    assert!(tool.result.digest.is_some() && tool.arguments.digest.is_some());
}

#[test]
fn b01_a_tool_that_began_before_its_answer_was_told_is_linked_all_the_same() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    let rollout = bundle.reduce();
    assert_eq!(inferences(&rollout)[0].started, [tools(&rollout, "R")[0].call.key]);
}

#[test]
fn reduction_a27_a_terminal_operation_lasts_as_long_as_the_runtime_says() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.tool_begin("call-1", begin(None, "/w"));
    bundle.tool_done("call-1", "completed", done(Some("pty-1"), 0));
    bundle.tool_end(
        "call-1",
        "completed",
        json!({"type": "direct_response", "response_item": output("call-1", "out")}),
    );
    bundle.ask_in("R", "t1", "i2", json!({"previous_response_id": "resp-1", "input": [output("call-1", "out")]}));
    let rollout = bundle.reduce();
    let (tool, operation) = (tools(&rollout, "R")[0], operations(&rollout)[0]);
    assert_eq!((operation.call.opened_at, operation.call.closed_at), (tool.runtime.began_at, tool.runtime.ended_at));
    assert_eq!(operation.call.attrs.get(TERMINAL_EXIT_CODE), Some(0));
    assert_eq!((operation.tool, tool.terminal), (Some(tool.call.key), Some(operation.call.key)));
    assert_eq!(tool.runtime.evidence, ["raw_payload:4", "raw_payload:5"]);
    let terminal = &thread(&rollout, "R").terminals[0];
    assert_eq!((&*terminal.id, terminal.started_at), ("pty-1", operation.call.opened_at));
    assert_eq!((&tool.call_items[..], &tool.output_items[..]), (&[1][..], &[2][..]));
}

#[test]
fn reduction_a28_two_operations_of_one_terminal_are_one_session() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.tool_begin("call-1", begin(Some("pty-1"), "/w"));
    bundle.tool_in(
        ("R", "t1"),
        "call-2",
        json!({"type": "write_stdin"}),
        json!({"type": "model"}),
        invocation("write_stdin", "{}"),
    );
    let mut write = begin(Some("pty-1"), "/w");
    write["interaction_input"] = json!("echo hi\n");
    bundle.tool_begin("call-2", write);
    let rollout = bundle.reduce();
    let terminals = &thread(&rollout, "R").terminals;
    assert_eq!((terminals.len(), terminals[0].operations.len()), (1, 2));
    assert_eq!(operations(&rollout)[1].call.closed_at, None);
}

#[test]
fn reduction_a29_a_write_is_told_by_what_was_asked_and_no_exit_code_is_invented() {
    let mut bundle = Bundle::new();
    let arguments = r#"{"session_id": 123, "chars": "echo hi", "yield_time_ms": 250, "max_output_tokens": 2000}"#;
    bundle.tool("call-1", json!({"type": "write_stdin"}), invocation("write_stdin", arguments));
    bundle.tool_end("call-1", "completed", json!({"type": "direct_response", "response_item": output("call-1", "hi")}));
    let rollout = bundle.reduce();
    let operation = operations(&rollout)[0];
    let attrs = &operation.call.attrs;
    assert_eq!(attrs.text(TERMINAL_ID), Some("123"));
    assert_eq!((attrs.get(TERMINAL_YIELD_MS), attrs.get(TERMINAL_MAX_TOKENS)), (Some(250), Some(2000)));
    assert_eq!((attrs.get(TERMINAL_EXIT_CODE), operation.result[0].length), (None, Some(2)));
    assert_eq!(operation.call.closed_at, tools(&rollout, "R")[0].call.closed_at);
}

#[test]
fn reduction_a31_a_servers_id_of_a_call_may_become_known_after_its_start() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", json!({"type": "other", "name": "search"}), invocation("search", "{}"));
    let correlated =
        json!({"type": "mcp_tool_call_correlation_assigned", "tool_call_id": "call-1", "mcp_call_id": "uuid-1"});
    bundle.at(None, None, correlated);
    let rollout = bundle.reduce();
    assert_eq!(tools(&rollout, "R").len(), 1);
    let marks = &tools(&rollout, "R")[0].call.marks;
    assert_eq!((marks[0].kind, marks[0].attrs.text(MCP_CALL_ID)), (MarkKind::Correlated, Some("uuid-1")));
}

#[test]
fn reduction_a44_and_b24_a_tool_with_bad_arguments_fails_and_keeps_its_error() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", json!({"type": "write_stdin"}), invocation("write_stdin", "{not json"));
    bundle.tool_end("call-1", "failed", json!({"type": "error", "error": "bad arguments"}));
    let rollout = bundle.reduce();
    let tool = tools(&rollout, "R")[0];
    assert_eq!(tool.call.outcome, Some(Outcome::Failed));
    assert_eq!(tool.result.length, Some(13));
    assert!(operations(&rollout).is_empty() && rollout.quarantine.is_empty());
}

#[test]
fn reduction_a45_a_wait_for_a_cell_that_is_not_there_is_a_tool_call_and_no_cell() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", json!({"type": "other", "name": "wait"}), invocation("wait", r#"{"cell_id": "9"}"#));
    bundle.tool_end(
        "call-1",
        "completed",
        json!({"type": "direct_response", "response_item": output("call-1", "none")}),
    );
    let rollout = bundle.reduce();
    assert_eq!(tools(&rollout, "R").len(), 1);
    assert!(thread(&rollout, "R").turns[0].code_cells().next().is_none());
}

#[test]
fn reduction_a47_a_path_is_kept_as_far_as_the_policy_lets_it_leave() {
    for (cwd, kept) in [("C:/work", true), ("C:\\work", false), ("/home/me/work", false)] {
        let mut bundle = Bundle::new();
        bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
        bundle.tool_begin("call-1", begin(None, cwd));
        let rollout = bundle.reduce();
        let told = operations(&rollout)[0].call.attrs.get(TERMINAL_CWD).unwrap();
        assert_eq!(told == cwd, kept, "{told}");
        assert!(kept || told.starts_with("id:sha256:"));
    }
}

#[test]
fn b25_a_tool_of_a_namespace_is_none_of_ours_whatever_its_name() {
    let mut bundle = Bundle::new();
    let invocation = json!({
        "tool_name": "exec_command", "tool_namespace": "mcp", "payload": {"type": "function", "arguments": "{}"},
    });
    bundle.tool("call-1", exec(), invocation);
    bundle.tool_begin("call-1", json!({"call_id": "call-1", "invocation": {"server": "s", "tool": "exec_command"}}));
    bundle.tool_done("call-1", "failed", json!({"call_id": "call-1", "result": {"Err": "no"}}));
    let rollout = bundle.reduce();
    let tool = tools(&rollout, "R")[0];
    assert_eq!(tool.call.attrs.text(TOOL_NAME), Some("exec_command"));
    let state = rollout.to_codex_state();
    let kind = json!({"type": "mcp", "server": "s", "tool": "exec_command"});
    assert_eq!(state["tool_calls"]["call-1"]["kind"], kind, "its server is told by the runtime");
    assert_eq!(tool.runtime.outcome.as_deref(), Some("failed"));
    assert!(operations(&rollout).is_empty() && rollout.quarantine.is_empty());
}

#[test]
fn b25_a_namespace_says_what_kind_of_tool_it_is() {
    let kind = |namespace: &str, name: &str| {
        let mut bundle = Bundle::new();
        let invocation = json!({
            "tool_name": name, "tool_namespace": namespace, "payload": {"type": "function", "arguments": "{}"},
        });
        let raw = if name == "exec_command" { exec() } else { json!({"type": "other", "name": name}) };
        bundle.tool("call-1", raw, invocation);
        bundle.reduce().to_codex_state()["tool_calls"]["call-1"]["kind"].clone()
    };
    let served = |name: &str| json!({"type": "mcp", "server": "linear", "tool": name});
    assert_eq!(kind("mcp__linear", "exec_command"), served("exec_command"));
    assert_eq!(kind("mcp__linear__", "find"), served("find"));
    assert_eq!(kind("files", "exec_command"), json!({"type": "other", "name": "exec_command"}));
}

#[test]
fn b26_the_event_of_another_tool_under_a_commands_id_is_kept_as_evidence() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.tool_begin("call-1", json!({"call_id": "call-1", "auto_approved": true, "changes": {}}));
    let rollout = bundle.reduce();
    assert_eq!(tools(&rollout, "R")[0].runtime.evidence, ["raw_payload:2"]);
    assert!(operations(&rollout).is_empty() && rollout.quarantine.is_empty());
}

#[test]
fn b27_a_tool_that_still_runs_is_abandoned_when_its_rollout_ends() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.end_turn("R", "t1", "completed");
    assert_eq!(tools(&bundle.reduce(), "R")[0].call.outcome, None);
    bundle.at(None, None, json!({"type": "rollout_ended", "status": "completed"}));
    let rollout = bundle.reduce();
    let call = &tools(&rollout, "R")[0].call;
    assert_eq!((call.outcome, call.end_inferred), (Some(Outcome::Abandoned), true));
    assert_eq!(call.key.kind, CallKind::Tool);
}

#[test]
fn b10_the_calls_of_a_parent_in_a_childs_history_are_no_calls_of_the_parents_tools() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.child("C", "/root/child", "R");
    bundle.turn("C", "t2");
    bundle.ask_in("C", "t2", "i2", json!({"input": [user("hi"), call("call-1", "{}"), output("call-1", "x")]}));
    let rollout = bundle.reduce();
    assert_eq!(tools(&rollout, "R")[0].call_items, [1]);
    assert!(tools(&rollout, "R")[0].output_items.is_empty());
    assert!(thread(&rollout, "C").items.iter().all(|item| item.produced_by.is_empty()));
}

#[test]
fn reduction_a28_and_reduction_a29_a_process_is_one_terminal_as_number_and_as_text() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.tool_begin("call-1", begin(Some("123"), "/w"));
    for (id, session) in [("call-2", json!(123)), ("call-3", json!("123"))] {
        let arguments = json!({"session_id": session, "chars": ""}).to_string();
        bundle.tool(id, json!({"type": "write_stdin"}), invocation("write_stdin", &arguments));
    }
    let rollout = bundle.reduce();
    let terminals = &thread(&rollout, "R").terminals;
    assert_eq!((terminals.len(), terminals[0].operations.len()), (1, 3));
    assert_eq!(operations(&rollout)[1].request[0].length, Some(0), "a poll types nothing");
}

#[test]
fn b25_a_write_of_a_namespace_is_no_write_of_ours() {
    let mut bundle = Bundle::new();
    let arguments = json!({"session_id": 1, "chars": "x"}).to_string();
    let invocation = json!({"tool_name": "write_stdin", "tool_namespace": "mcp", "payload": {"type": "function", "arguments": arguments}});
    bundle.tool("call-1", json!({"type": "write_stdin"}), invocation);
    let rollout = bundle.reduce();
    assert!(operations(&rollout).is_empty() && thread(&rollout, "R").terminals.is_empty());
}

#[test]
fn reduction_a44_a_tool_that_never_reached_its_runtime_keeps_its_error_and_has_no_operation() {
    for kind in [exec(), json!({"type": "apply_patch"}), json!({"type": "other", "name": "x"})] {
        let mut bundle = Bundle::new();
        bundle.tool("call-1", kind, json!({"tool_name": "x", "payload": {"type": "hologram"}}));
        bundle.tool_end("call-1", "failed", json!({"type": "error", "error": "unsupported"}));
        let rollout = bundle.reduce();
        let tool = tools(&rollout, "R")[0];
        assert_eq!(
            (tool.call.outcome, tool.runtime.began_at, tool.result.length),
            (Some(Outcome::Failed), None, Some(11))
        );
        assert!(operations(&rollout).is_empty() && rollout.quarantine.is_empty());
    }
}

#[test]
fn a_servers_tool_has_its_server_and_a_namespaced_one_its_namespace_in_codex_shape() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", json!({"type": "mcp", "server": "files", "tool": "read"}), json!(null));
    let namespaced =
        json!({"tool_name": "find", "tool_namespace": "files", "payload": {"type": "function", "arguments": "{}"}});
    bundle.tool("call-2", json!({"type": "other", "name": "find"}), namespaced);
    let state = bundle.reduce().to_codex_state();
    let tools = &state["tool_calls"];
    assert_eq!(tools["call-1"]["kind"], json!({"type": "mcp", "server": "files", "tool": "read"}));
    assert_eq!(tools["call-2"]["summary"]["label"], "files.find");
}
