//! Nothing that a caller says leaves the process: planted texts are looked for in the bytes on the wire, in our logs at
//! TRACE, and in what `Debug` prints.
#![cfg(feature = "collector")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use support::leaks::holds;
use support::receiver::{Behaviour, Receiver};
use tonic::Status;
use tracing_subscriber::fmt::MakeWriter;
use veilspan::collector::{Config, Stage};
use veilspan::environment::{Environment, warn_once};
use veilspan::event::{EdgeKind, Message, Part, Role};
use veilspan::export::ExporterConfig;
use veilspan::privacy::Level;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(20);

/// What everything in this process logs, whichever thread it is on.
#[derive(Clone, Default)]
struct Logs(Arc<Mutex<Vec<u8>>>);

impl Write for Logs {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Logs {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A text that could only come from this field: free text, which no rule takes for a label.
fn planted(field: &str) -> String {
    format!("canary of {field} with blanks")
}

/// Every field that a caller can fill, filled.
fn record_everything(recorder: &Recorder) -> Vec<String> {
    let mut fields = Vec::new();
    let mut plant = |field: &str| {
        fields.push(planted(field));
        planted(field)
    };
    let mut turn = recorder
        .turn(&plant("agent"))
        .tenant(&plant("tenant"))
        .rollout(&plant("rollout"))
        .thread(&plant("thread"))
        .turn_id(&plant("turn"))
        .conversation(&plant("conversation"))
        .agent_id(&plant("agent id"))
        .agent_version(&plant("agent version"))
        .start();
    turn.decision(plant("action")).alternative(plant("alternative")).record();
    let checkpoint = turn.checkpoint(&plant("checkpoint")).framework(&plant("framework")).label(&plant("label"));
    checkpoint.cut(&plant("cut")).state(plant("state")).record();
    let installed = turn.compaction_installed(&plant("compaction")).trigger(&plant("trigger"));
    let replaced = vec![Message::text(Role::User, plant("replaced"))];
    installed.replaced(replaced).replacement(vec![Message::text(Role::User, plant("replacement"))]).record();
    let body = json!({
        "system": plant("system"),
        "tools": [{ "name": plant("tool name"), "description": plant("tool description"),
            "input_schema": { "type": "object", "properties": { "x": { "description": plant("nested schema") } } } }],
        "messages": [
            { "role": "user", "content": plant("user") },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": plant("thinking"), "signature": plant("signature") },
                { "type": "tool_use", "id": plant("use id"), "name": plant("use name"), "input": { "deep": { "deeper": [plant("input")] } } },
            ] },
            { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "x", "content": plant("tool result") }] },
            { "role": plant("role"), "content": plant("content of a role that nobody knows") },
            { "role": "user", "content": [{ "type": "image_url", "image_url": { "url": plant("image url") } }] },
        ],
        "metadata": { "nested": { "more": plant("metadata") } },
    });
    let mut workflow =
        turn.workflow(&plant("workflow")).input(plant("workflow input")).caller(&plant("caller")).start();
    workflow.output(plant("workflow output")).error_text(plant("error text"));
    workflow.finish();
    let embeddings = turn.embeddings(&plant("embeddings provider"), &plant("embeddings model"));
    embeddings.input(plant("embedded")).server(&plant("embeddings server"), 1).start().finish();
    let mut retrieval = turn.retrieval(&plant("data source")).query(plant("query")).start();
    retrieval.document(plant("document"));
    retrieval.finish();
    let memory = turn.memory(&plant("memory operation")).store(&plant("store")).record(&plant("record"));
    let mut memory = memory.input(plant("memory input")).start();
    memory.output(plant("memory output"));
    memory.finish();
    let compaction = turn.compaction(&plant("compaction attempt")).trigger(&plant("attempt trigger"));
    let mut compaction = compaction.model(&plant("compactor"), &plant("compacting model")).input(plant("long")).start();
    compaction.output(Message::text(Role::Assistant, plant("short")));
    compaction.finish();
    let mut approval =
        turn.approval(&plant("approved tool")).call_id(&plant("approved id")).question(plant("question")).start();
    approval.comment(plant("comment"));
    approval.approved();
    let cell = turn.code_cell(&plant("cell")).runtime_id(&plant("runtime id")).source(plant("source"));
    let mut cell = cell.start();
    cell.yielded();
    cell.output(plant("cell output"));
    cell.terminate();
    let mut terminal = turn.terminal(&plant("terminal operation")).input(plant("command")).start();
    terminal.terminal_id(&plant("terminal")).output(plant("terminal output"));
    terminal.finish();
    turn.admission().start().busy();
    turn.request_cancel(&plant("cancel reason"));
    turn.cancel_observed(&plant("observed reason"));
    let connection = veilspan::record::Connection::new();
    connection.delegate(turn.tool(&plant("delegated")).requested_by_code_cell(&plant("requester")), "x");
    connection.close();
    let origin = veilspan::record::CallRef::default();
    let replay =
        turn.turn(&plant("sub agent")).replay_of(&turn.reference(), Some(&plant("replayed")), &plant("provenance"));
    replay.follows(&origin, EdgeKind::Task).start().finish();
    let mut streamed =
        turn.inference("openai", "m").reasoning_level(&plant("level")).previous_response(&plant("previous")).start();
    streamed.chunk(&plant("chunk"));
    streamed.finish();
    let mut call = turn
        .inference(&plant("provider"), &plant("model"))
        .input(&body)
        .system(plant("system text"))
        .server(&plant("server"), 443)
        .start();
    call.output(Message::text(Role::Assistant, plant("answer")))
        .output(Message { role: Role::Assistant, parts: vec![Part::Other(plant("other part").into())] })
        .response_id(&plant("response id"))
        .response_model(&plant("response model"))
        .finish_reason(&plant("finish reason"))
        .mark_failed(&plant("marked kind"));
    call.answer(&json!({ "id": plant("answer id"), "choices": [{ "message": { "content": plant("choice") } }] }));
    call.finish();
    let mut tool = turn
        .tool(&plant("tool"))
        .call_id(&plant("call id"))
        .tool_type(&plant("tool type"))
        .mcp_server(&plant("mcp server"))
        .arguments(json!({ "a": plant("arguments") }).to_string())
        .start();
    tool.result(vec![Part::Text(plant("result part").into()), Part::Blob(plant("blob").into_bytes().into())]);
    tool.fail(&plant("error kind"));
    let mut tool = turn.tool("t").start();
    tool.result(json!({ "text": plant("json result") }));
    tool.finish_with::<String, _>(&Err(std::io::Error::other(plant("error text"))));
    turn.ends_rollout();
    turn.fail(&plant("turn error"));
    fields
}

