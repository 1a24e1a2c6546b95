//! A service that says something in every field that a recorder has.

use http::HeaderMap;
use serde_json::json;
use veilspan::Recorder;
use veilspan::event::{EdgeKind, Message, Part, Role};
use veilspan::record::{CallRef, Connection, Inference, Turn};
use veilspan::semconv::Field::{self, Completions, Errors, Prompts, Reasoning, System, ToolArguments, ToolResults};

use crate::support::canaries::Plants;

const SENT: &[Field] = &[Prompts];
const ANSWERED: &[Field] = &[Completions];
const GIVEN: &[Field] = &[ToolArguments];
const RETURNED: &[Field] = &[ToolResults];
const FAILED: &[Field] = &[Errors];
/// What an agent keeps of itself.
const EVERYTHING: &[Field] = &Field::ALL;

/// Says all of it, and gives back what is still open: it ends when nobody listens any more.
pub fn record_everything(recorder: &Recorder, p: &mut Plants) -> (Turn, Inference) {
    let mut headers = HeaderMap::new();
    headers.insert("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".parse().unwrap());
    let baggage = [
        ("veilspan.rollout.id", p.label("rollout in the baggage")),
        ("veilspan.thread.id", p.label("thread in the baggage")),
        ("veilspan.tenant.id", p.label("tenant in the baggage")),
        ("user.question", p.hidden("baggage of others")),
    ];
    let encoded =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let members: Vec<_> = baggage.iter().map(|(key, value)| format!("{key}={}", encoded(value))).collect();
    headers.insert("baggage", members.join(",").parse().unwrap());
    headers.insert("tracestate", format!("vendor={}", encoded(&p.hidden("trace state"))).parse().unwrap());
    recorder
        .extract(&headers)
        .in_scope(|| Recorder::current().tool(&p.label("tool of a peer's call")).start().finish());

    let mut turn = recorder
        .turn(&p.label("agent"))
        .tenant(&p.label("tenant"))
        .rollout(&p.label("rollout"))
        .thread(&p.label("thread"))
        .turn_id(&p.label("turn"))
        .conversation(&p.label("conversation"))
        .agent_id(&p.label("agent id"))
        .agent_version(&p.label("agent version"))
        .start();
    marks(&turn, p);
    other_kinds(&turn, p);
    models(&turn, p);
    tools(recorder, &turn, p);
    let late = turn.inference("openai", "m").input(p.said(SENT, "late input")).start();
    turn.ends_rollout();
    let last = recorder.turn("last").start();
    turn.fail(&p.label("turn error"));
    (last, late)
}

/// What comes after the recorder has shut down.
pub fn record_late((last, mut late): (Turn, Inference), p: &mut Plants) {
    late.output(Message::text(Role::Assistant, p.hidden("late answer"))).response_id(&p.hidden("late id"));
    late.fail(&p.hidden("late error"));
    last.tool(&p.hidden("late tool")).arguments(p.hidden("late arguments")).start().finish();
    last.fail(&p.hidden("late turn error"));
}

fn marks(turn: &Turn, p: &mut Plants) {
    let decision = turn.decision(p.said(ANSWERED, "action"));
    decision.alternative(p.said(ANSWERED, "alternative")).confidence(0.5).record();
    let checkpoint = turn.checkpoint(&p.label("checkpoint"));
    let checkpoint = checkpoint.framework(&p.label("framework")).label(&p.label("checkpoint's label"));
    checkpoint.cut(&p.label("cut")).state(p.said(EVERYTHING, "state")).record();
    let installed = turn.compaction_installed(&p.label("compaction")).trigger(&p.label("trigger"));
    let replaced = vec![Message::text(Role::User, p.said(SENT, "replaced"))];
    let replacement = vec![Message::text(Role::User, p.said(SENT, "replacement"))];
    installed.replaced(replaced).replacement(replacement).record();
    turn.request_cancel(&p.label("cancel reason"));
    turn.cancel_observed(&p.label("observed reason"));
}

