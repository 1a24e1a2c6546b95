//! A run that has a baseline is compared with it as its spans end.

use std::time::Duration;

use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanId, TraceContextExt, TraceFlags, TraceState, Tracer, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanProcessor};
use veilspan::Policy;
use veilspan::processor::{Compared, PolicyHandle, ReplayProcessor};
use veilspan::reduce::Limits;
use veilspan::replay::{BaselineRule, Baselines, Run};
use veilspan::semconv::lookup;

use super::build::{Host, Kept, policy, until};

const SAME: &[(&str, &str)] = &[("search", "one"), ("read", "two")];

fn path(rollout: &str) -> Vec<KeyValue> {
    vec![
        KeyValue::new("veilspan.rollout.id", rollout.to_owned()),
        KeyValue::new("veilspan.thread.id", "th"),
        KeyValue::new("veilspan.turn.id", "tu"),
        KeyValue::new("veilspan.outcome", "completed"),
    ]
}

fn tool(rollout: &str, name: &str, result: &str) -> SpanBuilder {
    let mut attributes = path(rollout);
    attributes.push(KeyValue::new("gen_ai.operation.name", "execute_tool"));
    attributes.push(KeyValue::new("gen_ai.tool.name", name.to_owned()));
    attributes.push(KeyValue::new("gen_ai.tool.call.arguments", "{}"));
    attributes.push(KeyValue::new("gen_ai.tool.call.result", result.to_owned()));
    SpanBuilder::from_name(format!("execute_tool {name}")).with_attributes(attributes)
}

fn turn(rollout: &str, more: &[KeyValue]) -> SpanBuilder {
    let mut attributes = path(rollout);
    attributes.push(KeyValue::new("gen_ai.operation.name", "invoke_agent"));
    attributes.push(KeyValue::new("gen_ai.agent.name", "planner"));
    attributes.extend_from_slice(more);
    SpanBuilder::from_name("invoke_agent planner").with_attributes(attributes)
}

fn ends() -> KeyValue {
    KeyValue::new("veilspan.rollout.end", true)
}

fn of(baseline: &str) -> KeyValue {
    KeyValue::new("veilspan.replay.of", baseline.to_owned())
}

/// A turn that calls these tools, each with this result.
fn act(provider: &SdkTracerProvider, rollout: &str, more: &[KeyValue], tools: &[(&str, &str)]) {
    let tracer = provider.tracer("agent");
    let context = Context::new().with_span(tracer.build(turn(rollout, more)));
    for (name, result) in tools {
        drop(tracer.build_with_context(tool(rollout, name, result), &context));
    }
}

fn baseline_of(more: &[KeyValue], tools: &[(&str, &str)]) -> Run {
    let host = Host::new(Limits::default());
    act(&host.provider, "base", &[&[ends()], more].concat(), tools);
    host.provider.force_flush().unwrap();
    let rollouts = host.reduced.rollouts();
    assert_eq!(rollouts.len(), 1);
    Run::of_recording(&rollouts[0])
}

fn baseline() -> Run {
    baseline_of(&[], SAME)
}

struct Replayed {
    provider: SdkTracerProvider,
    next: Kept,
    compared: Compared,
    policy: PolicyHandle,
}

impl Replayed {
    fn new(baselines: Baselines, limits: Limits) -> Self {
        let next = Kept::default();
        let processor = ReplayProcessor::with_limits(next.clone(), policy(), baselines, limits);
        let (compared, policy) = (processor.compared(), processor.policy_handle());
        let resource = Resource::builder_empty()
            .with_attributes([KeyValue::new("veilspan.producer.id", "01ARZ3NDEKTSV4RRFFQ69G5FAV")])
            .build();
        let provider = SdkTracerProvider::builder().with_resource(resource).with_span_processor(processor).build();
        Self { provider, next, compared, policy }
    }

    /// What is told once the run has closed.
    fn told(&self) -> Vec<SpanData> {
        self.provider.shutdown().unwrap();
        self.next.added()
    }
}

fn replayed() -> Replayed {
    Replayed::new(Baselines::new([baseline()]), Limits::default())
}

fn quick() -> Limits {
    Limits { late_grace: Duration::from_millis(40), ..Limits::default() }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    attributes.iter().find(|attribute| attribute.key.as_str() == key).map(|attribute| attribute.value.to_string())
}

fn said(span: &SpanData, key: &str) -> Option<String> {
    text(&span.attributes, key)
}

