//! Spans of other producers: through a stage, and through the exporter that an SDK is given.

use bytes::Bytes;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1;
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{InMemorySpanExporter, SpanData, SpanEvents, SpanExporter, SpanLinks};
use prost::Message;
use serde_json::json;
use std::sync::Arc;
use std::time::SystemTime;
use veilspan::collector::{Capture, Config, Listen, Processor, RolloutsConfig, Stage};
use veilspan::otlp::{Client, ClientOptions, Segments};
use veilspan::privacy::Level;
use veilspan::processor::RedactingExporter;
use veilspan::processor::dialect::{DialectOptions, Stamp};
use veilspan::semconv::Field::{self, Completions, Errors, Prompts, Reasoning, System, ToolArguments, ToolResults};

use super::policies::every_policy;
use super::recorded::SOON;
use crate::support::canaries::{Exits, Logs, Plants, Shape};

const SENT: &[Field] = &[Prompts];
const ANSWERED: &[Field] = &[Completions];
const CALLED: &[Field] = &[Prompts, Completions, ToolArguments];

fn context(state: &str) -> SpanContext {
    let state = TraceState::from_key_value([("vendor", state)]).unwrap_or_default();
    SpanContext::new(TraceId::from(1 << 99), SpanId::from(5), TraceFlags::SAMPLED, false, state)
}

/// What the conventions' content attributes look like.
fn conventional(p: &mut Plants) -> Vec<KeyValue> {
    let input = json!([
        { "role": "user", "parts": [{ "type": "text", "content": p.said(SENT, "input") }], "name": p.hidden("name of a user") },
        { "role": "assistant", "parts": [
            { "type": "reasoning", "content": p.said(&[Prompts, Completions, Reasoning], "thought") },
            { "type": "tool_call", "id": p.said(&[Prompts, Completions, ToolArguments], "id"),
                "name": p.said(&[Prompts, Completions, ToolArguments], "name of a call"),
                "arguments": { "a": { "b": [p.said(&[Prompts, Completions, ToolArguments], "argument")] } } }] },
        { "role": "tool", "parts": [{ "type": "tool_call_response", "id": p.said(&[Prompts, ToolResults], "id of a response"),
            "response": { "a": [p.said(&[Prompts, ToolResults], "response")] } }] },
        { "role": p.said(SENT, "role"), "parts": [{ "type": p.said(SENT, "type"), "x": { "y": p.said(SENT, "odd part") } }] },
    ]);
    let output = json!([{ "role": "assistant", "finish_reason": "stop",
        "parts": [{ "type": "text", "content": p.said(ANSWERED, "output") }] }]);
    let tools = json!([{ "type": "function", "name": p.said(&[System], "tool's name"),
        "description": p.said(&[System], "tool's description"),
        "parameters": { "x": p.said(&[System], "tool's parameter") } }]);
    let system = json!([{ "type": "text", "content": p.said(&[System], "system") }]);
    vec![
        KeyValue::new("gen_ai.input.messages", input.to_string()),
        KeyValue::new("gen_ai.output.messages", output.to_string()),
        KeyValue::new("gen_ai.tool.definitions", tools.to_string()),
        KeyValue::new("gen_ai.system_instructions", system.to_string()),
        KeyValue::new(
            "gen_ai.request.stop_sequences",
            Value::Array(Array::String(vec![StringValue::from(p.said(SENT, "stop"))])),
        ),
    ]
}

fn chat(p: &mut Plants) -> SpanData {
    let mut attributes = vec![
        KeyValue::new("gen_ai.operation.name", "chat"),
        KeyValue::new("gen_ai.request.model", p.label("model")),
        KeyValue::new("gen_ai.provider.name", p.label("provider")),
        KeyValue::new("gen_ai.response.id", p.label("response id")),
        KeyValue::new("gen_ai.conversation.id", p.label("conversation")),
        KeyValue::new("error.type", p.label("error type")),
        KeyValue::new("gen_ai.usage.input_tokens", p.hidden("tokens")),
        KeyValue::new("some.words", p.said(SENT, "unknown attribute")),
        KeyValue::new("llm.input_messages.0.message.content", p.said(SENT, "another dialect")),
        KeyValue::new(p.label("key"), "label"),
        KeyValue::new("gen_ai.prompt.0.content", p.said(SENT, "older dialect")),
    ];
    attributes.extend(conventional(p));
    let event = |name: String, attributes| Event::new(name, SystemTime::UNIX_EPOCH, attributes, 0);
    let said =
        vec![KeyValue::new("content", p.said(SENT, "content of an event")), KeyValue::new(p.label("event's key"), 1)];
    let failed = vec![
        KeyValue::new("exception.type", p.label("exception's type")),
        KeyValue::new("exception.message", p.said(&[Errors], "exception")),
        KeyValue::new("exception.stacktrace", p.said(&[Errors], "stack")),
    ];
    let mut events = SpanEvents::default();
    events.events = vec![event("gen_ai.user.message".to_owned(), said), event("exception".to_owned(), failed)];
    events.events.push(event(p.label("event's name"), Vec::new()));
    let mut links = SpanLinks::default();
    let of_link = vec![KeyValue::new("veilspan.edge.kind", "task"), KeyValue::new("x", p.said(SENT, "link"))];
    links.links = vec![Link::new(context(&p.label("link's state")), of_link, 0)];
    span(attributes, events, links, p)
}

