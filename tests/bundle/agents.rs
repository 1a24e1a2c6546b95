use serde_json::{Value, json};
use veilspan::event::{EdgeKind, Outcome};
use veilspan::reduce::{Edge, Reason, Rollout};

use super::build::*;

fn spawn(bundle: &mut Bundle) {
    let invocation =
        json!({"tool_name": "spawn_agent", "payload": {"type": "function", "arguments": "{\"message\":\"count\"}"}});
    bundle.tool("call-1", json!({"type": "spawn_agent"}), invocation);
    bundle.tool_begin("call-1", json!({"call_id": "call-1", "sender_thread_id": "R", "prompt": "count"}));
    bundle.child("C", "/root/child", "R");
    let done = json!({"call_id": "call-1", "sender_thread_id": "R", "new_thread_id": "C", "prompt": "count", "status": "running"});
    bundle.tool_done("call-1", "completed", done);
    bundle.tool_end("call-1", "completed", json!({"type": "direct_response", "response_item": output("call-1", "C")}));
}

fn message(author: &str, recipient: &str, text: &str) -> Value {
    json!({"type": "agent_message", "author": author, "recipient": recipient, "content": [{"type": "input_text", "text": text}]})
}

fn edges(rollout: &Rollout, kind: EdgeKind) -> Vec<&Edge> {
    rollout.edges.iter().filter(|edge| edge.kind == Some(kind)).collect()
}

#[test]
fn reduction_a32_a_childs_metadata_tells_who_started_it_and_is_no_edge() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    let rollout = bundle.reduce();
    let agent = &thread(&rollout, "C").agent;
    assert_eq!((agent.parent.as_deref(), agent.role.as_deref()), (Some("R"), Some("worker")));
    assert_eq!((agent.path.as_deref(), agent.task.as_deref()), (Some("root/child"), Some("child")));
    assert!(rollout.edges.is_empty());
    assert_eq!(rollout.root.as_deref(), Some("R"));
}

#[test]
fn reduction_a33_a_task_arrives_as_the_item_that_the_child_shows() {
    let mut bundle = Bundle::new();
    spawn(&mut bundle);
    bundle.turn("C", "t2");
    let input = json!([message("/root", "/root/other", "count"), message("/root", "/root/child", "count")]);
    bundle.ask_in("C", "t2", "i1", json!({"input": input}));
    let rollout = bundle.reduce();
    let spawned = edges(&rollout, EdgeKind::Spawn)[0];
    assert_eq!((spawned.to.thread.as_deref(), spawned.to.item, &spawned.items[..]), (Some("C"), Some(1), &[1][..]));
    assert_eq!(spawned.from.node.as_ref().unwrap().call, Some(tools(&rollout, "R")[0].call.key));
    // The invocation, both sides of the runtime, the result; the child's metadata is none of its own.
    assert_eq!(spawned.evidence, ["raw_payload:1", "raw_payload:2", "raw_payload:4", "raw_payload:5"]);
    assert!(rollout.findings.is_empty());
    let child = &thread(&rollout, "C").turns[0];
    assert_eq!(child.spawned_by.as_ref().unwrap().call, Some(tools(&rollout, "R")[0].call.key));
}

#[test]
fn reduction_a34_a_task_that_the_child_never_shows_went_to_the_thread() {
    let mut bundle = Bundle::new();
    spawn(&mut bundle);
    let rollout = bundle.reduce();
    let spawned = edges(&rollout, EdgeKind::Spawn)[0];
    assert_eq!((spawned.to.thread.as_deref(), spawned.to.item, spawned.items.len()), (Some("C"), None, 0));
}

fn interaction(bundle: &mut Bundle, tool: &str, kind: &str, activity: bool) {
    let invocation = json!({"tool_name": tool, "payload": {"type": "function", "arguments": "{\"message\":\"more\"}"}});
    bundle.tool("call-2", json!({"type": kind}), invocation);
    if activity {
        bundle.tool_done("call-2", "completed", json!({
            "event_id": "call-2", "occurred_at_ms": 1, "agent_thread_id": "C", "agent_path": "/root/child", "kind": "interacted",
        }));
    } else {
        let told = json!({"call_id": "call-2", "sender_thread_id": "R", "receiver_thread_id": "C", "prompt": "more"});
        bundle.tool_begin("call-2", told.clone());
        bundle.tool_done("call-2", "completed", told);
    }
}

