//! Ouroboros.

use serde_json::{Value, json};
use veilspan::event::{CallKind, Outcome};
use veilspan::import::ouroboros::Journal;
use veilspan::semconv::{END_INFERRED, ERROR_KIND, FINISH_REASONS, INPUT_TOKENS, OUTPUT_TOKENS, REQUEST_MODEL};

use super::script::{lines, time};
use super::told::{All, seconds, set};

const HASH: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const CANARY: &str = "canary in a coal mine";

fn event(second: f64, kind: &str, call: &str, mut data: Value) -> Value {
    data["call_id"] = call.into();
    data["target_type"] = "execution".into();
    json!({"id": "e", "type": kind, "timestamp": time(second), "aggregate_type": "execution", "aggregate_id": "x1",
        "data": data, "event_version": 1})
}

fn asked(second: f64, call: &str) -> Value {
    let data = json!({"model_id": "m", "prompt_hash": HASH, "prompt_preview": CANARY, "execution_id": "run-1", "extra": {"x": CANARY}});
    event(second, "llm.call.requested", call, data)
}

fn answered(second: f64, call: &str) -> Value {
    let data = json!({"model_id": "m", "prompt_hash": HASH, "completion_hash": HASH, "completion_preview": CANARY,
        "finish_reason": "stop", "token_count_in": 7, "token_count_out": 3, "duration_ms": 900, "is_error": false,
        "execution_id": "run-1"});
    event(second, "llm.call.returned", call, data)
}

fn read(rows: &[Value]) -> All {
    let mut journal = Journal::new(set(), "journal.jsonl");
    for portion in lines(rows).chunks(89) {
        journal.feed(portion);
    }
    journal.finish();
    assert_eq!(journal.take_asides(), []);
    All(std::iter::from_fn(|| journal.next_told()).collect())
}

#[test]
fn a_pair_is_one_call_in_whatever_order_and_however_often_its_halves_come() {
    let (open, close) = (asked(1.0, "01A"), answered(2.0, "01A"));
    let told = read(&[open.clone(), close.clone()]);
    let [call] = told.of(CallKind::Inference).try_into().unwrap();
    assert_eq!((seconds(call), call.closed.outcome), ((1, 2), Some(Outcome::Completed)));
    assert_eq!((&*call.scope.rollout, &*call.scope.turn), ("run-1", "execution:x1"));
    assert_eq!(call.opened.attrs.text(REQUEST_MODEL), Some("m"));
    assert_eq!(call.closed.attrs.get(FINISH_REASONS).unwrap(), ["stop"]);
    assert_eq!((told.sum(INPUT_TOKENS), told.sum(OUTPUT_TOKENS)), (7, 3));
    for rows in [vec![close.clone(), open.clone()], vec![open.clone(), open.clone(), close.clone(), open, close]] {
        assert_eq!(read(&rows).sorted(), told.sorted());
    }
}

#[test]
fn a_half_is_told_at_the_end_and_a_clock_that_was_set_back_takes_no_time_away() {
    let told = read(&[asked(1.0, "01A"), answered(5.0, "01B"), asked(9.0, "01C"), answered(8.0, "01C")]);
    let calls: Vec<_> =
        told.of(CallKind::Inference).iter().map(|call| (seconds(call), call.closed.outcome.unwrap())).collect();
    let expected = [((1, 1), Outcome::Abandoned), ((4, 5), Outcome::Completed), ((9, 9), Outcome::Completed)];
    assert_eq!(calls, expected);
    assert_eq!(told.of(CallKind::Inference)[0].closed.attrs.get(END_INFERRED), Some(true));
}

#[test]
fn tools_and_failures_are_told_and_not_a_word_of_what_was_said() {
    let started = json!({"tool_name": "read", "mcp_server": "files", "args_hash": HASH, "args_preview": CANARY});
    let returned = json!({"tool_name": "read", "result_preview": CANARY, "duration_ms": 1, "is_error": true, "error_kind": "CancelledError"});
    let rows = [
        event(1.0, "tool.call.started", "01A", started),
        event(2.0, "tool.call.returned", "01A", returned),
        event(3.0, "something.else", "01B", json!({"text": CANARY})),
    ];
    let told = read(&rows);
    let [tool] = told.of(CallKind::Tool).try_into().unwrap();
    assert_eq!(tool.closed.outcome, Some(Outcome::Cancelled));
    assert_eq!(tool.closed.attrs.text(ERROR_KIND), Some("CancelledError"));
    let all = format!("{:?}", told.0);
    assert!(!all.contains("canary") && !all.contains("e3b0c442"), "hashes without a key do not leave either");
}

#[test]
fn what_says_that_it_went_wrong_did_not_complete() {
    let outcome = |more: Value| {
        let mut data = json!({"tool_name": "read", "duration_ms": 1});
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let rows = [
            event(1.0, "tool.call.started", "01A", json!({"tool_name": "read"})),
            event(2.0, "tool.call.returned", "01A", data),
        ];
        read(&rows).of(CallKind::Tool)[0].closed.outcome.unwrap()
    };
    assert_eq!(outcome(json!({"is_error": false})), Outcome::Completed);
    assert_eq!(outcome(json!({"is_error": true, "error_kind": ""})), Outcome::Failed);
    for odd in [json!("yes"), json!(1), json!({}), json!("false")] {
        assert_eq!(outcome(json!({"is_error": odd})), Outcome::Failed, "{odd}");
    }
    assert_eq!(outcome(json!({"is_error": false, "error_kind": "ValueError"})), Outcome::Failed);
    assert_eq!(outcome(json!({"is_error": false, "error_kind": "CancelledError"})), Outcome::Cancelled);
}

#[test]
fn an_event_that_has_both_spellings_of_its_data_is_read_by_the_first() {
    let (open, close) = (asked(1.0, "01A"), answered(2.0, "01A"));
    let both = [open.clone(), close.clone()].map(|mut event| {
        event["payload"] = json!({"call_id": "01B"});
        event
    });
    assert_eq!(read(&both).sorted(), read(&[open.clone(), close.clone()]).sorted());
    let other = [open.clone(), close.clone()].map(|mut event| {
        event["payload"] = event["data"].take();
        event
    });
    assert_eq!(read(&other).sorted(), read(&[open, close]).sorted());
}