fn tool(p: &mut Plants) -> SpanData {
    let arguments = json!({ "a": { "b": { "c": p.said(&[ToolArguments], "arguments") } } });
    let attributes = vec![
        KeyValue::new("gen_ai.operation.name", "execute_tool"),
        KeyValue::new("gen_ai.tool.name", p.label("tool")),
        KeyValue::new("gen_ai.tool.call.id", p.label("call id")),
        KeyValue::new("gen_ai.tool.call.arguments", arguments.to_string()),
        KeyValue::new("gen_ai.tool.call.result", p.said(&[ToolResults], "result")),
    ];
    span(attributes, SpanEvents::default(), SpanLinks::default(), p)
}

fn span(attributes: Vec<KeyValue>, events: SpanEvents, links: SpanLinks, p: &mut Plants) -> SpanData {
    let scope = InstrumentationScope::builder(p.label("scope")).with_version(p.label("scope's version"));
    let scope = scope.with_schema_url(p.label("scope's schema"));
    SpanData {
        span_context: context(&p.label("trace state")),
        parent_span_id: SpanId::from(6),
        parent_span_is_remote: true,
        span_kind: SpanKind::Client,
        name: p.label("span's name").into(),
        start_time: SystemTime::UNIX_EPOCH,
        end_time: SystemTime::UNIX_EPOCH,
        attributes,
        dropped_attributes_count: 0,
        events,
        links,
        status: Status::error(p.said(&[Errors], "status")),
        instrumentation_scope: scope.with_attributes([KeyValue::new("x", p.label("scope's attribute"))]).build(),
    }
}

/// A model's call in dialects that have messages in attributes of their own.
fn foreign(p: &mut Plants) -> SpanData {
    let messages =
        json!([{ "role": "user", "content": [{ "type": "text", "text": p.said(SENT, "message in a list") }] }]);
    let attributes = vec![
        KeyValue::new("openinference.span.kind", "LLM"),
        KeyValue::new("llm.model_name", p.label("other name of a model")),
        KeyValue::new("session.id", p.label("session")),
        KeyValue::new("llm.input_messages.0.message.role", "user"),
        KeyValue::new("llm.input_messages.0.message.content", p.said(SENT, "flat message")),
        KeyValue::new("llm.input_messages.1.message.role", "assistant"),
        KeyValue::new("llm.input_messages.2.message.role", p.said(SENT, "flat role")),
        KeyValue::new("llm.input_messages.2.message.contents.0.message_content.text", p.said(SENT, "flat block")),
        KeyValue::new("llm.input_messages.1.message.tool_calls.0.tool_call.id", p.said(CALLED, "flat id")),
        KeyValue::new("llm.input_messages.1.message.tool_calls.0.tool_call.function.name", p.said(CALLED, "flat name")),
        KeyValue::new(
            "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments",
            p.said(CALLED, "flat arguments"),
        ),
        KeyValue::new("llm.output_messages.0.message.content", p.said(ANSWERED, "flat answer")),
        KeyValue::new("gen_ai.completion.0.finish_reason", p.said(ANSWERED, "flat reason")),
        KeyValue::new("llm.tools.0.tool.json_schema", json!({ "name": p.said(&[System], "flat tool") }).to_string()),
        KeyValue::new("ai.prompt.messages", messages.to_string()),
        KeyValue::new("ai.response.toolCalls", p.said(ANSWERED, "calls that are none")),
        KeyValue::new("input.value", p.said(SENT, "whole request")),
        KeyValue::new("traceloop.entity.output", p.said(ANSWERED, "whole answer")),
        KeyValue::new("user_prompt", p.said(SENT, "prompt of an agent")),
        KeyValue::new("llm.prompt_template.variables", p.said(SENT, "name of no meaning")),
    ];
    span(attributes, SpanEvents::default(), SpanLinks::default(), p)
}

/// These spans as an SDK would send them, of a resource that says something too.
fn request(spans: Vec<SpanData>, resource: Vec<v1::KeyValue>, schema: String) -> Bytes {
    let of_span = |span: SpanData| ScopeSpans {
        scope: Some(v1::InstrumentationScope {
            name: span.instrumentation_scope.name().to_owned(),
            version: span.instrumentation_scope.version().unwrap_or_default().to_owned(),
            attributes: Vec::new(),
            dropped_attributes_count: 0,
        }),
        schema_url: span.instrumentation_scope.schema_url().unwrap_or_default().to_owned(),
        spans: vec![Span::from(span)],
    };
    let resource = ProtoResource { attributes: resource, ..ProtoResource::default() };
    let scope_spans = spans.into_iter().map(of_span).collect();
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, schema_url: schema }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
}

