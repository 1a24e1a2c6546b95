//! Ids that are used again, records of one moment, clocks that step back.

use serde_json::{Value, json};
use veilspan::event::Outcome;
use veilspan::reduce::{CodeCell, FindingKind, Rollout};
use veilspan::semconv::CODE_CELL_RUNTIME_ID;

use super::build::*;
use super::tools::{exec, invocation};

fn direct(id: &str, text: &str) -> Value {
    json!({"type": "direct_response", "response_item": output(id, text)})
}

fn start_cell(bundle: &mut Bundle, at: (&str, &str), cell: &str, call: &str) {
    let started =
        json!({"type": "code_cell_started", "runtime_cell_id": cell, "model_visible_call_id": call, "source_js": "x"});
    bundle.at(Some(at.0), Some(at.1), started);
}

fn end_cell(bundle: &mut Bundle, at: (&str, &str), cell: &str, status: &str) -> u64 {
    let ended = json!({"type": "code_cell_ended", "runtime_cell_id": cell, "status": status, "response_payload": null});
    bundle.at(Some(at.0), Some(at.1), ended)
}

fn nested(bundle: &mut Bundle, at: (&str, &str), id: &str, cell: &str) {
    let requester = json!({"type": "code_cell", "runtime_cell_id": cell});
    bundle.tool_in(at, id, json!({"type": "other", "name": "x"}), requester, invocation("x", "{}"));
}

fn cells(rollout: &Rollout) -> Vec<&CodeCell> {
    rollout.turns().flat_map(|(_, turn)| turn.code_cells()).collect()
}

#[test]
fn a14_one_tool_id_in_two_turns_of_one_thread_is_two_calls_each_with_its_own_end() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{\"x\":1}")]));
    bundle.tool("call-1", exec(), invocation("exec_command", "{\"x\":1}"));
    bundle.tool_end("call-1", "failed", direct("call-1", "no"));
    bundle.end_turn("R", "t1", "completed");
    bundle.turn("R", "t2");
    let body = json!({"input": [user("hi"), call("call-1", "{\"x\":1}"), output("call-1", "no"), user("again")]});
    bundle.ask_in("R", "t2", "i2", body);
    bundle.answer_in("R", "t2", "i2", "resp-2", json!([call("call-1", "{\"y\":1}")]));
    bundle.tool_in(("R", "t2"), "call-1", exec(), json!({"type": "model"}), invocation("exec_command", "{\"y\":1}"));
    let payload = bundle.payload("tool_result", direct("call-1", "yes"));
    let ended =
        json!({"type": "tool_call_ended", "tool_call_id": "call-1", "status": "completed", "result_payload": payload});
    bundle.at(Some("R"), Some("t2"), ended);
    bundle.ask_in("R", "t2", "i3", json!({"previous_response_id": "resp-2", "input": [output("call-1", "yes")]}));
    let rollout = bundle.reduce();
    let tools = tools(&rollout, "R");
    let outcomes: Vec<_> = tools.iter().map(|tool| tool.call.outcome).collect();
    assert_eq!(outcomes, [Some(Outcome::Failed), Some(Outcome::Completed)]);
    assert_ne!(tools[0].call.key, tools[1].call.key);
    assert_ne!(tools[0].call.span, tools[1].call.span);
    assert_eq!((&tools[0].call_items[..], &tools[0].output_items[..]), (&[1][..], &[2][..]));
    assert_eq!((&tools[1].call_items[..], &tools[1].output_items[..]), (&[4][..], &[5][..]));
    assert!(rollout.findings.is_empty(), "{:?}", rollout.findings);
    let state = rollout.to_codex_state();
    assert_eq!(state["tool_calls"].as_object().unwrap().len(), 2, "no name hides another");
}