fn findings(span: &SpanData) -> Vec<String> {
    span.events.events.iter().map(|event| text(&event.attributes, "veilspan.finding.kind").unwrap()).collect()
}

fn named<'s>(spans: &'s [SpanData], name: &str) -> Vec<&'s SpanData> {
    spans.iter().filter(|span| *span.name == *name).collect()
}

#[test]
fn a_run_that_does_the_same_leaves_a_summary_without_a_finding() {
    let replayed = replayed();
    act(&replayed.provider, "again", &[of("base"), ends()], SAME);
    let added = replayed.told();
    assert_eq!(added.len(), 1, "{added:#?}");
    assert_eq!(said(&added[0], "veilspan.replay.verdict").as_deref(), Some("same"), "{added:#?}");
    assert_eq!(said(&added[0], "veilspan.rollout.reason").as_deref(), Some("ended"));
    assert_eq!((findings(&added[0]), added[0].links.links.len()), (Vec::new(), 0));
    assert_eq!((replayed.compared.counts().compared, replayed.compared.counts().findings), (1, 0));
    assert_eq!(replayed.next.spans().len(), 4, "three spans handed on, and the summary");
}

#[test]
fn a_changed_step_is_one_finding_below_that_step_and_the_summary_leads_to_it() {
    let replayed = replayed();
    let changed = [("search", "a canary of another kind"), ("read", "two")];
    act(&replayed.provider, "again", &[of("base"), ends()], &changed);
    let added = replayed.told();
    assert_eq!(added.len(), 2, "{added:#?}");
    let (finding, summary) = (named(&added, "drift search")[0], named(&added, "replay base")[0]);
    assert_eq!((findings(finding), findings(summary)), (vec!["result".to_owned()], Vec::new()));
    let spans = replayed.next.spans();
    let step = &named(&spans, "execute_tool search")[0].span_context;
    assert_eq!((finding.parent_span_id, finding.span_context.trace_id()), (step.span_id(), step.trace_id()));
    assert_eq!(summary.links.links[0].span_context.span_id(), step.span_id());
    assert_ne!(summary.span_context.trace_id(), step.trace_id());
    assert_eq!(said(summary, "veilspan.replay.verdict").as_deref(), Some("drift"));
    assert_eq!(said(summary, "veilspan.rollout.findings").as_deref(), Some("1"));
    let event = &finding.events.events[0];
    assert_eq!(event.name, "veilspan.finding");
    assert!(text(&event.attributes, "veilspan.finding.actual").unwrap().contains("hmac-sha256:"));
    assert!(!format!("{added:?}").contains("canary"));
}

#[test]
fn a_turn_that_closes_is_compared_while_its_run_goes_on() {
    let replayed = Replayed::new(Baselines::new([baseline()]), quick());
    act(&replayed.provider, "again", &[of("base")], &[("search", "other"), ("read", "two")]);
    until("the finding", || !replayed.next.added().is_empty());
    let added = replayed.next.added();
    assert_eq!((added.len(), &*added[0].name), (1, "drift search"), "no summary while it goes on: {added:#?}");
    assert_eq!(replayed.compared.counts().compared, 0);
}

#[test]
fn spans_that_come_after_the_end_are_told_by_a_further_revision() {
    let replayed = Replayed::new(Baselines::new([baseline()]), quick());
    act(&replayed.provider, "again", &[of("base"), ends()], SAME);
    until("the summary", || !named(&replayed.next.added(), "replay base").is_empty());
    drop(replayed.provider.tracer("agent").build(tool("again", "extra", "three")));
    until("the next one", || named(&replayed.next.added(), "replay base").len() == 2);
    let added = replayed.next.added();
    let (summaries, late) = (named(&added, "replay base"), named(&added, "drift extra"));
    assert_eq!((late.len(), findings(late[0])), (1, vec!["insertion".to_owned()]));
    let told = |key| [said(summaries[0], key).unwrap(), said(summaries[1], key).unwrap()];
    assert_eq!(told("veilspan.revision"), ["0", "1"]);
    assert_eq!(told("veilspan.replay.verdict"), ["same", "drift"]);
    assert_ne!(summaries[0].span_context.span_id(), summaries[1].span_context.span_id());
    assert_eq!(summaries[0].span_context.trace_id(), summaries[1].span_context.trace_id());
}

