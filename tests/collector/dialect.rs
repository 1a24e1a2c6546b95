//! Spans of other dialects through a stage that tells them under the conventions' names.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use insta::assert_snapshot;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use veilspan::Policy;
use veilspan::collector::{Capture, Processor, Stage};
use veilspan::privacy::Level;
use veilspan::processor::dialect::{DialectOptions, Originals, Stamp};

use crate::build::*;
use crate::support::receiver::text;

const DIALECTS: [&str; 7] = ["claude_code", "codex", "genai_old", "openinference", "openllmetry", "rig", "vercel_ai"];

fn recorded(dialect: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dialects").join(format!("{dialect}.jsonl"));
    let request: ExportTraceServiceRequest = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    request.encode_to_vec()
}

fn unkeyed(level: Level) -> Policy {
    Policy::builder().content(level).unkeyed_sha256().build_in(&Default::default()).0
}

/// What leaves of a request, and the stage.
async fn through(processors: &[Processor], policy: Policy, body: Vec<u8>) -> (Bytes, Stage) {
    let capture = std::sync::Arc::new(Capture::default());
    let builder = Stage::builder(config(processors, None)).policy(policy).capture(std::sync::Arc::clone(&capture));
    let stage = builder.start().unwrap();
    assert_eq!(send(&stage, body).await.unwrap().rejected_spans, 0);
    (capture.requests().remove(0), stage)
}

fn spans(request: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(request).unwrap();
    request.resource_spans.into_iter().flat_map(|it| it.scope_spans).flat_map(|it| it.spans).collect()
}

fn dialect(options: DialectOptions) -> [Processor; 2] {
    [Processor::Privacy, Processor::Dialect(options)]
}

/// The spans with all that can be read of them, one thing a line.
fn shown(spans: &[Span]) -> String {
    let mut lines = Vec::new();
    for span in spans {
        lines.push(span.name.clone());
        let attributes: BTreeMap<_, _> =
            span.attributes.iter().map(|it| (&it.key, it.value.as_ref().unwrap().value.as_ref())).collect();
        assert_eq!(attributes.len(), span.attributes.len(), "a key stands twice: {:?}", span.attributes);
        lines.extend(
            attributes.iter().map(|(key, value)| format!("  {key} = {}", value.map_or_else(String::new, plain))),
        );
    }
    lines.join("\n")
}