#[test]
fn a16_one_tool_id_twice_in_one_turn_is_two_uses() {
    let mut bundle = Bundle::new();
    for text in ["one", "two"] {
        bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
        bundle.tool_begin("call-1", json!({"command": [text], "cwd": "/w"}));
        bundle.tool_done("call-1", "completed", json!({"command": [text], "stdout": text, "exit_code": 0}));
        bundle.tool_end("call-1", "completed", direct("call-1", text));
    }
    let rollout = bundle.reduce();
    let tools = tools(&rollout, "R");
    let uses: Vec<_> = tools.iter().map(|tool| (tool.occurrence, tool.call.outcome)).collect();
    assert_eq!(uses, [(0, Some(Outcome::Completed)), (1, Some(Outcome::Completed))]);
    assert_ne!(tools[0].result.digest, tools[1].result.digest);
    assert_ne!(tools[0].terminal, tools[1].terminal);
    assert!(rollout.findings.is_empty(), "{:?}", rollout.findings);
}

#[test]
fn a_start_that_is_told_twice_is_one_call() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.lines.push(bundle.lines.last().unwrap().clone());
    bundle.tool_end("call-1", "completed", direct("call-1", "x"));
    let rollout = bundle.reduce();
    assert_eq!((tools(&rollout, "R").len(), kinds(&rollout)), (1, vec![FindingKind::Quarantined]));
}

#[test]
fn b11_a_runtime_that_begins_anew_uses_its_names_again() {
    let mut bundle = Bundle::new();
    start_cell(&mut bundle, ("R", "t1"), "1", "exec-1");
    nested(&mut bundle, ("R", "t1"), "call-1", "1");
    end_cell(&mut bundle, ("R", "t1"), "1", "completed");
    bundle.turn("R", "t2");
    start_cell(&mut bundle, ("R", "t2"), "1", "exec-2");
    nested(&mut bundle, ("R", "t2"), "call-2", "1");
    end_cell(&mut bundle, ("R", "t2"), "1", "failed");
    let rollout = bundle.reduce();
    let (cells, tools) = (cells(&rollout), tools(&rollout, "R"));
    let outcomes: Vec<_> = cells.iter().map(|cell| cell.call.outcome.unwrap()).collect();
    assert_eq!(outcomes, [Outcome::Completed, Outcome::Failed]);
    assert_eq!((&cells[0].nested[..], &cells[1].nested[..]), (&[tools[0].call.key][..], &[tools[1].call.key][..]));
    assert!(rollout.findings.is_empty(), "{:?}", rollout.findings);
}

#[test]
fn b11_cells_of_one_id_in_two_threads_both_stand_in_codex_shape() {
    let mut bundle = Bundle::new();
    start_cell(&mut bundle, ("R", "t1"), "1", "exec-1");
    bundle.child("C", "/root/child", "R");
    bundle.turn("C", "t2");
    start_cell(&mut bundle, ("C", "t2"), "1", "exec-1");
    end_cell(&mut bundle, ("C", "t2"), "1", "completed");
    let state = bundle.reduce().to_codex_state();
    let cells: Vec<_> = state["code_cells"].as_object().unwrap().values().collect();
    let statuses: Vec<_> = cells.iter().map(|cell| cell["runtime_status"].as_str().unwrap()).collect();
    assert_eq!((cells.len(), statuses), (2, vec!["starting", "completed"]));
}

#[test]
fn b18_a_tool_that_a_cell_calls_in_a_later_turn_makes_no_other_cell() {
    let mut bundle = Bundle::new();
    start_cell(&mut bundle, ("R", "t1"), "1", "exec-1");
    bundle.end_turn("R", "t1", "completed");
    bundle.turn("R", "t2");
    nested(&mut bundle, ("R", "t2"), "call-1", "1");
    let rollout = bundle.reduce();
    assert_eq!((cells(&rollout).len(), cells(&rollout)[0].nested.len()), (1, 1));
    assert!(rollout.findings.is_empty(), "{:?}", rollout.findings);
}

#[test]
fn b17_and_b18_a_cell_known_by_its_tools_alone_is_terminated_with_its_turn() {
    let mut bundle = Bundle::new();
    nested(&mut bundle, ("R", "t1"), "call-1", "7");
    let seq = bundle.end_turn("R", "t1", "cancelled");
    let rollout = bundle.reduce();
    let cell = cells(&rollout)[0];
    assert_eq!((cell.reported, cell.call.outcome), (false, Some(Outcome::Cancelled)));
    assert_eq!(cell.call.closed_at.unwrap().seq, Some(seq));
    assert_eq!(cell.call.attrs.text(CODE_CELL_RUNTIME_ID), Some("7"));
}