#[test]
fn what_a_step_that_comes_out_of_order_puts_right_is_withdrawn() {
    let replayed = Replayed::new(Baselines::new([baseline()]), quick());
    let tracer = replayed.provider.tracer("agent");
    let above = tracer.build(turn("again", &[of("base"), ends()]));
    let context = Context::new().with_span(above);
    drop(tracer.build_with_context(tool("again", "search", "one"), &context));
    // It begins inside of the turn, and ends long after it.
    let slow = tracer.build_with_context(tool("again", "read", "two"), &context);
    drop(context);
    until("the summary", || !named(&replayed.next.added(), "replay base").is_empty());
    drop(slow);
    until("the next one", || named(&replayed.next.added(), "replay base").len() == 2);
    let added = replayed.next.added();
    let summaries = named(&added, "replay base");
    assert_eq!(findings(summaries[0]), ["deletion"], "a step that was left out has no span of its own");
    assert_eq!(said(summaries[0], "veilspan.replay.verdict").as_deref(), Some("drift"));
    assert_eq!(said(summaries[1], "veilspan.replay.withdrawn").as_deref(), Some("1"));
    assert_eq!(said(summaries[1], "veilspan.rollout.findings").as_deref(), Some("0"));
    assert_eq!(said(summaries[1], "veilspan.replay.verdict").as_deref(), Some("same"), "{:#?}", summaries[1]);
    assert_eq!((replayed.compared.counts().compared, replayed.compared.counts().withdrawn), (1, 1));
}

#[test]
fn a_run_without_a_baseline_is_handed_on_and_nothing_is_added() {
    let replayed = replayed();
    act(&replayed.provider, "new", &[ends()], &[("search", "one")]);
    act(&replayed.provider, "other", &[of("nobody"), ends()], &[("search", "one")]);
    let added = replayed.told();
    assert_eq!((added.len(), replayed.next.spans().len()), (0, 4));
    assert_eq!(replayed.compared.counts().without_baseline, 1);
}

#[test]
fn a_rule_names_the_baseline_of_runs_that_do_not_but_never_of_itself() {
    let key = lookup("gen_ai.agent.name").unwrap();
    let rule = BaselineRule { key, value: "planner".into(), baseline: "base".into() };
    let baselines = || Baselines::new([baseline()]).with_rules([rule.clone()]);
    let by_rule = Replayed::new(baselines(), Limits::default());
    act(&by_rule.provider, "again", &[ends()], &[("search", "other"), ("read", "two")]);
    act(&by_rule.provider, "base", &[ends()], &[("search", "other"), ("read", "two")]);
    let added = by_rule.told();
    assert_eq!((named(&added, "drift search").len(), named(&added, "replay base").len()), (1, 1), "{added:#?}");
    let by_itself = Replayed::new(baselines(), Limits::default());
    act(&by_itself.provider, "again", &[of("nobody"), ends()], SAME);
    assert_eq!(by_itself.told().len(), 0, "what a run says of itself counts more");
}

#[test]
fn a_run_is_not_held_against_what_another_tenant_did() {
    let theirs = baseline_of(&[KeyValue::new("veilspan.tenant.id", "theirs")], &[]);
    let replayed = Replayed::new(Baselines::new([theirs]), Limits::default());
    let ours = [of("base"), ends(), KeyValue::new("veilspan.tenant.id", "ours")];
    act(&replayed.provider, "again", &ours, &[]);
    assert_eq!(replayed.told().len(), 0);
    assert_eq!(replayed.compared.counts().without_baseline, 1);
}

#[test]
fn a_run_that_falls_silent_is_inconclusive_and_the_summary_says_why() {
    let limits = Limits { rollout_idle: Duration::from_millis(60), ..quick() };
    let replayed = Replayed::new(Baselines::new([baseline()]), limits);
    act(&replayed.provider, "again", &[of("base")], &SAME[..1]);
    until("the summary", || !named(&replayed.next.added(), "replay base").is_empty());
    let added = replayed.next.added();
    let summary = named(&added, "replay base")[0];
    assert_eq!(said(summary, "veilspan.replay.verdict").as_deref(), Some("inconclusive"));
    assert_eq!(said(summary, "veilspan.rollout.reason").as_deref(), Some("idle"));
    assert!(said(summary, "veilspan.replay.unsure").unwrap().contains("candidate-idle"));
}

