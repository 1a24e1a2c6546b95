//! Recording one conversation under a policy.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use veilspan::environment::Environment;
use veilspan::event::{CallKind, CallRecord, Given, Input, Output, Returned, Veiled};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

pub(crate) const SOON: Duration = Duration::from_secs(20);

/// The policy of an environment, with digests that can be written down.
pub(crate) fn policy(variables: &[(&str, &str)]) -> Policy {
    let environment: Environment = variables.iter().copied().chain([("VEILSPAN_HASH", "sha256")]).collect();
    Policy::builder().build_in(&environment).0
}

/// What reaches a sink of what `record` records.
pub(crate) fn recorded(policy: Policy, record: impl FnOnce(&Recorder)) -> Vec<CallRecord<Veiled>> {
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
    record(&recorder);
    assert!(recorder.shutdown(SOON).complete);
    sink.calls()
}

pub(crate) fn inference(calls: &[CallRecord<Veiled>]) -> (&Input, &Output) {
    let call = calls.iter().find(|call| call.kind == CallKind::Inference).unwrap();
    match (&call.given, &call.returned) {
        (Given::Request(input), Returned::Answer(output)) => (input, output),
        _ => panic!("an inference has a request and an answer"),
    }
}

pub(crate) fn tool(calls: &[CallRecord<Veiled>]) -> (&veilspan::event::Arguments, &veilspan::event::Measure) {
    let call = calls.iter().find(|call| call.kind == CallKind::Tool).unwrap();
    match (&call.given, &call.returned) {
        (Given::Arguments(arguments), Returned::Result(result)) => (arguments, result),
        _ => panic!("a tool call has arguments and a result"),
    }
}

/// A request with something of every class.
pub(crate) fn request() -> Value {
    json!({
        "system": "the system text",
        "tools": [{ "name": "weather", "description": "the tool description",
            "input_schema": { "type": "object", "properties": { "city": { "type": "string" } } } }],
        "messages": [
            { "role": "user", "content": "the first question" },
            { "role": "assistant", "content": [
                { "type": "thinking", "thinking": "the reasoning", "signature": "x" },
                { "type": "text", "text": "the first answer" },
                { "type": "tool_use", "id": "toolu_1", "name": "weather", "input": { "city": "the arguments" } },
            ] },
            { "role": "user", "content": [
                { "type": "tool_result", "tool_use_id": "toolu_1", "content": "the tool result" },
                { "type": "text", "text": "the last question" },
            ] },
        ],
    })
}

/// An answer of every class too.
pub(crate) fn answer() -> Value {
    json!({ "id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "tool_use", "content": [
        { "type": "thinking", "thinking": "the answer's reasoning" },
        { "type": "text", "text": "the last answer" },
        { "type": "tool_use", "id": "toolu_2", "name": "weather", "input": { "city": "the answer's arguments" } },
    ], "usage": { "input_tokens": 3, "output_tokens": 4 } })
}

/// An inference and a tool call.
pub(crate) fn conversation(recorder: &Recorder) {
    let body = request();
    let mut call = recorder.inference("anthropic", "m").input(&body).start();
    call.answer(&answer());
    call.finish();
    let mut tool = recorder.tool("weather").arguments(r#"{"city": "the arguments"}"#).start();
    tool.result("the tool result");
    tool.finish();
}
