//! What the processor promises towards its host and towards the next processor.

use std::time::Duration;

use opentelemetry::trace::{
    SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState, Tracer,
};
use opentelemetry::{Context, InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks, SpanProcessor};
use veilspan::processor::ReducingProcessor;
use veilspan::reduce::{Limits, Reason};

use super::build::{Host, Kept, policy, until};

fn text(span: &SpanData, key: &str) -> Option<String> {
    span.attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| attribute.value.to_string())
}

#[test]
fn a_run_that_falls_silent_is_told_of_without_another_span() {
    let limits = Limits { rollout_idle: Duration::from_millis(50), ..Limits::default() };
    let host = Host::new(limits);
    host.run("r1", false);
    until("the summary", || host.next.added().iter().any(|span| span.name == "rollout planner"));
    let added = host.next.added();
    let turn = added.iter().find(|span| span.name == "invoke_agent").expect("the turn that nobody reported");
    assert_eq!(text(turn, "veilspan.turn.id").as_deref(), Some("t3"));
    let summary = added.iter().find(|span| span.name == "rollout planner").unwrap();
    assert_eq!(text(summary, "veilspan.rollout.reason").as_deref(), Some("idle"));
    assert_eq!(text(summary, "veilspan.rollout.turns").as_deref(), Some("3"));
    assert_eq!(summary.links.links.len(), 3);
    // Each finding is an event of the span that it belongs to, once.
    let kinds = |span: &SpanData| -> Vec<_> {
        assert!(span.events.iter().all(|event| event.name == "veilspan.finding"));
        let kind = |event: &opentelemetry::trace::Event| {
            let mut attributes = event.attributes.iter();
            attributes.find(|one| one.key.as_str() == "veilspan.finding.kind").unwrap().value.to_string()
        };
        span.events.iter().map(kind).collect()
    };
    assert_eq!(kinds(turn), ["orphan"]);
    let findings = text(summary, "veilspan.rollout.findings").unwrap();
    assert_eq!((kinds(turn).len() + kinds(summary).len()).to_string(), findings);
    assert_eq!(host.reduced.rollouts()[0].closed, Some(Reason::Idle));
}

#[test]
fn a_flush_reaches_the_next_processor_after_all_that_ended_before_is_reduced() {
    let host = Host::new(Limits::default());
    host.run("r1", false);
    host.provider.force_flush().unwrap();
    assert_eq!(host.next.calls(), [("flush", 5)]);
    assert_eq!(host.reduced.counts().reduced, 5);
}

#[test]
fn shutting_down_closes_what_waits_for_late_data_alone_and_says_so_before_the_next_processor_stops() {
    let host = Host::new(Limits::default());
    host.run("open", false);
    host.run("ended", true);
    host.provider.shutdown_with_timeout(Duration::from_secs(60)).unwrap();
    // Ten spans, and of the rollout that ended its summary and the turn that nobody reported.
    assert_eq!(host.next.calls(), [("shutdown", 12)]);
    let closed: Vec<_> =
        host.reduced.rollouts().iter().map(|rollout| (rollout.id.to_string(), rollout.closed)).collect();
    assert_eq!(closed, [("open".to_owned(), None), ("ended".to_owned(), Some(Reason::Ended))]);
}

#[test]
fn what_was_said_neither_leaves_nor_stays() {
    let host = Host::new(Limits::default());
    host.run("r1", true);
    host.provider.shutdown_with_timeout(Duration::from_secs(60)).unwrap();
    let mut seen = format!("{:?} {:?}", host.next.spans(), host.reduced);
    host.reduced.rollouts().iter().for_each(|rollout| seen += &rollout.serialise());
    assert!(format!("{:?}", host.ended.spans()).contains("secret"));
    assert!(!seen.contains("secret"), "{seen}");
}

#[test]
fn a_next_processor_that_panics_on_an_added_span_costs_no_other_and_not_the_thread() {
    let host = Host::new(Limits { rollout_idle: Duration::from_millis(20), ..Limits::default() });
    host.next.0.lock().unwrap().panics_on_added = true;
    host.run("r1", false);
    until("the added spans are lost", || host.reduced.counts().panicked == 2);
    host.next.0.lock().unwrap().panics_on_added = false;
    host.run("r2", false);
    until("those of the next run are added", || host.next.added().len() == 2);
    assert_eq!(host.next.spans().len(), 12);
}