fn plain(value: &Value) -> String {
    let element =
        |it: &opentelemetry_proto::tonic::common::v1::AnyValue| it.value.as_ref().map(plain).unwrap_or_default();
    match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        Value::DoubleValue(number) => number.to_string(),
        Value::BoolValue(flag) => flag.to_string(),
        Value::ArrayValue(array) => format!("[{}]", array.values.iter().map(element).collect::<Vec<_>>().join(", ")),
        other => format!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_dialect_leaves_under_the_names_of_the_conventions() {
    for name in DIALECTS {
        let processors = dialect(DialectOptions::default().stamp(Stamp::default()));
        let (out, _stage) = through(&processors, unkeyed(Level::Digest), recorded(name)).await;
        assert_snapshot!(format!("dialect_{name}"), shown(&spans(&out)));
        // What has been told is not told again, whoever tells it.
        let (again, second) = through(&processors, unkeyed(Level::Digest), out.to_vec()).await;
        assert_eq!(again, out, "{name}");
        assert_eq!(metric(&second, r#"veilspan_dialect_spans_total{pipeline="traces"}"#), 0, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn originals_are_kept_by_choice_and_nothing_else_changes() {
    for name in DIALECTS {
        let [privacy, keeps] = dialect(DialectOptions::default().originals(Originals::Keep));
        let (veiled, _) = through(&[privacy], unkeyed(Level::Digest), recorded(name)).await;
        let (kept, _) = through(&[keeps], unkeyed(Level::Digest), veiled.to_vec()).await;
        for (before, after) in spans(&veiled).iter().zip(spans(&kept)) {
            let (stays, added) = after.attributes.split_at(before.attributes.len());
            assert_eq!(stays, before.attributes, "{name}");
            assert!(
                added
                    .iter()
                    .all(|it| it.key.starts_with("gen_ai.") || it.key == "error.type" || it.key == "veilspan.attempt"),
                "{added:?}"
            );
            assert_eq!(Span { attributes: before.attributes.clone(), ..after }, *before, "{name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialect_reduces_to_the_same_whether_it_was_translated_before_after_or_by_a_stage_before() {
    for name in DIALECTS {
        let state = |stage: &Stage| stage.rollouts().iter().map(|it| it.serialise()).collect::<Vec<_>>();
        let policy = || unkeyed(Level::Digest);
        let (_, plain) = through(&[Processor::Privacy, Processor::Reduce], policy(), recorded(name)).await;
        let expected = state(&plain);
        assert_eq!(expected.len(), 1, "{name}");
        let stamped = DialectOptions::default().stamp(Stamp::default());
        for options in
            [DialectOptions::default(), DialectOptions::default().originals(Originals::Keep), stamped.clone()]
        {
            let [privacy, step] = dialect(options);
            let (_, before) =
                through(&[privacy.clone(), step.clone(), Processor::Reduce], policy(), recorded(name)).await;
            assert_eq!(state(&before), expected, "{name}, before: {step:?}");
            let (out, after) =
                through(&[privacy.clone(), Processor::Reduce, step.clone()], policy(), recorded(name)).await;
            assert_eq!(state(&after), expected, "{name}, after: {step:?}");
            let (_, second) = through(&[privacy, Processor::Reduce], policy(), out.to_vec()).await;
            assert_eq!(state(&second), expected, "{name}, a stage before: {step:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stamp_names_the_conversation_the_session_what_the_rule_says_or_the_trace() {
    let value = |text: &str| Value::StringValue(text.to_owned());
    let chat = |more: Vec<_>| {
        let operation = attribute("gen_ai.operation.name", value("chat"));
        span("chat", [vec![operation], more].concat()).encode_to_vec()
    };
    let trace = "07070707070707070707070707070707";
    let cases = [
        (vec![attribute("gen_ai.conversation.id", value("conv-1")), attribute("session.id", value("s-1"))], "conv-1"),
        (vec![attribute("session.id", value("s-1"))], "s-1"),
        (vec![], trace),
        (vec![attribute("session.id", Value::IntValue(3))], trace),
        (vec![attribute("veilspan.rollout.id", value("r-1")), attribute("session.id", value("s-1"))], "r-1"),
    ];
    let plain = span("GET /", vec![attribute("session.id", value("s-1"))]).encode_to_vec();
    let bodies: Vec<_> = cases.iter().map(|(more, _)| chat(more.clone())).chain([plain.clone()]).collect();
    let processors = dialect(DialectOptions::default().stamp(Stamp::default()));
    let (out, stage) = through(&processors, policy(), request(&bodies, &[])).await;
    let spans = spans(&out);
    for (span, (more, expected)) in spans.iter().zip(&cases) {
        assert_eq!(text(span, "veilspan.rollout.id"), Some(*expected), "{more:?}");
        assert_eq!(text(span, "veilspan.turn.id").is_some(), *expected != "r-1");
    }
    assert_eq!(spans[5].encode_to_vec(), plain, "no GenAI span");
    assert_eq!(metric(&stage, r#"veilspan_dialect_stamped_total{pipeline="traces"}"#), 4);
    // They are all of one trace, and two of them name nothing.
    assert_eq!(metric(&stage, r#"veilspan_dialect_split_total{pipeline="traces"}"#), 2);
    // By a rule of one's own, and where that is no label, by what stands in its place.
    let stamp = Stamp { attributes: vec!["my.run".to_owned()] };
    let processors = dialect(DialectOptions::default().stamp(stamp));
    let named = |run: &str| chat(vec![attribute("my.run", value(run)), attribute("session.id", value("s-1"))]);
    let (out, _stage) =
        through(&processors, unkeyed(Level::Digest), request(&[named("a run"), named("a run"), named("b run")], &[]))
            .await;
    let ids: Vec<_> = spans_of(&out, "veilspan.rollout.id");
    assert!(ids[0].starts_with("sha256:") && ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stamp_follows_from_the_span_alone_whatever_came_before_it() {
    let value = |text: &str| Value::StringValue(text.to_owned());
    let chat = |more: Vec<_>| {
        span("chat", [vec![attribute("gen_ai.operation.name", value("chat"))], more].concat()).encode_to_vec()
    };
    let (child, root) = (chat(vec![]), chat(vec![attribute("session.id", value("s-1"))]));
    let (stage, capture) = capturing(&dialect(DialectOptions::default().stamp(Stamp::default())));
    for body in [&child, &root, &child] {
        send(&stage, request(std::slice::from_ref(body), &[])).await.unwrap();
    }
    let sent = capture.requests();
    assert_eq!(sent[0], sent[2], "sent again it has the bytes that it had");
    assert_ne!(spans_of(&sent[0], "veilspan.rollout.id"), spans_of(&sent[1], "veilspan.rollout.id"));
    assert_eq!(metric(&stage, r#"veilspan_dialect_split_total{pipeline="traces"}"#), 0, "nothing is remembered of it");
}

fn spans_of(request: &[u8], key: &str) -> Vec<String> {
    spans(request).iter().map(|span| text(span, key).unwrap_or_default().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_span_that_speaks_the_conventions_keeps_its_bytes() {
    let own = span(
        "chat gpt-x",
        vec![
            attribute("gen_ai.operation.name", Value::StringValue("chat".to_owned())),
            attribute("gen_ai.request.model", Value::StringValue("gpt-x".to_owned())),
        ],
    );
    let mut body = own.encode_to_vec();
    body.extend_from_slice(UNKNOWN);
    let body = request(&[body, span("GET /", every_type_of_attribute()).encode_to_vec()], UNKNOWN);
    let (out, _stage) = through(&[Processor::Dialect(DialectOptions::default())], policy(), body.clone()).await;
    assert_eq!(out, body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_span_beside_a_translated_one_is_refused_by_itself_with_and_without_privacy() {
    let foreign = span(
        "x",
        vec![
            attribute("llm.model_name", Value::StringValue("m".to_owned())),
            attribute("openinference.span.kind", Value::StringValue("LLM".to_owned())),
        ],
    );
    let body = request(&[vec![0x0a, 0x7f, 1], foreign.encode_to_vec()], &[]);
    let (stage, capture) = capturing(&dialect(DialectOptions::default()));
    assert_eq!(send(&stage, body).await.unwrap().rejected_spans, 1);
    let out = spans(&capture.requests()[0]);
    assert_eq!((out.len(), out[0].name.as_str()), (1, "chat m"));
}