#[test]
fn reduction_a36_what_is_told_of_a_message_twice_is_one_edge_with_an_end() {
    for activity in [true, false] {
        let mut bundle = Bundle::new();
        bundle.child("C", "/root/child", "R");
        interaction(&mut bundle, "send_message", "send_message", activity);
        bundle.turn("C", "t2");
        bundle.ask_in("C", "t2", "i1", json!({"input": [message("/root", "/root/child", "more")]}));
        let rollout = bundle.reduce();
        let sent = edges(&rollout, EdgeKind::Message);
        assert_eq!((sent.len(), sent[0].to.item), (1, Some(0)), "{activity}");
        assert!(sent[0].started_at.unwrap() <= sent[0].ended_at.unwrap());
    }
}

#[test]
fn reduction_a37_a_task_for_an_agent_that_runs_is_a_task() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    interaction(&mut bundle, "followup_task", "assign_agent_task", true);
    assert_eq!(edges(&bundle.reduce(), EdgeKind::Task).len(), 1);
}

#[test]
fn reduction_a38_a_child_that_is_closed_leaves_its_rollout_running() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    let invocation = json!({"tool_name": "close_agent", "payload": {"type": "function", "arguments": "{}"}});
    bundle.tool("call-2", json!({"type": "close_agent"}), invocation);
    let told = json!({"call_id": "call-2", "sender_thread_id": "R", "receiver_thread_id": "C"});
    bundle.tool_begin("call-2", told.clone());
    bundle.tool_done("call-2", "completed", told);
    bundle.tool_end("call-2", "completed", json!({"type": "direct_response", "response_item": output("call-2", "ok")}));
    bundle.at(None, None, json!({"type": "thread_ended", "thread_id": "C", "status": "completed"}));
    let rollout = bundle.reduce();
    let closed = edges(&rollout, EdgeKind::Close)[0];
    assert_eq!((closed.items.len(), closed.evidence.len()), (0, 4));
    assert_eq!((thread(&rollout, "C").outcome, rollout.closed), (Some(Outcome::Completed), None));
}

fn result(bundle: &mut Bundle) {
    let payload = bundle
        .payload("agent_result", json!({"child_agent_path": "/root/child", "message": "done", "status": "completed"}));
    bundle.at(
        Some("C"),
        Some("t2"),
        json!({
            "type": "agent_result_observed", "edge_id": "edge:agent_result:C:t2:R", "child_thread_id": "C",
            "child_codex_turn_id": "t2", "parent_thread_id": "R", "message": "done", "carried_payload": payload,
        }),
    );
}

#[test]
fn reduction_a39_and_b19_a_result_runs_from_the_last_answer_of_the_child_to_what_the_parent_shows() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    bundle.turn("C", "t2");
    bundle.ask_in("C", "t2", "i1", json!({"input": [user("count")]}));
    let answers: Vec<Value> = (0..12).map(|number| assistant(&format!("step {number}"))).collect();
    bundle.answer_in("C", "t2", "i1", "resp-1", json!(answers));
    result(&mut bundle);
    bundle.ask("i2", json!([user("hi"), message("/root/child", "/root", "done")]));
    let rollout = bundle.reduce();
    let returned = edges(&rollout, EdgeKind::Result)[0];
    // Of numbers, not of texts: 12 comes after 9.
    assert_eq!((returned.from.item, returned.to.item), (Some(12), Some(1)));
    assert_eq!(returned.id.as_deref(), Some("edge:agent_result:C:t2:R"));
    assert_eq!(returned.evidence.len(), 1);
}

#[test]
fn each_item_is_what_arrived_of_one_message() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    interaction(&mut bundle, "send_message", "send_message", false);
    let invocation =
        json!({"tool_name": "send_message", "payload": {"type": "function", "arguments": "{\"message\":\"more\"}"}});
    bundle.tool("call-3", json!({"type": "send_message"}), invocation);
    let told = json!({"call_id": "call-3", "sender_thread_id": "R", "receiver_thread_id": "C", "prompt": "more"});
    bundle.tool_done("call-3", "completed", told);
    bundle.turn("C", "t2");
    let twice = json!([message("/root", "/root/child", "more"), message("/root", "/root/child", "more")]);
    bundle.ask_in("C", "t2", "i1", json!({"input": twice}));
    let rollout = bundle.reduce();
    let mut sent = edges(&rollout, EdgeKind::Message);
    sent.sort_by_key(|edge| edge.started_at);
    let arrived: Vec<_> = sent.iter().map(|edge| edge.to.item).collect();
    assert_eq!(arrived, [Some(0), Some(1)]);
}

#[test]
fn reduction_a41_a_root_that_began_and_ended_completed() {
    let mut bundle = Bundle::empty();
    let metadata = bundle.payload("session_metadata", json!({"thread_id": "R", "agent_path": "/root"}));
    bundle.at(
        None,
        None,
        json!({"type": "thread_started", "thread_id": "R", "agent_path": "/root", "metadata_payload": metadata}),
    );
    bundle.at(None, None, json!({"type": "thread_ended", "thread_id": "R", "status": "completed"}));
    bundle.at(None, None, json!({"type": "rollout_ended", "status": "completed"}));
    let rollout = bundle.reduce();
    assert_eq!((rollout.outcome, rollout.closed), (Some(Outcome::Completed), Some(Reason::Ended)));
    assert_eq!(rollout.evidence.len(), 1);
}

