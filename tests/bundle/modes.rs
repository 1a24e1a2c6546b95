//! Every generation of the format, and what is said in more than one way.

use std::fs;

use serde_json::{Value, json};
use veilspan::event::Outcome;
use veilspan::reduce::{FindingKind, Producer, Rollout};
use veilspan::semconv::{INPUT_TOKENS, PREVIOUS_RESPONSE_ID};

use super::build::*;

fn aside(rollout: &Rollout) -> Vec<(&str, &str)> {
    rollout.quarantine.iter().map(|one| (&*one.place, &*one.reason)).collect()
}

fn ask_as(bundle: &mut Bundle, id: &str, mode: Value, body: Value) {
    let request = bundle.payload("inference_request", body);
    bundle.told(json!({
        "type": "inference_started", "inference_call_id": id, "thread_id": "R", "codex_turn_id": "t1", "model": "m",
        "provider_name": "p", "request_input_mode": mode, "request_payload": request,
    }));
}

#[test]
fn reduction_a04_a_request_says_what_it_extends_in_its_record_or_in_its_body() {
    for (mode, body) in [
        (json!({"type": "incremental", "previous_response_id": "resp-1"}), json!({"input": [user("more")]})),
        (Value::Null, json!({"previous_response_id": "resp-1", "input": [user("more")]})),
        (
            json!({"type": "full_snapshot"}),
            json!({"previous_response_id": "resp-1", "input": [user("hi"), assistant("ho"), user("more")]}),
        ),
    ] {
        let mut bundle = Bundle::new();
        bundle.ask("i1", json!([user("hi")]));
        bundle.answer("i1", "resp-1", json!([assistant("ho")]));
        ask_as(&mut bundle, "i2", mode.clone(), body);
        let rollout = bundle.reduce();
        assert_eq!(shown(inferences(&rollout)[1]), [0, 1, 2], "{mode}");
        assert!(rollout.findings.is_empty(), "{mode}");
    }
}

#[test]
fn reduction_a13_what_a_request_extends_may_stand_beside_it_when_it_was_not_traced() {
    for whole in [json!([user("before"), assistant("yes")]), json!({"input": [user("before"), assistant("yes")]})] {
        let mut bundle = Bundle::new();
        let prefix = bundle.payload("inference_request", whole);
        let mode = json!({"type": "incremental_with_untraced_prefix", "previous_response_id": "resp-0", "prefix_payload": prefix});
        ask_as(&mut bundle, "i1", mode, json!({"previous_response_id": "resp-0", "input": [user("more")]}));
        bundle.ask("i2", json!([user("before"), assistant("yes"), user("more"), user("and")]));
        let rollout = bundle.reduce();
        let requests = inferences(&rollout);
        assert_eq!((shown(requests[0]), shown(requests[1])), (vec![0, 1, 2], vec![0, 1, 2, 3]));
        assert_eq!(requests[0].call.attrs.get(PREVIOUS_RESPONSE_ID), None);
        assert!(rollout.findings.is_empty(), "{:?}", rollout.findings);
        assert!(rollout.evidence.iter().any(|evidence| evidence.reference == "raw_payload:1"), "it is registered");
    }
}

#[test]
fn reduction_a13_and_b29_what_cannot_be_read_of_it_leaves_a_gap_and_is_set_aside() {
    for (path, reason) in
        [("../x", "path_outside"), ("payloads/9.json", "payload_missing"), ("manifest.json", "payload_shape")]
    {
        let mut bundle = Bundle::new();
        let prefix = json!({"raw_payload_id": "raw_payload:9", "kind": {"type": "inference_request"}, "path": path});
        let mode = json!({"type": "incremental_with_untraced_prefix", "previous_response_id": "resp-0", "prefix_payload": prefix});
        ask_as(&mut bundle, "i1", mode, json!({"input": [user("more")]}));
        let rollout = bundle.reduce();
        assert_eq!(aside(&rollout), [("trace.jsonl:4:request_input_mode", reason)]);
        assert_eq!(shown(inferences(&rollout)[0]), [0], "what it tells itself is known");
        assert!(kinds(&rollout).contains(&FindingKind::Gap));
    }
}

