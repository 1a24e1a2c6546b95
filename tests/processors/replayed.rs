//! A run that names its baseline is compared with it as its spans end.

use opentelemetry::trace::{SpanBuilder, TraceContextExt, Tracer, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData};
use veilspan::processor::{Compared, ReplayProcessor};
use veilspan::replay::Run;

use super::build::{Host, Kept, policy};
use veilspan::reduce::Limits;

fn path(rollout: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("veilspan.rollout.id", rollout.to_owned()),
        KeyValue::new("veilspan.thread.id", "th"),
        KeyValue::new("veilspan.turn.id", "tu"),
        KeyValue::new("veilspan.outcome", "completed"),
    ]
}

/// A turn that calls these tools, each with this result.
fn act(provider: &SdkTracerProvider, rollout: &str, of: Option<&str>, tools: &[(&str, &str)]) {
    let tracer = provider.tracer("agent");
    let mut attributes = path(rollout);
    attributes.push(KeyValue::new("gen_ai.operation.name", "invoke_agent"));
    attributes.push(KeyValue::new("gen_ai.agent.name", "planner"));
    attributes.push(KeyValue::new("veilspan.rollout.end", true));
    attributes.extend(of.map(|of| KeyValue::new("veilspan.replay.of", of.to_owned())));
    let turn = tracer.build(SpanBuilder::from_name("invoke_agent planner").with_attributes(attributes));
    let context = Context::new().with_span(turn);
    for (tool, result) in tools {
        let mut attributes = path(rollout);
        attributes.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
        attributes.push(KeyValue::new("gen_ai.tool.name", (*tool).to_owned()));
        attributes.push(KeyValue::new("gen_ai.tool.call.arguments", "{}"));
        attributes.push(KeyValue::new("gen_ai.tool.call.result", (*result).to_owned()));
        let span = SpanBuilder::from_name("execute_tool").with_attributes(attributes);
        drop(tracer.build_with_context(span, &context));
    }
    drop(context);
}

fn baseline() -> Run {
    let host = Host::new(Limits::default());
    act(&host.provider, "base", None, &[("search", "one"), ("read", "two")]);
    host.provider.force_flush().unwrap();
    let rollouts = host.reduced.rollouts();
    assert_eq!(rollouts.len(), 1);
    Run::of_recording(&rollouts[0])
}

struct Replayed {
    provider: SdkTracerProvider,
    next: Kept,
    compared: Compared,
}

fn replayed() -> Replayed {
    let next = Kept::default();
    let processor = ReplayProcessor::new(next.clone(), policy(), [baseline()]);
    let compared = processor.compared();
    let resource = Resource::builder_empty()
        .with_attributes([KeyValue::new("veilspan.producer.id", "01ARZ3NDEKTSV4RRFFQ69G5FAV")])
        .build();
    let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(processor).build();
    Replayed { provider, next, compared }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| attribute.value.to_string())
}

fn findings(span: &SpanData) -> Vec<String> {
    span.events.events.iter().map(|event| text(&event.attributes, "veilspan.finding.kind").unwrap()).collect()
}

#[test]
fn a_run_that_does_the_same_leaves_a_report_without_a_finding() {
    let replayed = replayed();
    act(&replayed.provider, "again", Some("base"), &[("search", "one"), ("read", "two")]);
    replayed.provider.force_flush().unwrap();
    let added = replayed.next.added();
    assert_eq!(added.len(), 1, "{added:#?}");
    assert_eq!(text(&added[0].attributes, "veilspan.replay.verdict").as_deref(), Some("same"), "{added:#?}");
    assert_eq!(findings(&added[0]), Vec::<String>::new());
    assert_eq!((replayed.compared.counts().compared, replayed.compared.counts().findings), (1, 0));
    assert_eq!(replayed.next.spans().len(), 4, "three spans handed on, and the report");
}

#[test]
fn a_changed_step_is_one_finding_on_a_span_that_is_linked_to_it() {
    let replayed = replayed();
    act(&replayed.provider, "again", Some("base"), &[("search", "a canary of another kind"), ("read", "two")]);
    replayed.provider.shutdown().unwrap();
    let added = replayed.next.added();
    assert_eq!(added.len(), 1);
    let report = &added[0];
    assert_eq!((report.name.as_ref(), findings(report)), ("replay base", vec!["result".to_owned()]));
    assert_eq!(text(&report.attributes, "veilspan.replay.verdict").as_deref(), Some("drift"));
    let step = replayed.next.spans().into_iter().find(|span| span.name == "execute_tool").unwrap();
    assert_eq!(report.links.links[0].span_context.span_id(), step.span_context.span_id());
    let event = &report.events.events[0];
    assert!(text(&event.attributes, "veilspan.finding.actual").unwrap().contains("hmac-sha256:"));
    assert!(!format!("{added:?}").contains("canary"));
}

#[test]
fn spans_that_come_after_the_end_are_told_by_a_further_revision() {
    let replayed = replayed();
    act(&replayed.provider, "again", Some("base"), &[("search", "one"), ("read", "two")]);
    replayed.provider.force_flush().unwrap();
    let mut late = path("again");
    late.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
    late.push(KeyValue::new("gen_ai.tool.name", "extra"));
    drop(replayed.provider.tracer("agent").build(SpanBuilder::from_name("execute_tool").with_attributes(late)));
    replayed.provider.force_flush().unwrap();
    let added = replayed.next.added();
    assert_eq!(added.len(), 2, "{added:#?}");
    assert_eq!(findings(&added[1]), ["insertion"]);
    let revision = |span: &SpanData| text(&span.attributes, "veilspan.revision").unwrap();
    assert_eq!((revision(&added[0]), revision(&added[1])), ("0".to_owned(), "1".to_owned()));
    assert_ne!(added[0].span_context.span_id(), added[1].span_context.span_id());
}

#[test]
fn a_run_without_a_baseline_is_handed_on_and_nothing_is_added() {
    let replayed = replayed();
    act(&replayed.provider, "new", None, &[("search", "one")]);
    act(&replayed.provider, "other", Some("nobody"), &[("search", "one")]);
    replayed.provider.force_flush().unwrap();
    assert_eq!((replayed.next.added().len(), replayed.next.spans().len()), (0, 4));
    assert_eq!(replayed.compared.counts().without_baseline, 1);
}