#[test]
fn b27_a_cell_that_still_runs_is_abandoned_when_its_rollout_ends_and_not_before() {
    let mut bundle = Bundle::new();
    start_cell(&mut bundle, ("R", "t1"), "1", "exec-1");
    nested(&mut bundle, ("R", "t1"), "call-1", "9");
    bundle.end_turn("R", "t1", "completed");
    assert!(cells(&bundle.reduce()).iter().all(|cell| cell.call.outcome.is_none()));
    bundle.at(None, None, json!({"type": "rollout_ended", "status": "completed"}));
    let rollout = bundle.reduce();
    assert!(cells(&rollout).iter().all(|cell| cell.call.outcome == Some(Outcome::Abandoned) && cell.call.end_inferred));
}

#[test]
fn b14_in_one_millisecond_the_number_says_which_end_was_first() {
    let mut bundle = Bundle::new();
    start_cell(&mut bundle, ("R", "t1"), "1", "exec-1");
    start_cell(&mut bundle, ("R", "t1"), "2", "exec-2");
    end_cell(&mut bundle, ("R", "t1"), "2", "completed");
    bundle.end_turn("R", "t1", "cancelled");
    end_cell(&mut bundle, ("R", "t1"), "1", "completed");
    bundle.set_times(|_| 5);
    let rollout = bundle.reduce();
    let outcomes: Vec<_> = cells(&rollout).iter().map(|cell| cell.call.outcome.unwrap()).collect();
    assert_eq!(outcomes, [Outcome::Cancelled, Outcome::Completed]);
}

#[test]
fn b28_a_clock_that_steps_back_changes_no_order() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    start_cell(&mut bundle, ("R", "t1"), "1", "exec-1");
    bundle.end_turn("R", "t1", "cancelled");
    end_cell(&mut bundle, ("R", "t1"), "1", "completed");
    bundle.answer("i1", "resp-1", json!([assistant("late")]));
    let steady = bundle.reduce();
    bundle.set_times(|seq| 1_000 - seq);
    let rollout = bundle.reduce();
    let told = |rollout: &Rollout| {
        let cell = cells(rollout)[0].call.outcome;
        let inference = inferences(rollout)[0];
        (cell, inference.call.outcome, inference.call.late, produced(inference), kinds(rollout))
    };
    assert_eq!(told(&rollout), told(&steady));
    assert_eq!(cells(&rollout)[0].call.outcome, Some(Outcome::Cancelled));
    assert!(rollout.turns().all(|(_, turn)| turn.calls().all(|call| call.closed_at >= call.opened_at)));
}

#[test]
fn b15_what_a_cell_answers_after_its_end_is_no_status_of_it_in_one_millisecond_either() {
    let mut bundle = Bundle::new();
    start_cell(&mut bundle, ("R", "t1"), "1", "exec-1");
    end_cell(&mut bundle, ("R", "t1"), "1", "failed");
    bundle.told(json!({"type": "code_cell_initial_response", "runtime_cell_id": "1", "status": "yielded", "response_payload": null}));
    bundle.set_times(|_| 5);
    let rollout = bundle.reduce();
    assert_eq!(cells(&rollout)[0].status.as_deref(), Some("failed"));
}

#[test]
fn b16_a_cell_that_said_that_it_goes_on_ends_with_its_real_end() {
    for word in ["yielded", "running", "starting"] {
        let mut bundle = Bundle::new();
        start_cell(&mut bundle, ("R", "t1"), "1", "exec-1");
        end_cell(&mut bundle, ("R", "t1"), "1", word);
        assert_eq!(cells(&bundle.reduce())[0].call.closed_at, None, "{word}");
        let seq = end_cell(&mut bundle, ("R", "t1"), "1", "completed");
        let rollout = bundle.reduce();
        let call = &cells(&rollout)[0].call;
        assert_eq!((call.outcome, call.closed_at.unwrap().seq), (Some(Outcome::Completed), Some(seq)));
        assert_eq!(kinds(&rollout), [FindingKind::Conflict]);
    }
}

