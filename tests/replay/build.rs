//! Recordings, as a reader of the spans' bytes has them.

use std::sync::Arc;
use std::time::Duration;

use veilspan::event::{CallRecord, ManualClock, Message, Part, Role, Source, Veiled};
use veilspan::otlp::encode::Encoder;
use veilspan::otlp::{SpanView, decode};
use veilspan::privacy::Level;
use veilspan::record::Turn;
use veilspan::replay::Recording;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

pub struct Host {
    pub recorder: Recorder,
    pub sink: Arc<MemorySink>,
    pub clock: Arc<ManualClock>,
}

/// A policy that keeps content as it is.
pub fn full() -> Policy {
    let variables = [("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_CONTENT", "full")];
    let environment = variables.into_iter().collect();
    Policy::builder().unkeyed_sha256().content(Level::Full).build_in(&environment).0
}

pub fn digests() -> Policy {
    Policy::builder().unkeyed_sha256().build_in(&Default::default()).0
}

impl Host {
    pub fn with(policy: Policy) -> Self {
        let (sink, clock) = (Arc::new(MemorySink::default()), Arc::new(ManualClock::at(1_000_000_000)));
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).clock(clock.clone()).build();
        Self { recorder, sink, clock }
    }

    pub fn turn(&self, id: &str) -> Turn {
        self.recorder.turn("agent").rollout("r").thread("th").turn_id(id).start()
    }

    pub fn second(&self) {
        self.clock.advance(Duration::from_secs(1));
    }

    pub fn calls(&self) -> Vec<CallRecord<Veiled>> {
        assert!(self.recorder.flush(Duration::from_secs(30)).complete);
        let encoder = Encoder::default();
        let read = |call: CallRecord<Veiled>| {
            let mut bytes = Vec::new();
            encoder.span(&call, &mut bytes);
            decode::call(&SpanView::parse(&bytes).unwrap(), call.opened_at.producer).unwrap()
        };
        self.sink.calls().into_iter().map(read).collect()
    }

    pub fn recording(&self) -> Recording {
        Recording::new(self.calls().into_iter().flat_map(|call| call.into_events(Source::Otlp))).unwrap()
    }
}

/// A question, a tool, an answer; a checkpoint; a decision, another tool; the end.
pub fn agent(policy: Policy, framework: &str) -> (Host, Recording) {
    let host = Host::with(policy);
    let turn = host.turn("tu");
    host.second();
    let question = || Message::text(Role::User, "how warm is it in Oslo?");
    let asked = || Message {
        role: Role::Assistant,
        parts: vec![Part::ToolCall {
            id: Some("call_a".into()),
            name: "temperature".into(),
            arguments: r#"{"city":"Oslo"}"#.into(),
        }],
    };
    let result = || Message {
        role: Role::Tool,
        parts: vec![Part::ToolResult {
            call_id: Some("call_a".into()),
            content: veilspan::event::ResultContent::Text("7 degrees".into()),
        }],
    };
    let infer = |messages: Vec<Message>, answer: Message| {
        let mut call = turn.inference("openai", "gpt-x").system("be brief").input(messages).start();
        host.second();
        call.output(answer).finish_reason("stop").tokens(10, 5);
        call.finish();
        host.second();
    };
    infer(vec![question()], asked());
    let mut call = turn.tool("temperature").call_id("call_a").arguments(r#"{"city":"Oslo"}"#).start();
    host.second();
    call.result("7 degrees");
    call.finish();
    host.second();
    infer(vec![question(), asked(), result()], Message::text(Role::Assistant, "It is 7 degrees."));
    turn.checkpoint("cp-1").framework(framework).label("after-the-answer").state(r#"{"step":3}"#).record();
    host.second();
    turn.decision("stop").confidence(0.9).importance(0.9).record();
    host.second();
    turn.decision("tidy up").confidence(0.2).importance(0.2).record();
    host.second();
    let mut call = turn.tool("delete").arguments("{}").start();
    host.second();
    call.result("deleted");
    call.finish();
    turn.finish();
    let recording = host.recording();
    (host, recording)
}
