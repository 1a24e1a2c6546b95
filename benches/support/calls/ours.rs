//! The recorder, as a host would use it: inside one turn, to a receiver, with a key.

use std::time::Duration;

use veilspan::environment::Environment;
use veilspan::event::{Message, Role};
use veilspan::export::ExporterConfig;
use veilspan::intake::Counts;
use veilspan::privacy::Key;
use veilspan::record::{Inference, InferenceBuilder, Turn};
use veilspan::{Policy, Recorder};

use super::measure::Scenario;
use super::payload::{self, Content};

pub struct Ours {
    recorder: Recorder,
    turn: Turn,
    content: Option<Content>,
}

impl Ours {
    pub fn new(endpoint: String, content: Option<Content>) -> Self {
        let mut config = ExporterConfig::default();
        config.endpoint = endpoint;
        Self::with(&config, content)
    }

    /// One that sends as it is told.
    pub fn with(config: &ExporterConfig, content: Option<Content>) -> Self {
        let key = Key::new(vec![7; 32], None).expect("a key");
        let (policy, _) = Policy::builder().key(key).build_in(&Environment::default());
        let recorder = Recorder::exporting(config, policy).expect("a recorder");
        let turn = recorder.turn("benchmark").start();
        Self { recorder, turn, content }
    }

    /// What became of its calls.
    pub fn counts(&self) -> Counts {
        self.recorder.counts()
    }

    /// A recorder that is switched off.
    pub fn disabled() -> Self {
        let recorder = Recorder::disabled();
        let turn = recorder.turn("benchmark").start();
        Self { recorder, turn, content: None }
    }
}

impl Ours {
    /// A call that has opened and was given all that it is given before its answer.
    pub fn open(&mut self) -> Inference {
        started(self.turn.inference(payload::PROVIDER, payload::MODEL))
    }

    /// Waits until nothing waits for the pipeline.
    pub fn settle(&mut self) {
        assert!(self.recorder.flush(Duration::from_secs(30)).complete, "a flush that does not end");
    }
}

impl Scenario for Ours {
    fn burst(&mut self, calls: usize) {
        for _ in 0..calls {
            let call = self.turn.inference(payload::PROVIDER, payload::MODEL);
            match &self.content {
                None => answered(started(call)).finish(),
                Some(content) => {
                    let mut call = answered(started(call.input(content.prompt.as_str())));
                    call.output(Message::text(Role::Assistant, content.completion.as_str()));
                    call.finish();
                }
            }
        }
    }

    fn flush(&mut self) {
        let drained = self.recorder.flush(Duration::from_secs(30));
        assert!(drained.complete, "a flush that does not end: {:?}", drained.counts);
    }

    fn has_caught_up(&self) -> bool {
        let counts = self.counts();
        // Its turn stays open.
        counts.recorded + counts.dropped.calls() + 1 >= counts.started
    }
}

fn started(call: InferenceBuilder) -> Inference {
    call.server(payload::ADDRESS, payload::PORT)
        .temperature(payload::TEMPERATURE)
        .top_p(payload::TOP_P)
        .max_tokens(payload::MAX_TOKENS)
        .start()
}

fn answered(mut call: Inference) -> Inference {
    call.response_id(payload::RESPONSE_ID)
        .response_model(payload::RESPONSE_MODEL)
        .finish_reason(payload::FINISH_REASON)
        .tokens(payload::INPUT_TOKENS, payload::OUTPUT_TOKENS)
        .cache_read_tokens(payload::CACHED_TOKENS);
    call
}