#[test]
fn other_spans_pass_untouched_and_are_counted_nowhere() {
    let host = Host::new(Limits::default());
    let span = host.tracer.span_builder("GET /").with_attributes([KeyValue::new("http.route", "a secret route")]);
    Context::new().with_span(span.start_with_context(&host.tracer, &Context::new())).span().end();
    host.provider.force_flush().unwrap();
    assert_eq!(host.next.spans(), host.ended.spans());
    assert_eq!(host.reduced.counts(), Default::default());
}

fn span(number: u64, flags: TraceFlags) -> SpanData {
    let context = SpanContext::new(TraceId::from(7), SpanId::from(number), flags, false, TraceState::NONE);
    SpanData {
        span_context: context,
        parent_span_id: SpanId::INVALID,
        parent_span_is_remote: false,
        span_kind: SpanKind::Internal,
        name: "chat".into(),
        start_time: std::time::UNIX_EPOCH + Duration::from_secs(1),
        end_time: std::time::UNIX_EPOCH + Duration::from_secs(2),
        attributes: vec![
            KeyValue::new("gen_ai.operation.name", "chat"),
            KeyValue::new("veilspan.rollout.id", format!("r{number}")),
        ],
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("my-service").build(),
    }
}

#[test]
fn a_span_that_is_not_sampled_is_handed_on_and_not_reduced() {
    let next = Kept::default();
    let processor = ReducingProcessor::new(next.clone(), policy());
    processor.on_end(span(1, TraceFlags::default()));
    processor.on_end(span(2, TraceFlags::SAMPLED));
    processor.force_flush().unwrap();
    assert_eq!(next.spans().len(), 2);
    let rollouts: Vec<_> = processor.reduced().rollouts().iter().map(|rollout| rollout.id.to_string()).collect();
    assert_eq!(rollouts, ["r2"]);
}

#[test]
fn ids_that_never_repeat_stay_within_the_budget_and_are_counted() {
    let limits = Limits { bytes: 1 << 18, ..Limits::default() };
    let next = Kept::default();
    let processor = ReducingProcessor::with_limits(next.clone(), policy(), limits);
    for number in 1..6_001 {
        processor.on_end(span(number, TraceFlags::SAMPLED));
        if number % 1000 == 0 {
            // The queue is bounded as well, and what it turns away is not what this is about.
            processor.force_flush().unwrap();
        }
    }
    let counts = processor.reduced().counts();
    assert_eq!((counts.reduced, counts.missed), (6_000, 0));
    let by_name = |name| counts.by_name.iter().find(|(known, _)| *known == name).map_or(0, |(_, count)| *count);
    assert!(by_name("rollouts_evicted") > 3_000, "{counts:?}");
    assert!(by_name("forgotten") > 0, "{counts:?}");
    assert_eq!(by_name("refused"), 0, "{counts:?}");
    // Each that closed told of itself: the turn that nobody reported, and the summary.
    assert_eq!(counts.added, 2 * by_name("rollouts_evicted"));
}

#[test]
fn a_processor_that_is_dropped_drops_the_next_one() {
    let next = Kept::default();
    let processor = ReducingProcessor::new(next.clone(), policy());
    processor.on_end(span(1, TraceFlags::SAMPLED));
    drop(processor);
    until("nobody else holds it", || std::sync::Arc::strong_count(&next.0) == 1);
}

#[test]
fn a_resource_may_be_told_after_the_first_span() {
    let next = Kept::default();
    let mut processor = ReducingProcessor::new(next.clone(), policy());
    processor.on_end(span(1, TraceFlags::SAMPLED));
    let resource = opentelemetry_sdk::Resource::builder_empty().with_service_name("shop").build();
    processor.set_resource(&resource);
    assert_eq!(next.0.lock().unwrap().resource.as_ref(), Some(&resource));
    processor.on_end(span(2, TraceFlags::SAMPLED));
    processor.force_flush().unwrap();
    assert_eq!(processor.reduced().counts().reduced, 2);
}
