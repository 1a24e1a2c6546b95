//! Calls of which one half is missing, and records that say otherwise than an earlier one of the same call.

use serde_json::json;
use veilspan::event::{EdgeKind, Outcome};
use veilspan::reduce::{CodeCell, FindingKind, Rollout};
use veilspan::semconv::{MCP_CALL_ID, TERMINAL_EXIT_CODE, TERMINAL_ID};

use super::build::*;
use super::tools::{exec, invocation};

fn aside(rollout: &Rollout) -> Vec<&str> {
    rollout.quarantine.iter().map(|aside| &*aside.reason).collect()
}

fn cells(rollout: &Rollout) -> Vec<&CodeCell> {
    rollout.turns().flat_map(|(_, turn)| turn.code_cells()).collect()
}

fn cell(bundle: &mut Bundle, record: &str, status: &str) {
    bundle.told(json!({"type": record, "runtime_cell_id": "1", "status": status, "response_payload": null}));
}

fn called_by_a_cell(bundle: &mut Bundle) {
    let requester = json!({"type": "code_cell", "runtime_cell_id": "1"});
    bundle.tool_in(("R", "t1"), "n1", json!({"type": "other", "name": "x"}), requester, invocation("x", "{}"));
    bundle.tool("w1", json!({"type": "other", "name": "wait"}), invocation("wait", r#"{"cell_id": "1"}"#));
}

#[test]
fn b32_and_b18_a_cell_whose_beginning_was_lost_is_one_cell_with_its_tools_and_its_end() {
    for records in [
        &[("code_cell_ended", "completed")][..],
        &[("code_cell_initial_response", "yielded")],
        &[("code_cell_initial_response", "yielded"), ("code_cell_ended", "completed")],
    ] {
        let mut bundle = Bundle::new();
        called_by_a_cell(&mut bundle);
        records.iter().for_each(|(record, status)| cell(&mut bundle, record, status));
        let rollout = bundle.reduce();
        let cells = cells(&rollout);
        assert_eq!((cells.len(), cells[0].nested.len(), cells[0].waits.len()), (1, 1, 1), "{records:?}");
        let ended = records.iter().any(|(record, _)| *record == "code_cell_ended");
        assert_eq!(cells[0].call.outcome, ended.then_some(Outcome::Completed));
        assert_eq!(kinds(&rollout), [FindingKind::Orphan]);
    }
}

#[test]
fn b32_and_reduction_a27_the_end_of_a_command_tells_all_of_it_where_its_beginning_was_lost() {
    let mut bundle = Bundle::new();
    bundle.tool("c1", exec(), invocation("exec_command", "{}"));
    bundle.tool(
        "c2",
        json!({"type": "write_stdin"}),
        json!({"tool_name": "write_stdin", "payload": {"type": "function", "arguments": "{"}}),
    );
    let told = |id: &str| {
        json!({"call_id": id, "process_id": "7", "started_at_ms": 4, "command": ["ls"], "cwd": "/w", "stdout": "a",
            "stderr": "", "exit_code": 3, "interaction_input": "q"})
    };
    bundle.tool_done("c1", "failed", told("c1"));
    bundle.tool_done("c2", "completed", told("c2"));
    bundle.tool_end("c2", "completed", json!({"type": "direct_response", "response_item": output("c2", "hi")}));
    let rollout = bundle.reduce();
    let turn = &rollout.threads[0].turns[0];
    let operations: Vec<_> = turn.segments[0].terminal_operations.iter().collect();
    let tools = tools(&rollout, "R");
    for (operation, tool) in operations.iter().zip(&tools) {
        assert_eq!((operation.tool, tool.terminal), (Some(tool.call.key), Some(operation.call.key)));
        assert_eq!(operation.request.len(), 1);
    }
    let [command, write] = [operations[0], operations[1]];
    assert_eq!((command.call.outcome, command.call.attrs.get(TERMINAL_EXIT_CODE)), (Some(Outcome::Failed), Some(3)));
    assert_eq!(command.call.opened_at.unwrap().time_unix_nano, 4_000_000, "as its end says");
    assert_eq!((write.call.outcome, write.call.closed_at), (Some(Outcome::Completed), tools[1].call.closed_at));
    let session = &rollout.threads[0].terminals[0];
    assert_eq!((session.operations.len(), session.started_at), (2, command.call.opened_at));
    assert!(rollout.findings.is_empty(), "{:?}", rollout.findings);
}

#[test]
fn b31_an_end_that_names_another_terminal_ends_its_command_and_is_told() {
    let mut bundle = Bundle::new();
    bundle.tool("c1", exec(), invocation("exec_command", "{}"));
    bundle.tool_begin("c1", json!({"call_id": "c1", "process_id": "7", "command": ["ls"], "cwd": "/w"}));
    bundle.tool_done("c1", "completed", json!({"call_id": "c1", "process_id": "8", "command": ["ls"], "exit_code": 0}));
    let rollout = bundle.reduce();
    let operation = rollout.threads[0].turns[0].segments[0].terminal_operations.first().unwrap();
    assert_eq!(operation.call.attrs.get(TERMINAL_ID).as_deref(), Some("7"));
    assert_eq!(operation.call.outcome, Some(Outcome::Completed));
    assert_eq!((rollout.threads[0].terminals.len(), aside(&rollout)), (1, vec!["conflict"]));
}

#[test]
fn b31_and_reduction_a31_a_second_server_id_of_a_call_is_set_aside() {
    let mut bundle = Bundle::new();
    bundle.tool("c1", json!({"type": "other", "name": "x"}), invocation("x", "{}"));
    for id in ["first", "first", "second"] {
        bundle.told(json!({"type": "mcp_tool_call_correlation_assigned", "tool_call_id": "c1", "mcp_call_id": id}));
    }
    let rollout = bundle.reduce();
    let tool = tools(&rollout, "R")[0];
    let told: Vec<_> = tool.call.marks.iter().filter_map(|mark| mark.attrs.get(MCP_CALL_ID)).collect();
    assert!(told.iter().all(|id| id == "first"), "{told:?}");
    assert_eq!(aside(&rollout), ["conflict"]);
}

fn edges(rollout: &Rollout) -> Vec<(EdgeKind, &str)> {
    rollout.edges.iter().filter_map(|edge| Some((edge.kind?, &**edge.to.thread()?))).collect()
}

#[test]
fn b31_and_reduction_a36_a_message_whose_end_names_another_receiver_went_where_its_beginning_says() {
    for (receiver, text) in [("D", "m"), ("C", "other")] {
        let mut bundle = Bundle::new();
        bundle.child("C", "/root/c", "R");
        bundle.child("D", "/root/d", "R");
        bundle.tool("c1", json!({"type": "send_message"}), invocation("send_message", r#"{"message": "m"}"#));
        let told = |receiver: &str, text: &str| json!({"sender_thread_id": "R", "receiver_thread_id": receiver, "prompt": text});
        bundle.tool_begin("c1", told("C", "m"));
        bundle.tool_done("c1", "completed", told(receiver, text));
        let rollout = bundle.reduce();
        assert_eq!((edges(&rollout), aside(&rollout)), (vec![(EdgeKind::Message, "C")], vec!["conflict"]));
        // What the record says of the runtime stands.
        assert!(tools(&rollout, "R")[0].runtime.ended_at.is_some());
    }
}

#[test]
fn b31_and_reduction_a37_an_activity_that_is_not_what_its_tool_does_passes_nothing() {
    for (tool, fits) in [
        ("spawn_agent", "started"),
        ("send_message", "interacted"),
        ("assign_agent_task", "interacted"),
        ("close_agent", "interrupted"),
    ] {
        for activity in ["started", "interacted", "interrupted"] {
            let mut bundle = Bundle::new();
            bundle.child("C", "/root/c", "R");
            bundle.tool("c1", json!({"type": tool}), invocation(tool, r#"{"message": "m"}"#));
            let told = json!({"event_id": "e", "agent_thread_id": "C", "agent_path": "/root/c", "kind": activity});
            bundle.tool_done("c1", "completed", told);
            let rollout = bundle.reduce();
            let is_it = activity == fits;
            assert_eq!(
                (edges(&rollout).len(), aside(&rollout).len()),
                (usize::from(is_it), usize::from(!is_it)),
                "{tool} {activity}"
            );
        }
    }
}