fn other_kinds(turn: &Turn, p: &mut Plants) {
    let workflow = turn.workflow(&p.label("workflow")).input(p.said(SENT, "workflow input"));
    let mut workflow = workflow.caller(&p.label("caller")).start();
    workflow.output(p.said(ANSWERED, "workflow output")).error_text(p.said(FAILED, "workflow's error"));
    workflow.finish();
    let embeddings = turn.embeddings(&p.label("embeddings provider"), &p.label("embeddings model"));
    let embeddings = embeddings.input(p.said(SENT, "embedded")).server(&p.label("embeddings server"), 1);
    let mut embeddings = embeddings.start();
    embeddings.response_model(&p.label("model that embedded"));
    embeddings.finish();
    let retrieval = turn.retrieval(&p.label("data source")).provider(&p.label("retrieval provider"));
    let mut retrieval = retrieval.query(p.said(SENT, "query")).start();
    retrieval.document(p.said(RETURNED, "document"));
    retrieval.finish();
    let memory = turn.memory(&p.label("memory operation")).store(&p.label("store")).record(&p.label("record"));
    let mut memory = memory.input(p.said(SENT, "memory input")).start();
    memory.output(p.said(RETURNED, "memory output"));
    memory.finish();
    let compaction = turn.compaction(&p.label("compaction attempt")).trigger(&p.label("attempt's trigger"));
    let compaction = compaction.model(&p.label("compactor"), &p.label("compacting model"));
    let mut compaction = compaction.input(p.said(SENT, "long history")).start();
    compaction.output(Message::text(Role::Assistant, p.said(ANSWERED, "short history")));
    compaction.finish();
    let approval = turn.approval(&p.label("approved tool")).call_id(&p.label("approved id"));
    let mut approval = approval.question(p.said(GIVEN, "question")).start();
    approval.comment(p.said(SENT, "comment"));
    approval.approved();
    let cell = turn.code_cell(&p.label("cell")).runtime_id(&p.label("runtime id"));
    let mut cell = cell.source(p.said(GIVEN, "source")).start();
    cell.yielded();
    cell.output(p.said(RETURNED, "cell output"));
    cell.terminate();
    let mut terminal = turn.terminal(&p.label("terminal operation")).input(p.said(GIVEN, "command")).start();
    terminal.terminal_id(&p.label("terminal")).output(p.said(RETURNED, "terminal output"));
    terminal.finish();
    turn.admission().start().busy();
    let replay = turn.turn(&p.label("sub agent"));
    let replay = replay.replay_of(&turn.reference(), Some(&p.label("replayed")), &p.label("provenance"));
    replay.follows(&CallRef::default(), EdgeKind::Task).start().finish();
}