/// What is asked and told of rollouts, as far as this test looks at it.
#[derive(Clone, PartialEq, prost::Message)]
struct Listed {
    #[prost(bytes = "vec", repeated, tag = "1")]
    rollouts: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Named {
    #[prost(string, optional, tag = "1")]
    pub tenant: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub rollout: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Told {
    #[prost(bytes = "vec", tag = "1")]
    rollout: Vec<u8>,
}

pub async fn ask<Q, A>(stage: &Stage, method: &str, question: Q) -> A
where
    Q: Message + Send + Sync + 'static,
    A: Message + Default + Send + Sync + 'static,
{
    let (_, address) = stage.addresses().iter().find(|(name, _)| name == "rollouts/grpc").unwrap();
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.unwrap());
    grpc.ready().await.unwrap();
    let path = format!("/veilspan.v1.RolloutService/{method}").parse().unwrap();
    let codec = tonic_prost::ProstCodec::<Q, A>::default();
    grpc.unary(tonic::Request::new(question), path, codec).await.unwrap().into_inner()
}

/// What the stage tells of the rollouts that it holds: their list, and each whole.
async fn asked(stage: &Stage) -> Vec<u8> {
    let list: Listed = ask(stage, "ListRollouts", Named::default()).await;
    let mut told = list.encode_to_vec();
    for rollout in &list.rollouts {
        let name = Named::decode(&**rollout).unwrap();
        let whole: Told = ask(stage, "GetRollout", name).await;
        told.extend(whole.rollout);
    }
    told
}

#[test]
fn what_another_producer_says_leaves_a_stage_as_the_policy_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for policy in every_policy() {
        let translating = Processor::Dialect(DialectOptions::default().stamp(Stamp::default()));
        let pipelines =
            [vec![Processor::Privacy, Processor::Reduce], vec![Processor::Privacy, translating, Processor::Reduce]];
        for (shape, processors) in Shape::ALL.into_iter().flat_map(|shape| pipelines.iter().map(move |it| (shape, it)))
        {
            let mark = Logs::of_process().mark();
            let mut plants = Plants::new(shape);
            let spans = vec![chat(&mut plants), tool(&mut plants), foreign(&mut plants)];
            let value = v1::any_value::Value::StringValue(plants.label("service name"));
            let service = v1::KeyValue {
                key: "service.name".to_owned(),
                value: Some(v1::AnyValue { value: Some(value) }),
                ..v1::KeyValue::default()
            };
            let body = request(spans, vec![service], plants.label("resource's schema"));
            let here = ([127, 0, 0, 1], 0).into();
            let mut config = Config::between(here, None).with_processors(processors);
            config.rollouts = Some(RolloutsConfig::at(Listen::at(here)));
            let capture = Arc::new(Capture::default());
            let stage = Stage::builder(config).policy(policy.clone()).capture(Arc::clone(&capture)).start().unwrap();
            let mut segments = Segments::with_capacity(1);
            segments.push(body);
            let options = ClientOptions::new(format!("http://{}", stage.address()));
            runtime.block_on(async { Client::new(&options).unwrap().export(segments).await }).unwrap();
            let told = runtime.block_on(asked(&stage));
            let printed = format!("{stage:?} {capture:?}");
            stage.shutdown(SOON);
            let mut exits = Exits::of(&plants, &policy);
            exits.requests("the stage", &capture.requests());
            assert!(!told.is_empty(), "there is something to be told");
            exits.veiled("the service for rollouts", &told);
            exits.silent("debug output", printed.as_bytes());
            exits.named("logs", &Logs::of_process().since(mark));
            exits.assert_kept();
            // Lest nothing is found for want of anything to find.
            let shown = if shape == Shape::Secret { Level::Full } else { Level::Preview };
            if shape == Shape::Label || policy.levels().least() >= shown {
                assert!(exits.seen().count() > 5, "{shape:?} under {}", policy.snapshot());
            }
        }
    }
}

#[test]
fn what_an_sdk_is_told_leaves_its_exporter_as_the_policy_says() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for policy in every_policy() {
        for shape in Shape::ALL {
            let mark = Logs::of_process().mark();
            let mut plants = Plants::new(shape);
            let spans = vec![chat(&mut plants), tool(&mut plants)];
            let attributes = [KeyValue::new("service.name", plants.label("service name"))];
            let resource = Resource::builder_empty().with_schema_url(attributes, plants.label("schema")).build();
            let exported = InMemorySpanExporter::default();
            let mut exporter = RedactingExporter::new(exported.clone(), policy.clone());
            exporter.set_resource(&resource);
            runtime.block_on(exporter.export(spans)).unwrap();
            let printed = format!("{exporter:?} {:?}", exporter.counts());
            let left = exported.get_finished_spans().unwrap();
            assert_eq!(left.len(), 2);
            let mut exits = Exits::of(&plants, &policy);
            exits.veiled("spans", format!("{left:?}").as_bytes());
            exits.requests("the exporter", &[request(left, Vec::new(), String::new())]);
            exits.silent("debug output", printed.as_bytes());
            exits.named("logs", &Logs::of_process().since(mark));
            exits.assert_kept();
        }
    }
}
