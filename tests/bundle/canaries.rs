//! Nothing that was said in a bundle is in what it reduces to.

use serde_json::json;
use veilspan::privacy::Policy;
use veilspan::reduce::{Facts, tree};

use super::build::*;

const CANARY: &str = "canary in a coal mine";

fn full_of_canaries() -> Bundle {
    let mut bundle = Bundle::new();
    bundle.ask_in(
        "R",
        "t1",
        "i1",
        json!({"instructions": CANARY, "tools": [{"name": "x", "description": CANARY}],
        "input": [user(CANARY), {"type": CANARY, "x": CANARY}, {"type": "agent_message", "author": CANARY,
        "recipient": CANARY, "content": [{"type": "input_text", "text": CANARY}]}, CANARY]}),
    );
    bundle.answer("i1", CANARY, json!([assistant(CANARY), call(CANARY, CANARY)]));
    let partial = bundle.payload("inference_response", json!({"output_items": [assistant(CANARY)]}));
    bundle.told(json!({"type": "inference_failed", "inference_call_id": CANARY, "error": CANARY,
        "upstream_request_id": CANARY, "partial_response_payload": partial}));
    let invocation =
        json!({"tool_name": CANARY, "tool_namespace": null, "payload": {"type": "function", "arguments": CANARY}});
    bundle.tool("call-1", json!({"type": "exec_command"}), invocation);
    bundle.tool_begin("call-1", json!({"command": [CANARY], "cwd": CANARY, "process_id": CANARY}));
    bundle.tool_done(
        "call-1",
        "completed",
        json!({"command": [CANARY], "stdout": CANARY, "stderr": CANARY,
        "formatted_output": CANARY, "exit_code": 0, "process_id": CANARY}),
    );
    bundle.tool_end("call-1", "completed", json!({"type": "error", "error": CANARY}));
    bundle.told(json!({"type": "code_cell_started", "runtime_cell_id": CANARY, "model_visible_call_id": CANARY,
        "source_js": CANARY}));
    bundle.told(
        json!({"type": "code_cell_ended", "runtime_cell_id": CANARY, "status": CANARY, "response_payload": null}),
    );
    bundle.told(json!({"type": "agent_result_observed", "edge_id": CANARY, "child_thread_id": CANARY,
        "child_codex_turn_id": CANARY, "parent_thread_id": "R", "message": CANARY, "carried_payload": null}));
    bundle.told(json!({"type": CANARY, "text": CANARY}));
    bundle.lines.push(format!("{{\"broken\": \"{CANARY}"));
    bundle
}

#[test]
fn nothing_that_was_said_in_a_bundle_is_in_its_graph() {
    let bundle = full_of_canaries();
    let none = Policy::builder().content(veilspan::privacy::Level::None);
    let nothing = none.build_in(&veilspan::environment::Environment::default()).0;
    for policy in [policy(), nothing] {
        let events: Vec<_> = veilspan::import::bundle::BundleReader::open(bundle.write(), policy).unwrap().collect();
        let mut facts = Facts::default();
        events.iter().for_each(|event| {
            facts.absorb(event);
        });
        let graphs = facts.derive();
        let texts = [format!("{events:?}"), format!("{graphs:?}"), graphs[0].serialise(), tree(&graphs[0])];
        for text in texts {
            assert!(text.len() > 100);
            assert!(!text.contains("canary") && !text.contains("coal"), "{text}");
        }
    }
}