fn models(turn: &Turn, p: &mut Plants) {
    let body = json!({
        "system": p.said(&[System], "system"),
        "tools": [{ "name": p.said(&[System], "tool's name in a definition"),
            "description": p.said(&[System], "tool's description"),
            "input_schema": { "type": "object", "properties": {
                "x": { "description": p.said(&[System], "nested schema") },
                p.said(&[System], "key of a schema"): { "enum": [p.said(&[System], "word of a schema")] } } } }],
        "messages": [
            { "role": "user", "content": p.said(SENT, "user") },
            { "role": "user", "name": p.hidden("name of a user"), "content": p.said(SENT, "named user") },
            { "role": "developer", "content": p.said(&[Prompts, System], "developer") },
            { "role": "system", "content": p.said(&[Prompts, System], "system among messages") },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": p.said(&[Prompts, Completions, Reasoning], "thinking"),
                    "signature": p.hidden("signature") },
                { "type": "redacted_thinking", "data": p.hidden("redacted thinking") },
                { "type": "text", "text": p.said(&[Prompts, Completions], "earlier answer"),
                    "cache_control": { "type": p.hidden("cache control") } },
                { "type": "tool_use", "id": p.said(&[Prompts, Completions, ToolArguments], "use id"),
                    "name": p.said(&[Prompts, Completions, ToolArguments], "use name"),
                    "input": { "deep": { "deeper": [p.said(&[Prompts, Completions, ToolArguments], "use input")],
                        p.said(&[Prompts, Completions, ToolArguments], "key of an input"): 1 } } },
            ] },
            { "role": "user", "content": [{ "type": "tool_result",
                "tool_use_id": p.said(&[Prompts, ToolResults], "id of a result"),
                "content": p.said(&[Prompts, ToolResults], "tool result") }] },
            { "role": "tool", "tool_call_id": p.said(&[Prompts, ToolResults], "id of a tool's message"),
                "content": p.said(&[Prompts, ToolResults], "message of a tool") },
            { "role": p.said(SENT, "role"), "content": p.said(SENT, "content of a role that nobody knows") },
            { "role": "user", "content": [
                { "type": "image_url", "image_url": { "url": p.said(SENT, "image url") } },
                { "type": "input_audio", "input_audio": { "data": p.said(SENT, "audio"), "format": p.said(SENT, "format") } },
                { "type": p.said(SENT, "type of a part"), "x": { "y": [{ "z": p.said(SENT, "three deep") }] } },
            ] },
        ],
        "metadata": { "nested": { "more": [p.hidden("metadata")] } },
        "user": p.hidden("user id"),
        "stop": [p.hidden("stop sequence")],
        "response_format": { "json_schema": { "name": p.hidden("response format") } },
        "reasoning_effort": p.label("effort"),
        "previous_response_id": p.label("response before"),
    });
    let streamed = turn.inference("openai", "m").reasoning_level(&p.label("level"));
    let streamed = streamed.stop_sequences([p.hidden("told stop sequence").as_str()]);
    let streamed =
        streamed.response_format(&json!({ "type": p.hidden("kind of a format"), "x": [p.hidden("format")] }));
    let mut streamed = streamed.previous_response(&p.label("previous response")).start();
    streamed.chunk(&p.said(ANSWERED, "chunk"));
    streamed.output_more(" and ");
    streamed.output_more(&p.said(ANSWERED, "more output"));
    streamed.finish();
    let call = turn.inference(&p.label("provider"), &p.label("model")).input(&body);
    let call = call.system(p.said(&[System], "system text")).output_type(&p.label("output type"));
    let mut call = call.server(&p.label("server"), 443).start();
    call.output(Message::text(Role::Assistant, p.said(ANSWERED, "answer")))
        .output(Message {
            role: Role::Assistant,
            parts: vec![
                Part::Other(p.said(ANSWERED, "other part").into()),
                Part::Blob(p.said(ANSWERED, "answered blob").into_bytes().into()),
                Part::Reasoning(p.said(&[Completions, Reasoning], "answered reasoning").into()),
            ],
        })
        .response_id(&p.label("response id"))
        .response_model(&p.label("response model"))
        .finish_reason(&p.label("finish reason"))
        .mark_failed(&p.label("marked kind"));
    call.answer(&json!({
        "id": p.label("answer's id"),
        "model": p.label("answer's model"),
        "system_fingerprint": p.hidden("fingerprint"),
        "choices": [{ "finish_reason": p.label("answer's finish reason"),
            "message": { "role": "assistant", "content": p.said(ANSWERED, "choice"), "refusal": p.said(ANSWERED, "refusal"),
                "tool_calls": [{ "id": p.said(&[Completions, ToolArguments], "call's id"), "type": "function", "function": {
                    "name": p.said(&[Completions, ToolArguments], "call's name"),
                    "arguments": json!({ "a": p.said(&[Completions, ToolArguments], "call's arguments") }).to_string() } }] } }],
    }));
    call.finish();
}

fn tools(recorder: &Recorder, turn: &Turn, p: &mut Plants) {
    let tool = turn.tool(&p.label("tool")).call_id(&p.label("call id")).tool_type(&p.label("tool type"));
    let tool = tool.mcp_server(&p.label("mcp server")).waits_for(&p.label("waited for"));
    let arguments =
        json!({ "a": { "b": { "c": p.said(GIVEN, "arguments three deep") } }, p.said(GIVEN, "argument's key"): 1 });
    let mut tool = tool.arguments(arguments.to_string()).start();
    let parts = [p.said(RETURNED, "result part"), p.said(RETURNED, "result's blob")];
    let [part, blob] = parts;
    tool.result(vec![Part::Text(part.into()), Part::Blob(blob.into_bytes().into())]);
    tool.fail(&p.label("error kind"));
    let mut tool = turn.tool("t").arguments(p.said(GIVEN, "arguments that are no json")).start();
    tool.result(json!({ "text": p.said(RETURNED, "json result"), "n": [{ "m": p.said(RETURNED, "nested result") }] }));
    let failed = std::io::Error::other(p.said(FAILED, "text of an error"));
    tool.finish_with::<String, _>(&Err(failed));
    let dispatch = recorder.dispatch(&p.label("dispatching server"), &p.label("dispatched tool"));
    drop(dispatch.call_id(&p.label("dispatched id")).arguments(p.said(GIVEN, "dispatched arguments")));
    let connection = Connection::new();
    connection.delegate(turn.tool(&p.label("delegated")).requested_by_code_cell(&p.label("requester")), "x");
    connection.close();
    // The words of the panic are the host's to print; nothing of ours repeats them.
    let call = turn.tool(&p.label("tool that panics")).start();
    let payload = p.hidden("panic");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        call.in_scope(|| std::panic::resume_unwind(Box::new(payload)));
    }));
    assert!(panicked.is_err());
}
