use serde_json::json;
use veilspan::event::Outcome;
use veilspan::reduce::{CodeCell, FindingKind, Producer, Rollout};

use super::build::*;

fn source(id: &str) -> serde_json::Value {
    json!({"type": "custom_tool_call", "call_id": id, "name": "exec", "input": "await tools.x()"})
}

fn result(id: &str) -> serde_json::Value {
    json!({"type": "custom_tool_call_output", "call_id": id, "output": "done"})
}

fn start(bundle: &mut Bundle, cell: &str, call: &str) {
    let started = json!({"type": "code_cell_started", "runtime_cell_id": cell, "model_visible_call_id": call, "source_js": "await tools.x()"});
    bundle.told(started);
}

fn respond(bundle: &mut Bundle, cell: &str, status: &str) -> u64 {
    bundle.told(json!({"type": "code_cell_initial_response", "runtime_cell_id": cell, "status": status, "response_payload": null}))
}

fn finish(bundle: &mut Bundle, cell: &str, status: &str) -> u64 {
    bundle.told(json!({"type": "code_cell_ended", "runtime_cell_id": cell, "status": status, "response_payload": null}))
}

fn nested(bundle: &mut Bundle, id: &str, cell: &str) {
    let requester = json!({"type": "code_cell", "runtime_cell_id": cell});
    let invocation = json!({"tool_name": "x", "payload": {"type": "function", "arguments": "{}"}});
    bundle.tool_in(("R", "t1"), id, json!({"type": "other", "name": "x"}), requester, invocation);
}

fn wait(bundle: &mut Bundle, id: &str, cell: &str) {
    let arguments = json!({"cell_id": cell}).to_string();
    let invocation = json!({"tool_name": "wait", "payload": {"type": "function", "arguments": arguments}});
    bundle.tool(id, json!({"type": "other", "name": "wait"}), invocation);
}

fn cells(rollout: &Rollout) -> Vec<&CodeCell> {
    rollout.turns().flat_map(|(_, turn)| turn.code_cells()).collect()
}

fn asked(bundle: &mut Bundle) {
    bundle.ask("i1", json!([user("hi")]));
}

fn answered(bundle: &mut Bundle) {
    bundle.answer("i1", "resp-1", json!([source("exec-1")]));
}

#[test]
fn reduction_a23_a_cell_that_began_before_its_answer_was_told_yields_waits_and_completes() {
    let mut bundle = Bundle::new();
    asked(&mut bundle);
    start(&mut bundle, "1", "exec-1");
    answered(&mut bundle);
    let yielded = respond(&mut bundle, "1", "yielded");
    nested(&mut bundle, "call-1", "1");
    bundle.ask_in("R", "t1", "i2", json!({"previous_response_id": "resp-1", "input": [result("exec-1")]}));
    wait(&mut bundle, "call-2", "1");
    finish(&mut bundle, "1", "completed");
    let rollout = bundle.reduce();
    let cell = cells(&rollout)[0];
    assert_eq!((cell.call.outcome, cell.status.as_deref()), (Some(Outcome::Completed), Some("completed")));
    assert_eq!(cell.yielded_at.unwrap().seq, Some(yielded));
    let tools = tools(&rollout, "R");
    assert_eq!((&cell.nested[..], &cell.waits[..]), (&[tools[0].call.key][..], &[tools[1].call.key][..]));
    assert_eq!((cell.source_item, &cell.output_items[..]), (Some(1), &[2][..]));
    assert_eq!(thread(&rollout, "R").items[2].produced_by, [Producer::CodeCell(cell.call.key)]);
    assert_eq!(tools[0].cell, Some(cell.call.key));
    assert!(rollout.findings.is_empty());
}

#[test]
fn reduction_a24_a_cell_that_ended_before_its_source_was_told_has_it_all_the_same() {
    let mut bundle = Bundle::new();
    asked(&mut bundle);
    start(&mut bundle, "1", "exec-1");
    respond(&mut bundle, "1", "failed");
    finish(&mut bundle, "1", "failed");
    answered(&mut bundle);
    let rollout = bundle.reduce();
    assert_eq!((cells(&rollout)[0].call.outcome, cells(&rollout)[0].source_item), (Some(Outcome::Failed), Some(1)));
}

