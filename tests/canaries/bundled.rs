//! A bundle of Codex, in whose every record and payload something is planted, through every command that reads one.

use serde_json::json;
use veilspan::semconv::Field::{self, Completions, Errors, Prompts, Reasoning, System, ToolArguments, ToolResults};

use super::bundle::{Bundle, assistant, call, output, user};
use super::commands::{Desk, look};
use super::policies::every_level;
use crate::support::canaries::{Class, Echo, Exits, Plants, Shape, bytes_of};

const SENT: &[Field] = &[Prompts];
const ANSWERED: &[Field] = &[Completions];
const GIVEN: &[Field] = &[ToolArguments];
const RETURNED: &[Field] = &[ToolResults];
const FAILED: &[Field] = &[Errors];

fn planted(p: &mut Plants) -> Bundle {
    let mut bundle = Bundle::new();
    let tools = json!([{"type": "function", "name": p.said(&[System], "tool on offer"), "description": p.said(&[System], "description"), "parameters": {"type": "object"}}]);
    let thought = json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": p.said(&[Reasoning], "thought")}], "encrypted_content": p.hidden("sealed thought")});
    let odd = json!({"type": "odd_item", "x": p.said(SENT, "odd item")});
    bundle.ask_in(
        "R",
        "t1",
        "i1",
        json!({"model": p.label("model of a request"), "instructions": p.said(&[System], "instructions"), "tools": tools,
            "input": [user(&p.said(SENT, "question")), thought, odd], "metadata": {"note": p.hidden("note of a request")}}),
    );
    let arguments = json!({"command": [p.said(GIVEN, "command")]}).to_string();
    bundle.answer(
        "i1",
        &p.label("response"),
        json!([assistant(&p.said(ANSWERED, "answer")), call("call-1", &arguments)]),
    );
    let invocation = json!({"tool_name": p.label("tool"),
        "payload": {"type": "function", "arguments": p.said(GIVEN, "argument")}});
    bundle.tool("call-1", json!({"type": "exec_command"}), invocation);
    bundle.tool_begin(
        "call-1",
        json!({"command": [p.said(GIVEN, "begun command")], "cwd": p.label("folder"), "process_id": p.label("process")}),
    );
    bundle.tool_done(
        "call-1",
        "completed",
        json!({"command": [p.said(GIVEN, "done command")], "stdout": p.said(RETURNED, "output"), "stderr": p.said(RETURNED, "error output"),
            "formatted_output": p.said(RETURNED, "formatted output"), "exit_code": 1, "process_id": p.label("ended process")}),
    );
    bundle.tool_end("call-1", "failed", json!({"type": "error", "error": p.said(&[ToolResults, Errors], "failure")}));
    let served = json!({"tool_name": p.label("served tool"), "tool_namespace": format!("mcp__{}", p.label("namespace")),
        "payload": {"type": "function", "arguments": p.said(GIVEN, "argument of a server")}});
    bundle.tool("call-3", json!({"type": "exec_command"}), served);
    let invocation = json!({"server": p.label("server"), "tool": p.hidden("tool of a server"), "arguments": {"x": p.hidden("told twice")}});
    bundle.tool_begin("call-3", json!({"call_id": "call-3", "invocation": invocation}));
    let answered =
        json!({"type": "direct_response", "response_item": output("call-3", &p.said(RETURNED, "result of a server"))});
    bundle.tool_end("call-3", "completed", answered);
    bundle.ask("i2", json!([user(&p.said(SENT, "next question")), output("call-1", &p.said(RETURNED, "returned"))]));
    let partial =
        bundle.payload("inference_response", json!({"output_items": [assistant(&p.said(ANSWERED, "half an answer"))]}));
    bundle.told(json!({"type": "inference_failed", "inference_call_id": "i2", "error": p.said(FAILED, "error"),
        "upstream_request_id": p.label("request upstream"), "partial_response_payload": partial}));
    bundle.told(
        json!({"type": "code_cell_started", "runtime_cell_id": p.label("cell"), "model_visible_call_id": "call-2",
        "source_js": p.said(GIVEN, "source")}),
    );
    bundle.told(json!({"type": p.label("kind of a record"), "text": p.hidden("unknown record")}));
    bundle.lines.push(format!("{{\"broken\": \"{}", p.hidden("broken record").escape_default()));
    bundle.end_turn("R", "t1", "completed");
    bundle
}

#[test]
fn what_commands_print_and_write_of_a_bundle_is_what_the_policy_lets_leave() {
    let (mut told, mut labels, mut contents) = (0, 0, 0);
    for (round, policy) in every_level().into_iter().enumerate() {
        for shape in Shape::ALL {
            let desk = Desk::new(&policy);
            let mut plants = Plants::new(shape);
            let bundle = planted(&mut plants);
            let path = bundle.write();
            let mut exits = Exits::of(&plants, &policy);
            // Over the levels and shapes each command has its turn.
            told += look(&mut exits, &desk, path, Some("codex"), round * Shape::ALL.len() + shape as usize);
            let echo = Echo::start();
            let sent = desk.run(&["import", "codex", path.to_str().unwrap(), "--endpoint", &echo.url()], b"");
            exits.requests("the wire", &echo.requests());
            exits.silent("what an import prints", &sent.stdout);
            exits.named("what an import logs", &sent.stderr);
            exits.veiled("files", &bytes_of(desk.home.path()));
            exits.assert_kept();
            assert!(!echo.requests().is_empty(), "{}", String::from_utf8_lossy(&sent.stderr));
            let count = |of: fn(&Class) -> bool| exits.seen().filter(|canary| of(&canary.class)).count();
            labels += count(|class| *class == Class::Label);
            contents += count(|class| matches!(class, Class::Content(_)));
        }
    }
    // Lest nothing is found for want of anything to find.
    assert!(told > 8 && labels > 8 && contents > 8, "{told} {labels} {contents}");
}