#[test]
fn b30_a_status_that_this_version_does_not_know_ends_nothing_and_is_set_aside() {
    let mut bundle = Bundle::new();
    bundle.tool(
        "call-1",
        json!({"type": "exec_command"}),
        json!({"tool_name": "exec_command", "payload": {"type": "function", "arguments": "{}"}}),
    );
    bundle.tool_end("call-1", "paused", json!({"type": "error", "error": "x"}));
    bundle.end_turn("R", "t1", "hibernated");
    bundle.at(None, None, json!({"type": "thread_ended", "thread_id": "R", "status": "archived"}));
    bundle.at(None, None, json!({"type": "rollout_ended", "status": "archived"}));
    let rollout = bundle.reduce();
    let told = aside(&rollout);
    assert_eq!(told.len(), 4);
    assert!(told.iter().all(|(place, reason)| place.ends_with(":status") && *reason == "field"), "{told:?}");
    assert_eq!((tools(&rollout, "R")[0].call.outcome, rollout.outcome, rollout.closed), (None, None, None));
}

#[test]
fn a_status_that_says_that_something_runs_is_no_end() {
    let mut bundle = Bundle::new();
    bundle.end_turn("R", "t1", "running");
    bundle.at(None, None, json!({"type": "thread_ended", "thread_id": "R", "status": "running"}));
    let rollout = bundle.reduce();
    assert_eq!((rollout.outcome, rollout.closed, aside(&rollout).len()), (None, None, 0));
}

#[test]
fn reduction_a41_the_end_of_the_root_says_how_a_rollout_ended_that_says_nothing_itself() {
    for (word, outcome, status) in [
        ("completed", Outcome::Completed, "completed"),
        ("failed", Outcome::Failed, "failed"),
        ("aborted", Outcome::Cancelled, "aborted"),
    ] {
        let mut bundle = Bundle::new();
        bundle.end_turn("R", "t1", "completed");
        bundle.at(None, None, json!({"type": "thread_ended", "thread_id": "R", "status": word}));
        let rollout = bundle.reduce();
        assert_eq!(rollout.outcome, Some(outcome));
        assert_eq!(rollout.to_codex_state()["status"], status);
    }
}

#[test]
fn reduction_a20_and_reduction_a22_whatever_ends_a_request_its_partial_answer_is_kept() {
    for how in ["failed", "cancelled"] {
        for is_late in [false, true] {
            let mut bundle = Bundle::new();
            bundle.ask("i1", json!([user("hi")]));
            if is_late {
                bundle.end_turn("R", "t1", "cancelled");
            }
            let partial = bundle.payload(
                "inference_response",
                json!({"response_id": null, "token_usage": null, "output_items": [assistant("par")]}),
            );
            bundle.told(json!({"type": format!("inference_{how}"), "inference_call_id": "i1", "error": "e", "reason": "r", "partial_response_payload": partial}));
            let rollout = bundle.reduce();
            let inference = inferences(&rollout)[0];
            assert_eq!((produced(inference), inference.call.late), (vec![1], is_late), "{how} {is_late}");
            let expected = if is_late || how == "cancelled" { Outcome::Cancelled } else { Outcome::Failed };
            assert_eq!(inference.call.outcome, Some(expected));
            assert!(matches!(thread(&rollout, "R").items[1].produced_by[..], [Producer::Inference(_)]));
        }
    }
}

#[test]
fn reduction_a22_a_late_completion_of_a_cancelled_turn_brings_its_answer_and_its_tokens() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.end_turn("R", "t1", "cancelled");
    bundle.answer("i1", "resp-1", json!([assistant("ho")]));
    bundle.turn("R", "t2");
    bundle.ask_in("R", "t2", "i2", json!({"previous_response_id": "resp-1", "input": [user("more")]}));
    let rollout = bundle.reduce();
    let requests = inferences(&rollout);
    assert_eq!(
        (requests[0].call.outcome, requests[0].call.attrs.get(INPUT_TOKENS)),
        (Some(Outcome::Cancelled), Some(10))
    );
    assert_eq!(shown(requests[1]), [0, 1, 2], "what was said is part of the history all the same");
}