#[test]
fn reduction_a42_a_child_in_the_bundle_of_its_root_ends_alone() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    bundle.at(None, None, json!({"type": "thread_ended", "thread_id": "C", "status": "completed"}));
    let rollout = bundle.reduce();
    assert_eq!((rollout.threads.len(), rollout.outcome, rollout.closed), (2, None, None));
    assert_eq!(thread(&rollout, "C").outcome, Some(Outcome::Completed));
}

#[test]
fn reduction_a33_a_spawn_that_gave_no_thread_went_nowhere() {
    let mut bundle = Bundle::new();
    let invocation =
        json!({"tool_name": "spawn_agent", "payload": {"type": "function", "arguments": "{\"message\":\"count\"}"}});
    bundle.tool("call-1", json!({"type": "spawn_agent"}), invocation);
    bundle.tool_begin("call-1", json!({"call_id": "call-1", "sender_thread_id": "R", "prompt": "count"}));
    bundle.tool_done("call-1", "failed", json!({"call_id": "call-1", "sender_thread_id": "R", "new_thread_id": null}));
    let rollout = bundle.reduce();
    assert!(rollout.edges.is_empty());
    assert_eq!(tools(&rollout, "R")[0].runtime.outcome.as_deref(), Some("failed"));
}

#[test]
fn reduction_a34_a_task_arrives_where_it_is_shown_in_a_later_turn_too() {
    let mut bundle = Bundle::new();
    spawn(&mut bundle);
    bundle.turn("C", "t2");
    bundle.ask_in("C", "t2", "i1", json!({"input": [user("nothing of it")]}));
    assert_eq!(edges(&bundle.reduce(), EdgeKind::Spawn)[0].to.item, None);
    bundle.turn("C", "t3");
    bundle.ask_in("C", "t3", "i2", json!({"input": [user("nothing of it"), message("/root", "/root/child", "count")]}));
    assert_eq!(edges(&bundle.reduce(), EdgeKind::Spawn)[0].to.item, Some(1));
}

#[test]
fn reduction_a38_what_closes_a_thread_that_nobody_knows_is_no_edge() {
    let mut bundle = Bundle::new();
    let invocation = json!({"tool_name": "close_agent", "payload": {"type": "function", "arguments": "{}"}});
    bundle.tool("call-2", json!({"type": "close_agent"}), invocation);
    bundle.tool_done(
        "call-2",
        "completed",
        json!({"call_id": "call-2", "sender_thread_id": "R", "receiver_thread_id": "X"}),
    );
    assert!(bundle.reduce().edges.is_empty());
}

#[test]
fn reduction_a39_two_results_that_say_the_same_arrive_as_two_items() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    for turn in ["t2", "t3"] {
        bundle.turn("C", turn);
        bundle.ask_in("C", turn, &format!("i-{turn}"), json!({"input": [user(turn)]}));
        bundle.answer_in("C", turn, &format!("i-{turn}"), &format!("resp-{turn}"), json!([assistant("done")]));
        bundle.at(Some("C"), Some(turn), json!({
            "type": "agent_result_observed", "edge_id": format!("edge:agent_result:C:{turn}:R"), "child_thread_id": "C",
            "child_codex_turn_id": turn, "parent_thread_id": "R", "message": "done", "carried_payload": null,
        }));
    }
    bundle.ask("i9", json!([message("/root/child", "/root", "done"), message("/root/child", "/root", "done")]));
    let rollout = bundle.reduce();
    let mut returned = edges(&rollout, EdgeKind::Result);
    returned.sort_by_key(|edge| edge.started_at);
    let arrived: Vec<_> = returned.iter().map(|edge| (edge.from.item.is_some(), edge.to.item)).collect();
    assert_eq!(arrived, [(true, Some(0)), (true, Some(1))]);
}

#[test]
fn reduction_a42_a_grandchild_ends_alone_and_hangs_under_its_parent() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    bundle.child("G", "/root/child/grand", "C");
    bundle.at(None, None, json!({"type": "thread_ended", "thread_id": "G", "status": "failed"}));
    let rollout = bundle.reduce();
    assert_eq!((rollout.threads.len(), rollout.closed, rollout.root.as_deref()), (3, None, Some("R")));
    assert_eq!(
        (thread(&rollout, "G").outcome, thread(&rollout, "G").agent.parent.as_deref()),
        (Some(Outcome::Failed), Some("C"))
    );
}
