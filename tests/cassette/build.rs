//! Recordings with all of their content.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use veilspan::event::{CallRecord, Source, Veiled};
use veilspan::privacy::Level;
use veilspan::replay::{Recording, Run};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use super::runs::{self, FULL};

/// A policy that keeps content as it is.
pub fn full() -> Policy {
    let environment = FULL.into_iter().collect();
    Policy::builder().unkeyed_sha256().content(Level::Full).build_in(&environment).0
}

pub struct Host {
    pub recorder: Recorder,
    sink: Arc<MemorySink>,
}

impl Host {
    pub fn new() -> Self {
        Self::with(full())
    }

    pub fn with(policy: Policy) -> Self {
        let sink = Arc::new(MemorySink::default());
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
        Self { recorder, sink }
    }

    pub fn calls(&self) -> Vec<CallRecord<Veiled>> {
        assert!(self.recorder.flush(Duration::from_secs(30)).complete);
        self.sink.calls()
    }

    pub fn recording(&self) -> Recording {
        Recording::new(self.calls().into_iter().flat_map(|call| call.into_events(Source::Otlp))).unwrap()
    }

    pub fn run(&self) -> Run {
        Run::of_recording(&self.recording().rollout().unwrap())
    }

    /// The recording as a Collector's file exporter writes it.
    pub fn write(&self, folder: &Path) -> String {
        runs::write(&self.calls(), folder)
    }
}
