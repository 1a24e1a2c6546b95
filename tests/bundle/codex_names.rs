//! Codex' shape where a name is used again, and where what began an object was never told.

use serde_json::{Value, json};

use super::build::*;
use super::tools::invocation;

fn install(bundle: &mut Bundle, id: &str, before: Value, after: Value) {
    let payload =
        bundle.payload("compaction_checkpoint", json!({"input_history": before, "replacement_history": after}));
    bundle.told(json!({"type": "compaction_installed", "compaction_id": id, "checkpoint_payload": payload}));
}

fn attempt(bundle: &mut Bundle, id: &str, request: &str) {
    let payload = bundle.payload("compaction_request", json!({}));
    bundle.told(json!({
        "type": "compaction_request_started", "compaction_id": id, "compaction_request_id": request, "thread_id": "R",
        "codex_turn_id": "t1", "model": "m", "provider_name": "p", "request_payload": payload,
    }));
}

#[test]
fn b08_two_compactions_of_one_id_are_two_with_what_each_put_there() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    attempt(&mut bundle, "k", "q1");
    install(&mut bundle, "k", json!([user("hi")]), json!([user("short")]));
    attempt(&mut bundle, "k", "q2");
    install(&mut bundle, "k", json!([user("short")]), json!([user("shorter")]));
    let rollout = bundle.reduce();
    let attempts: Vec<_> = rollout.threads[0].compactions.iter().map(|one| one.attempts.len()).collect();
    assert_eq!(attempts, [1, 1]);
    let state = rollout.to_codex_state();
    for (name, request, put) in [("k", "q1", [2, 3]), ("k#2", "q2", [4, 5])] {
        let compaction = &state["compactions"][name];
        assert_eq!(compaction["request_ids"], json!([request]));
        assert_eq!(state["compaction_requests"][request]["compaction_id"], name);
        let [marker, item] = put.map(|number| format!("conversation_item:{number}"));
        assert_eq!(
            (&compaction["marker_item_id"], &compaction["replacement_item_ids"]),
            (&json!(marker), &json!([item]))
        );
        for item in [marker, item] {
            let by = json!([{"type": "compaction", "compaction_id": name}]);
            assert_eq!(state["conversation_items"][item]["produced_by"], by);
        }
    }
}

#[test]
fn reduction_a32_a_thread_of_which_only_its_spawn_tells_is_no_second_root() {
    let mut bundle = Bundle::new();
    bundle.tool("c1", json!({"type": "spawn_agent"}), invocation("spawn_agent", "{\"message\":\"count\"}"));
    bundle.tool_done(
        "c1",
        "completed",
        json!({"call_id": "c1", "sender_thread_id": "R", "new_thread_id": "C", "prompt": "count"}),
    );
    bundle.turn("C", "t2");
    let state = bundle.reduce().to_codex_state();
    assert_eq!(state["threads"]["R"]["origin"]["type"], "root");
    let child = &state["threads"]["C"];
    assert_eq!((&child["origin"]["type"], &child["origin"]["parent_thread_id"]), (&json!("spawned"), &json!("R")));
    assert_eq!(
        (&child["origin"]["spawn_edge_id"], &child["agent_path"]),
        (&json!("edge:spawn:R:C"), &json!("/root/C"))
    );
    // Its turn is all that tells when it began.
    assert_eq!(child["execution"]["started_seq"], state["codex_turns"]["t2"]["execution"]["started_seq"]);
}

#[test]
fn reduction_a19_a_turn_that_nobody_began_was_first_seen_when_something_was_seen_in_it() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    bundle.end_turn("R", "t1", "completed");
    let payload = bundle.payload("compaction_checkpoint", json!({"input_history": [], "replacement_history": []}));
    let installed = json!({"type": "compaction_installed", "compaction_id": "k", "checkpoint_payload": payload});
    let seq = bundle.at(Some("R"), Some("lost"), installed);
    let rollout = bundle.reduce();
    let turn = rollout.threads[0].turns.iter().find(|turn| turn.id == "lost").unwrap();
    assert_eq!(turn.started_unix_nano, Some(seq * 1_000_000));
    let execution = &rollout.to_codex_state()["codex_turns"]["lost"]["execution"];
    assert_eq!((&execution["started_seq"], &execution["started_at_unix_ms"]), (&json!(seq), &json!(seq)));
}

#[test]
fn reduction_a21_what_ended_with_an_aborted_turn_was_aborted() {
    let mut bundle = Bundle::new();
    bundle.ask("i1", json!([user("hi")]));
    let seq = bundle.end_turn("R", "t1", "aborted");
    bundle.turn("R", "t2");
    bundle.ask_in("R", "t2", "i2", json!({"input": [user("hi")]}));
    bundle.end_turn("R", "t2", "cancelled");
    let state = bundle.reduce().to_codex_state();
    let execution = &state["inference_calls"]["i1"]["execution"];
    assert_eq!((&execution["status"], &execution["ended_seq"]), (&json!("aborted"), &json!(seq)));
    assert_eq!(state["codex_turns"]["t1"]["execution"]["status"], "aborted");
    assert_eq!(state["inference_calls"]["i2"]["execution"]["status"], "cancelled");
}

#[test]
fn b15_a_cell_that_its_turn_ended_answered_when_it_did() {
    let mut bundle = Bundle::new();
    bundle.told(
        json!({"type": "code_cell_started", "runtime_cell_id": "1", "model_visible_call_id": "e", "source_js": "x"}),
    );
    let ended = bundle.end_turn("R", "t1", "cancelled");
    let yielded = json!({"type": "code_cell_initial_response", "runtime_cell_id": "1", "status": "yielded", "response_payload": null});
    let answered = bundle.told(yielded);
    let state = bundle.reduce().to_codex_state();
    let cell = &state["code_cells"]["code_cell:e"];
    assert_eq!((&cell["execution"]["ended_seq"], &cell["runtime_status"]), (&json!(ended), &json!("terminated")));
    assert_eq!((&cell["initial_response_seq"], &cell["yielded_seq"]), (&json!(answered), &json!(answered)));
}