#[test]
fn b23_every_end_that_nobody_began_is_an_orphan_and_the_rest_stands() {
    for payload in [
        json!({"type": "inference_failed", "inference_call_id": "x", "error": "e", "partial_response_payload": null}),
        json!({"type": "tool_call_ended", "tool_call_id": "x", "status": "completed", "result_payload": null}),
        json!({"type": "code_cell_ended", "runtime_cell_id": "x", "status": "completed", "response_payload": null}),
        json!({"type": "compaction_request_failed", "compaction_id": "c", "compaction_request_id": "x", "error": "e"}),
    ] {
        let mut bundle = Bundle::new();
        bundle.told(payload.clone());
        bundle.ask("i1", json!([user("hi")]));
        let rollout = bundle.reduce();
        assert_eq!(kinds(&rollout), [FindingKind::Orphan], "{payload}");
        assert!(inferences(&rollout).iter().any(|inference| inference.call.opened_at.is_some()));
    }
}

#[test]
fn b24_and_b29_whatever_payload_is_bad_costs_only_what_it_would_have_said() {
    let record = |field: &str, kind: &str, more: Value| {
        let mut record = more;
        record[field] = json!({"raw_payload_id": "raw_payload:1", "kind": {"type": kind}, "path": "payloads/1.json"});
        (field.to_owned(), record)
    };
    let records = [
        record(
            "metadata_payload",
            "session_metadata",
            json!({"type": "thread_started", "thread_id": "C", "agent_path": "/root/c"}),
        ),
        record(
            "response_payload",
            "inference_response",
            json!({"type": "inference_completed", "inference_call_id": "i1"}),
        ),
        record(
            "partial_response_payload",
            "inference_response",
            json!({"type": "inference_failed", "inference_call_id": "i1"}),
        ),
        record(
            "invocation_payload",
            "tool_invocation",
            json!({"type": "tool_call_started", "tool_call_id": "c1", "requester": {"type": "model"}, "kind": {"type": "exec_command"}}),
        ),
        record(
            "runtime_payload",
            "tool_runtime_event",
            json!({"type": "tool_call_runtime_started", "tool_call_id": "c1"}),
        ),
        record(
            "runtime_payload",
            "tool_runtime_event",
            json!({"type": "tool_call_runtime_ended", "tool_call_id": "c1", "status": "completed"}),
        ),
        record(
            "result_payload",
            "tool_result",
            json!({"type": "tool_call_ended", "tool_call_id": "c1", "status": "completed"}),
        ),
    ];
    for (field, record) in records {
        for (what, reason) in [
            ("{not json", "not_json"),
            ("", "not_json"),
            ("missing", "payload_missing"),
            ("../../etc/passwd", "path_outside"),
        ] {
            let mut bundle = Bundle::new();
            let mut record = record.clone();
            match reason {
                "payload_missing" => {}
                "path_outside" => record[&field]["path"] = what.into(),
                _ => fs::write(bundle.folder.path().join("payloads/1.json"), what).unwrap(),
            }
            bundle.told(record.clone());
            bundle.turn("R", "t9");
            let rollout = bundle.reduce();
            assert_eq!(aside(&rollout), [(&*format!("trace.jsonl:4:{field}"), reason)], "{record}");
            assert_eq!(thread(&rollout, "R").turns.len(), 2, "the rest stands");
            assert_eq!(rollout.evidence[0].reference, "raw_payload:1");
        }
    }
}

#[test]
fn b22_wherever_the_last_record_is_cut_off_all_before_it_is_kept() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    let before = bundle.reduce();
    bundle.answer("i1", "resp-1", json!([assistant("ho")]));
    let log = fs::read(bundle.write().join("trace.jsonl")).unwrap();
    let start = log[..log.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in start + 1..log.len() - 1 {
        fs::write(bundle.folder.path().join("trace.jsonl"), &log[..length]).unwrap();
        let rollout = reduce(&read(bundle.folder.path()));
        assert_eq!(aside(&rollout), [("trace.jsonl:5", "truncated")], "{length}");
        assert_eq!((&rollout.threads, rollout.totals.clone()), (&before.threads, before.totals.clone()));
    }
}
