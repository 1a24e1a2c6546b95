//! What goes through: requests of 512 spans of fourteen attributes, with and without 6 KiB of content.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;

pub const SPANS: u64 = 512;

/// The 6 KiB of content that a span has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Content {
    None,
    /// As plain text, which has no form of its own.
    Text,
    /// As the conventions' messages.
    Messages,
}

/// An encoded request.
pub fn request(content: Content) -> Bytes {
    encoded((0..SPANS).map(|number| span(number, content)).collect())
}

/// Calls in one run.
const CALLS: u64 = 16;

/// An encoded request of runs of sixteen calls each, the last of which is their turn and ends them. For each `number`
/// other ones.
pub fn runs(number: u64) -> Bytes {
    let first = number * SPANS;
    let spans = (first..first + SPANS).map(|number| {
        let mut span = span(number, Content::None);
        let (run, place) = (number / CALLS, number % CALLS);
        span.trace_id =
            (u128::from(run) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_be_bytes().to_vec();
        span.attributes.push(text("veilspan.rollout.id", &format!("run-{run:016x}")));
        if place == CALLS - 1 {
            span.attributes[0] = text("gen_ai.operation.name", "invoke_agent");
            span.attributes.push(attribute("veilspan.rollout.end", Value::BoolValue(true)));
        }
        span
    });
    encoded(spans.collect())
}

fn encoded(spans: Vec<Span>) -> Bytes {
    let scope = InstrumentationScope { name: "benchmark".to_owned(), ..Default::default() };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }];
    let resource = Resource { attributes: vec![text("service.name", "benchmark")], ..Default::default() };
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..Default::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
}

fn span(number: u64, content: Content) -> Span {
    let mut attributes = vec![
        text("gen_ai.operation.name", "chat"),
        text("gen_ai.provider.name", "openai"),
        text("gen_ai.request.model", "gpt-4.1-2026-04-14"),
        text("server.address", "api.openai.com"),
        int("server.port", 443),
        double("gen_ai.request.temperature", 0.7),
        double("gen_ai.request.top_p", 0.95),
        int("gen_ai.request.max_tokens", 4096),
        text("gen_ai.response.id", &format!("chatcmpl-9f1c2b7e5d6a4c0e8b3f7a1d{number:08x}")),
        text("gen_ai.response.model", "gpt-4.1-2026-04-14"),
        attribute("gen_ai.response.finish_reasons", Value::StringValue("stop".to_owned())),
        int("gen_ai.usage.input_tokens", 1834),
        int("gen_ai.usage.output_tokens", 412),
        int("gen_ai.usage.cache_read.input_tokens", 1024),
    ];
    for (key, role, bytes) in
        [("gen_ai.input.messages", "user", 4 << 10), ("gen_ai.output.messages", "assistant", 2 << 10)]
    {
        match content {
            Content::None => {}
            Content::Text => attributes.push(text(key, &words(bytes, number))),
            Content::Messages => attributes.push(text(key, &messages(role, bytes, number))),
        }
    }
    let started = 1_790_000_000_000_000_000 + number * 1_000_000;
    Span {
        trace_id: (u128::from(number) + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .to_be_bytes()
            .to_vec(),
        span_id: (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes().to_vec(),
        name: "chat gpt-4.1-2026-04-14".to_owned(),
        kind: 3,
        start_time_unix_nano: started,
        end_time_unix_nano: started + 800_000_000,
        attributes,
        flags: 0x101,
        ..Default::default()
    }
}

fn words(bytes: usize, number: u64) -> String {
    let words = format!("let total = the sum of all rows of {number} where status is open; ");
    words.chars().cycle().take(bytes).collect()
}

/// Two messages, the first of which calls a tool or has its result.
fn messages(role: &str, bytes: usize, number: u64) -> String {
    let half = words(bytes / 2, number);
    let first = match role {
        "user" => serde_json::json!({"role": "tool", "parts": [
            {"type": "tool_call_response", "id": format!("call_{number}"), "response": half}
        ]}),
        _ => serde_json::json!({"role": role, "parts": [
            {"type": "tool_call", "id": format!("call_{number}"), "name": "read", "arguments": {"path": half}}
        ], "finish_reason": "tool_call"}),
    };
    let second =
        serde_json::json!({"role": role, "parts": [{"type": "text", "content": half}], "finish_reason": "stop"});
    serde_json::Value::from(vec![first, second]).to_string()
}

fn attribute(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Value::StringValue(value.to_owned()))
}

fn int(key: &str, value: i64) -> KeyValue {
    attribute(key, Value::IntValue(value))
}

fn double(key: &str, value: f64) -> KeyValue {
    attribute(key, Value::DoubleValue(value))
}