#[test]
fn a_policy_that_is_swapped_holds_for_what_is_compared_from_then_on() {
    let replayed = replayed();
    let silent = Policy::builder().build_in(&[("VEILSPAN_CONTENT", "none")].into_iter().collect()).0;
    replayed.policy.set_policy(silent);
    act(&replayed.provider, "again", &[of("base"), ends()], &[("search", "other"), ("read", "two")]);
    let added = replayed.told();
    assert_eq!(added.len(), 1, "what has no digest differs from nothing: {added:#?}");
    assert_eq!(said(&added[0], "veilspan.replay.verdict").as_deref(), Some("inconclusive"));
}

#[test]
fn ids_that_never_repeat_stay_within_the_budget() {
    let limits = Limits { bytes: 1 << 18, ..Limits::default() };
    let next = Kept::default();
    let processor = ReplayProcessor::with_limits(next.clone(), policy(), Baselines::new([baseline()]), limits);
    let compared = processor.compared();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    for number in 0..3_000 {
        act(&provider, &format!("r{number}"), &[of("base")], &[("search", "one")]);
        if number % 500 == 0 {
            provider.force_flush().unwrap();
            assert!(compared.bytes() <= 1 << 18, "{}", compared.bytes());
        }
    }
    provider.force_flush().unwrap();
    assert!(compared.counts().compared > 1_000, "evicted runs are told of: {compared:?}");
    assert!(compared.bytes() <= 1 << 18);
    assert_eq!(compared.counts().missed, 0);
}

#[test]
fn findings_are_log_records_about_the_step_and_are_counted() {
    use opentelemetry_sdk::logs::{InMemoryLogExporter, SdkLoggerProvider};
    use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
    use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
    let (logged, measured) = (InMemoryLogExporter::default(), InMemoryMetricExporter::default());
    let logs = SdkLoggerProvider::builder().with_simple_exporter(logged.clone()).build();
    let metrics = SdkMeterProvider::builder().with_periodic_exporter(measured.clone()).build();
    let replayed = replayed();
    replayed.compared.tell_findings(&logs);
    replayed.compared.tell_metrics(&metrics);
    act(&replayed.provider, "again", &[of("base"), ends()], &[("search", "a canary"), ("read", "two")]);
    replayed.told();
    let records = logged.get_emitted_logs().unwrap();
    assert_eq!(records.len(), 1);
    let record = &records[0].record;
    assert_eq!(record.event_name(), Some("veilspan.finding"));
    assert_eq!(record.severity_number(), Some(opentelemetry::logs::Severity::Warn));
    let spans = replayed.next.spans();
    let step = &named(&spans, "execute_tool search")[0].span_context;
    let about = record.trace_context().unwrap();
    assert_eq!((about.trace_id, about.span_id), (step.trace_id(), step.span_id()));
    let attributes = format!("{:?}", record.attributes_iter().collect::<Vec<_>>());
    for told in ["veilspan.finding.kind", "veilspan.rollout.id", "veilspan.replay.of", "hmac-sha256:"] {
        assert!(attributes.contains(told), "{told} in {attributes}");
    }
    assert!(!format!("{record:?}").contains("canary"));
    metrics.force_flush().unwrap();
    let told = measured.get_finished_metrics().unwrap();
    let mut counted = 0;
    for metric in told.iter().flat_map(|told| told.scope_metrics()).flat_map(|scope| scope.metrics()) {
        assert_eq!(metric.name(), "veilspan.findings");
        let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data() else { panic!("a sum") };
        counted += sum.data_points().map(|point| point.value()).sum::<u64>();
    }
    assert_eq!(counted, 1);
}

#[test]
fn a_step_that_is_not_sampled_is_handed_on_and_not_compared() {
    let next = Kept::default();
    let processor = ReplayProcessor::new(next.clone(), policy(), [baseline()]);
    let replayed = replayed();
    act(&replayed.provider, "again", &[of("base"), ends()], &[("search", "other"), ("read", "two")]);
    for mut span in replayed.next.spans() {
        let context = &span.span_context;
        span.span_context =
            SpanContext::new(context.trace_id(), context.span_id(), TraceFlags::default(), false, TraceState::NONE);
        processor.on_end(span);
    }
    processor.shutdown().unwrap();
    assert_eq!((next.spans().len(), next.added().len(), processor.compared().counts().compared), (3, 0, 0));
    assert_ne!(next.spans()[0].span_context.span_id(), SpanId::INVALID);
}