#[test]
fn b12_a_wait_that_is_told_before_its_cell_is_linked() {
    let mut bundle = Bundle::new();
    bundle.tool("call-1", json!({"type": "other", "name": "wait"}), invocation("wait", r#"{"cell_id": 4}"#));
    start_cell(&mut bundle, ("R", "t1"), "4", "exec-1");
    let rollout = bundle.reduce();
    assert_eq!(cells(&rollout)[0].waits, [tools(&rollout, "R")[0].call.key]);
}

#[test]
fn reduction_a45_a_wait_for_a_cell_of_another_thread_waits_for_none() {
    let mut bundle = Bundle::new();
    bundle.child("C", "/root/child", "R");
    bundle.turn("C", "t2");
    start_cell(&mut bundle, ("C", "t2"), "1", "exec-1");
    bundle.tool("call-1", json!({"type": "other", "name": "wait"}), invocation("wait", r#"{"cell_id": "1"}"#));
    let rollout = bundle.reduce();
    assert_eq!((cells(&rollout).len(), cells(&rollout)[0].waits.len()), (1, 0));
}

#[test]
fn b10_a_childs_tool_of_the_same_id_is_linked_to_the_childs_items_alone() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    bundle.tool("call-1", exec(), invocation("exec_command", "{}"));
    bundle.child("C", "/root/child", "R");
    bundle.turn("C", "t2");
    bundle.ask_in("C", "t2", "i2", json!({"input": [user("hi")]}));
    bundle.answer_in("C", "t2", "i2", "resp-1", json!([call("call-1", "{}")]));
    bundle.tool_in(("C", "t2"), "call-1", exec(), json!({"type": "model"}), invocation("exec_command", "{}"));
    let payload = bundle.payload("tool_result", direct("call-1", "x"));
    let ended =
        json!({"type": "tool_call_ended", "tool_call_id": "call-1", "status": "failed", "result_payload": payload});
    bundle.at(Some("C"), Some("t2"), ended);
    let rollout = bundle.reduce();
    assert_eq!(
        (tools(&rollout, "R")[0].call.outcome, tools(&rollout, "C")[0].call.outcome),
        (None, Some(Outcome::Failed))
    );
    assert_eq!(
        (&tools(&rollout, "R")[0].call_items[..], &tools(&rollout, "C")[0].call_items[..]),
        (&[1][..], &[1][..])
    );
    assert_eq!(inferences(&rollout)[0].started, [tools(&rollout, "R")[0].call.key]);
}

#[test]
fn b01_a_call_id_of_an_earlier_turn_that_no_tool_is_known_of_takes_nothing_from_the_later_one() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.answer("i1", "resp-1", json!([call("call-1", "{}")]));
    let more = |id: &str, response: &str, text: &str| {
        (id.to_owned(), json!({"previous_response_id": response, "input": [output("call-1", text)]}))
    };
    let (id, body) = more("i2", "resp-1", "one");
    bundle.ask_in("R", "t1", &id, body);
    for turn in ["t2", "t3"] {
        bundle.turn("R", turn);
        bundle.ask_in(
            "R",
            turn,
            &format!("a-{turn}"),
            json!({"previous_response_id": "resp-1", "input": [user(turn)]}),
        );
        bundle.answer_in("R", turn, &format!("a-{turn}"), &format!("resp-{turn}"), json!([call("call-1", "{}")]));
        bundle.tool_in(("R", turn), "call-1", exec(), json!({"type": "model"}), invocation("exec_command", "{}"));
        let payload = bundle.payload("tool_result", direct("call-1", turn));
        let ended = json!({"type": "tool_call_ended", "tool_call_id": "call-1", "status": "completed", "result_payload": payload});
        bundle.at(Some("R"), Some(turn), ended);
    }
    let rollout = bundle.reduce();
    let turns = &thread(&rollout, "R").turns;
    for turn in &turns[1..] {
        let tool = turn.tool_calls().next().unwrap();
        let asked = turn.inferences().next().unwrap();
        let asking: Vec<u32> = produced(asked);
        assert!(tool.call_items.contains(&asking[0]), "{}: {:?} {asking:?}", turn.id, tool.call_items);
        assert_eq!(asked.started, [tool.call.key]);
    }
}