#[test]
fn nothing_planted_is_on_the_wire_in_logs_or_in_debug_output() {
    let logs = Logs::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(logs.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();

    let secret_key = "canary-key-0123456789abcdef0123456789abcdef";
    let environments: [&[(&str, &str)]; 4] = [
        &[("VEILSPAN_HASH_KEY", secret_key)],
        &[("VEILSPAN_CONTENT", "none")],
        &[("VEILSPAN_HASH", "none"), ("OTEL_SERVICE_NAME", "canary service name")],
        &[("VEILSPAN_CONTENT", "canary value"), ("VEILSPAN_HASH", "canary value")],
    ];
    for variables in environments {
        let environment: Environment = variables.iter().copied().collect();
        let (policy, mut warnings) = Policy::builder().build_in(&environment);
        let (mut config, more) = ExporterConfig::from_environment(&environment);
        warnings.extend(more);
        warn_once(&warnings);
        config.headers.push(("authorization".to_owned(), "canary-header".into()));

        let receiver = Receiver::start(Behaviour::RefuseFirst(1, Status::unavailable("canary words of the peer")));
        let mut stage_config = Config::default();
        stage_config.listen.set_port(0);
        stage_config.export = Some(receiver.url());
        let stage = Stage::builder(stage_config).policy(policy.clone()).start().unwrap();
        config.endpoint = format!("http://{}", stage.address());
        let recorder = Recorder::exporting(&config, policy.clone()).unwrap();
        let fields = record_everything(&recorder);
        assert!(recorder.shutdown(SOON).complete);
        let printed = format!("{policy:?} {config:?} {recorder:?} {stage:?} {environment:?} {warnings:?}");
        assert_eq!(stage.shutdown(SOON), Default::default());

        let wire = receiver.bytes();
        assert!(receiver.spans().len() >= 5, "four calls and a summary");
        for canary in fields.iter().map(String::as_str).chain(["canary service name", "canary value", secret_key]) {
            assert!(!holds(&wire, canary), "{canary} is on the wire under {variables:?}");
            assert!(!holds(printed.as_bytes(), canary), "{canary} is printed");
        }
        let logged = logs.0.lock().unwrap().clone();
        assert!(!logged.is_empty());
        assert!(!holds(&logged, "canary"), "{}", String::from_utf8_lossy(&logged));
    }
}

#[test]
fn nothing_planted_is_in_records_and_handles_as_they_are_printed() {
    for level in [Level::None, Level::Digest] {
        let sink = Arc::new(MemorySink::default());
        let policy = Policy::builder().content(level).build_in(&Environment::default()).0;
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
        let turn = recorder.turn("canary agent").rollout("canary rollout").start();
        let builder = turn.inference("canary provider", "canary model").input("canary input");
        let handles = format!("{turn:?} {builder:?}");
        let call = builder.start();
        let printed = format!("{handles} {call:?} {:?}", turn.reference());
        assert!(!printed.contains("canary"), "{printed}");
        call.finish();
        turn.finish();
        record_everything(&recorder);
        assert!(recorder.flush(SOON).complete);
        let printed = format!("{:?} {:?}", sink.records(), sink.events());
        assert!(printed.contains("execute_tool") && !printed.contains("canary"), "{printed}");
    }
}
