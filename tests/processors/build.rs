//! A host with a provider, and what comes out of its processor.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry::trace::{
    Link, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, Tracer, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor};
use veilspan::Policy;
use veilspan::privacy::Key;
use veilspan::processor::{Reduced, ReducingProcessor};
use veilspan::reduce::Limits;

/// Keeps what it is given. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Kept(pub Arc<Mutex<Inside>>);

#[derive(Debug, Default)]
pub struct Inside {
    pub spans: Vec<SpanData>,
    pub resource: Option<Resource>,
    /// What was called, and how many spans there were by then.
    pub calls: Vec<(&'static str, usize)>,
    pub panics_on_added: bool,
}

impl Kept {
    pub fn spans(&self) -> Vec<SpanData> {
        self.0.lock().unwrap().spans.clone()
    }

    /// The spans that reduction has added.
    pub fn added(&self) -> Vec<SpanData> {
        self.spans().into_iter().filter(|span| span.instrumentation_scope.name() == "veilspan").collect()
    }

    pub fn calls(&self) -> Vec<(&'static str, usize)> {
        self.0.lock().unwrap().calls.clone()
    }

    fn called(&self, call: &'static str) -> OTelSdkResult {
        let mut inside = self.0.lock().unwrap();
        let count = inside.spans.len();
        inside.calls.push((call, count));
        Ok(())
    }
}

impl SpanProcessor for Kept {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        let panics = self.0.lock().unwrap().panics_on_added;
        assert!(!panics || span.instrumentation_scope.name() != "veilspan", "as wished");
        self.0.lock().unwrap().spans.push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.called("flush")
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        self.called("shutdown")
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.lock().unwrap().resource = Some(resource.clone());
    }
}

pub fn policy() -> Policy {
    let key = Key::new(vec![7; 32], Some("test".to_owned())).unwrap();
    Policy::builder().key(key).build_in(&Default::default()).0
}

/// A provider with a processor under test, and what ended as it ended.
pub struct Host {
    pub provider: SdkTracerProvider,
    pub tracer: SdkTracer,
    pub next: Kept,
    pub reduced: Reduced,
    pub ended: Kept,
}

impl Host {
    pub fn new(limits: Limits) -> Self {
        let (next, ended) = (Kept::default(), Kept::default());
        let processor = ReducingProcessor::with_limits(next.clone(), policy(), limits);
        let reduced = processor.reduced();
        let resource = Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", "shop"),
                KeyValue::new("veilspan.producer.id", "01ARZ3NDEKTSV4RRFFQ69G5FAV"),
            ])
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_span_processor(ended.clone())
            .with_span_processor(processor)
            .build();
        let tracer = provider.tracer("my-service");
        Self { provider, tracer, next, reduced, ended }
    }

    /// Starts a span. Its attributes are the path of ids and these.
    pub fn start(&self, name: &'static str, [rollout, thread, turn]: [&str; 3], more: Vec<KeyValue>) -> SpanBuilder {
        let ids = [("rollout", rollout), ("thread", thread), ("turn", turn)];
        let mut attributes: Vec<KeyValue> =
            ids.iter().map(|(name, id)| KeyValue::new(format!("veilspan.{name}.id"), (*id).to_owned())).collect();
        attributes.extend(more);
        self.tracer.span_builder(name).with_kind(SpanKind::Client).with_attributes(attributes)
    }

    /// A run: two turns in two threads, a tool that fails, a spawn, content as it was said; and a turn nobody reports.
    pub fn run(&self, rollout: &str, ends: bool) {
        let path = |turn| [rollout, "main", turn];
        let operation = |name: &'static str| KeyValue::new("gen_ai.operation.name", name);
        let turn = self.start("invoke_agent planner", path("t1"), vec![operation("invoke_agent"), agent("planner")]);
        let turn = Context::new().with_span(turn.start_with_context(&self.tracer, &Context::new()));

        let said = r#"[{"role":"user","parts":[{"type":"text","content":"what was said, and is secret"}]}]"#;
        let chat = vec![
            operation("chat"),
            KeyValue::new("gen_ai.request.model", "gpt-x"),
            KeyValue::new("gen_ai.request.temperature", 0.5),
            KeyValue::new("gen_ai.input.messages", said),
            KeyValue::new("gen_ai.usage.input_tokens", 12),
        ];
        let chat = self.start("chat gpt-x", path("t1"), chat).start_with_context(&self.tracer, &turn);
        let chat = turn.with_span(chat);
        chat.span().add_event("veilspan.checkpoint", vec![KeyValue::new("veilspan.checkpoint.id", "c1")]);
        chat.span().set_attribute(KeyValue::new("gen_ai.response.id", "resp-1"));
        chat.span().end();

        let tool = vec![
            operation("execute_tool"),
            KeyValue::new("gen_ai.tool.name", "spawn_agent"),
            KeyValue::new("gen_ai.tool.call.arguments", r#"{"task":"a secret task"}"#),
        ];
        let tool = self.start("execute_tool spawn_agent", path("t1"), tool).start_with_context(&self.tracer, &turn);
        let tool = turn.with_span(tool);
        tool.span().set_status(Status::error("it broke, in secret"));
        let of_tool = tool.span().span_context().clone();

        let child = [rollout, "child", "t2"];
        let spawned = vec![operation("invoke_agent"), agent("helper")];
        let child = self.start("invoke_agent helper", child, spawned).with_links(vec![spawn(of_tool)]);
        let child = child.start_with_context(&self.tracer, &Context::new());
        Context::new().with_span(child).span().end();
        tool.span().end();

        let nobodys = vec![operation("chat"), KeyValue::new("gen_ai.request.model", "gpt-y")];
        let nobodys = self.start("chat gpt-y", [rollout, "other", "t3"], nobodys);
        let nobodys = nobodys.start_with_context(&self.tracer, &Context::new());
        Context::new().with_span(nobodys).span().end();

        if ends {
            turn.span().set_attribute(KeyValue::new("veilspan.rollout.end", true));
        }
        turn.span().set_attribute(KeyValue::new("veilspan.outcome", "completed"));
        turn.span().end();
    }
}

fn agent(name: &'static str) -> KeyValue {
    KeyValue::new("gen_ai.agent.name", name)
}

fn spawn(tool: SpanContext) -> Link {
    Link::new(tool, vec![KeyValue::new("veilspan.edge.kind", "spawn")], 0)
}

/// The graphs as bytes, in an order that is theirs.
pub fn states(rollouts: Vec<veilspan::reduce::Rollout>) -> Vec<String> {
    let mut states: Vec<_> = rollouts.iter().map(veilspan::reduce::Rollout::serialise).collect();
    states.sort();
    states
}

/// Waits for a condition, for as long as a busy machine may need.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never came: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