#[test]
fn reduction_a25_and_b17_a_cancelled_turn_terminates_its_open_cell_at_its_own_end() {
    for told_before in [true, false] {
        let mut bundle = Bundle::new();
        asked(&mut bundle);
        start(&mut bundle, "1", "exec-1");
        if told_before {
            answered(&mut bundle);
        }
        let seq = bundle.end_turn("R", "t1", "cancelled");
        if !told_before {
            answered(&mut bundle);
        }
        let rollout = bundle.reduce();
        let call = &cells(&rollout)[0].call;
        assert_eq!((call.outcome, call.closed_at.unwrap().seq), (Some(Outcome::Cancelled), Some(seq)));
        let json = rollout.to_json();
        assert_eq!(json["threads"][0]["turns"][0]["segments"][0]["code_cells"][0]["status"], "terminated");
    }
}

#[test]
fn a_cell_may_outlive_a_turn_that_completed() {
    let mut bundle = Bundle::new();
    start(&mut bundle, "1", "exec-1");
    bundle.end_turn("R", "t1", "completed");
    assert_eq!(cells(&bundle.reduce())[0].call.outcome, None);
    // Its end is told in the turn that waited for it.
    bundle.turn("R", "t2");
    let ended =
        json!({"type": "code_cell_ended", "runtime_cell_id": "1", "status": "completed", "response_payload": null});
    bundle.at(Some("R"), Some("t2"), ended);
    let rollout = bundle.reduce();
    assert_eq!((cells(&rollout).len(), cells(&rollout)[0].call.outcome), (1, Some(Outcome::Completed)));
}

#[test]
fn b11_one_call_id_in_two_threads_is_two_cells() {
    let mut bundle = Bundle::new();
    start(&mut bundle, "1", "exec-1");
    bundle.child("C", "/root/child", "R");
    bundle.turn("C", "t2");
    let started = json!({"type": "code_cell_started", "runtime_cell_id": "1", "model_visible_call_id": "exec-1", "source_js": "x"});
    bundle.at(Some("C"), Some("t2"), started);
    let rollout = bundle.reduce();
    assert_eq!(cells(&rollout).len(), 2);
    assert!(rollout.findings.is_empty());
}

#[test]
fn b12_a_wait_for_a_cell_whose_source_is_not_known_yet_is_linked() {
    let mut bundle = Bundle::new();
    asked(&mut bundle);
    start(&mut bundle, "1", "exec-1");
    wait(&mut bundle, "call-2", "1");
    answered(&mut bundle);
    assert_eq!(cells(&bundle.reduce())[0].waits.len(), 1);
}

#[test]
fn b14_the_first_end_of_a_cell_counts() {
    let mut bundle = Bundle::new();
    start(&mut bundle, "1", "exec-1");
    bundle.end_turn("R", "t1", "cancelled");
    finish(&mut bundle, "1", "completed");
    let rollout = bundle.reduce();
    assert_eq!(cells(&rollout)[0].call.outcome, Some(Outcome::Cancelled));
    assert_eq!(kinds(&rollout), [FindingKind::Conflict]);
}

#[test]
fn b15_a_first_answer_after_the_end_changes_no_status() {
    let mut bundle = Bundle::new();
    start(&mut bundle, "1", "exec-1");
    finish(&mut bundle, "1", "completed");
    respond(&mut bundle, "1", "running");
    assert_eq!(cells(&bundle.reduce())[0].status.as_deref(), Some("completed"));
}

#[test]
fn b16_an_end_that_says_that_the_cell_goes_on_is_none() {
    let mut bundle = Bundle::new();
    start(&mut bundle, "1", "exec-1");
    finish(&mut bundle, "1", "yielded");
    let rollout = bundle.reduce();
    assert_eq!((cells(&rollout)[0].call.closed_at, kinds(&rollout)), (None, vec![FindingKind::Conflict]));
}

#[test]
fn b18_a_cell_that_nobody_reported_is_known_by_the_tools_that_it_called() {
    let mut bundle = Bundle::new();
    nested(&mut bundle, "call-1", "7");
    nested(&mut bundle, "call-2", "7");
    let rollout = bundle.reduce();
    let cell = cells(&rollout)[0];
    assert_eq!((cells(&rollout).len(), cell.reported, cell.nested.len()), (1, false, 2));
    assert_eq!(kinds(&rollout), [FindingKind::Orphan]);
}
