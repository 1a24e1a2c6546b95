//! Recordings with all of their content, and the command that serves them.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use veilspan::event::{CallRecord, Source, Veiled};
use veilspan::otlp::assemble;
use veilspan::otlp::encode::{self, Encoder};
use veilspan::privacy::Level;
use veilspan::replay::{Recording, Run};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

const FULL: [(&str, &str); 3] =
    [("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_CONTENT", "full"), ("VEILSPAN_HASH", "sha256")];

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
        let calls = self.calls();
        let encoder = Encoder::default();
        let spans = calls.iter().map(|call| {
            let mut span = Vec::new();
            encoder.span_field(call, &mut span);
            Bytes::from(span)
        });
        let resource = encode::resource([("service.name", "agent")], calls[0].opened_at.producer);
        let bytes = assemble::request(&resource, &encode::scope(), spans).into_bytes();
        let request = ExportTraceServiceRequest::decode(bytes).unwrap();
        let path = folder.join("run.jsonl");
        std::fs::write(&path, format!("{}\n", serde_json::to_string(&request).unwrap())).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

/// `veilspan cassette serve`, until it is dropped.
pub struct Served {
    child: Child,
    pub url: String,
    /// What it has logged, once it is stopped.
    log: Option<std::thread::JoinHandle<String>>,
}

impl Served {
    pub fn start(recording: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_veilspan"))
            .args(["cassette", "serve", recording, "--listen", "127.0.0.1:0"])
            .env_clear()
            .envs(FULL)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let address = loop {
            let line = lines.next().expect("it says when it is ready").unwrap();
            log.push_str(&line);
            if let Some((_, address)) = line.split_once("listen=") {
                break address.split_whitespace().next().unwrap().to_owned();
            }
        };
        let rest = std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|line| log.push_str(&line));
            log
        });
        Self { child, url: format!("http://{address}/v1"), log: Some(rest) }
    }

    /// Stops it and says what it has logged.
    pub fn stop(mut self) -> String {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.log.take().unwrap().join().unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
