//! A stage under load for as long as one likes: `cargo test --release --test load -- SECONDS [REQUESTS A SECOND]`.
//!
//! Nothing is lost, and memory does not grow: its slope over the second half of the run is asserted, speed is only told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message as _;
use tonic::Status;
use veilspan::otlp::{Client, ClientOptions, Handler, Look, Reply, Request, TraceServer};

/// Spans of a request.
const SPANS: u64 = 512;
const CONNECTIONS: usize = 4;
/// What a run that is as long as CI's may grow by: an allocator settles, and pages that were touched once stay.
const SLACK_KIB: f64 = 24.0 * 1024.0;

#[derive(Default)]
struct Counted(AtomicU64);

impl Handler for Counted {
    async fn export(&self, body: Bytes) -> Result<Reply, Status> {
        let spans = Request::parse(body, Look::Outside)?.span_count();
        self.0.fetch_add(spans as u64, Ordering::Relaxed);
        Ok(Reply::default())
    }
}

struct Stage(Child);

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(next: &str) -> (Stage, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_veilspan"))
        .args(["collector", "--listen", "127.0.0.1:0", "--export", next])
        .env_clear()
        .env("VEILSPAN_HASH_KEY", "0123456789abcdef0123456789abcdef")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let ready = said.find_map(|line| {
        let line = line.unwrap();
        line.split_once("otlp/grpc=").map(|(_, rest)| rest.split(['"', ' ']).next().unwrap().to_owned())
    });
    std::thread::spawn(move || said.for_each(drop));
    (Stage(child), format!("http://{}", ready.expect("it is ready")))
}

/// Half of the spans say something that has to be veiled.
fn request() -> Bytes {
    let attribute = |key: &str, value: &str| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) }),
        ..KeyValue::default()
    };
    let said = format!(r#"[{{"role":"user","parts":[{{"type":"text","content":"{}"}}]}}]"#, "word ".repeat(100));
    let span = |place: u64| {
        let mut attributes = vec![attribute("server.address", "127.0.0.1")];
        if place.is_multiple_of(2) {
            attributes.push(attribute("gen_ai.operation.name", "chat"));
            attributes.push(attribute("gen_ai.input.messages", &said));
        }
        Span {
            trace_id: vec![7; 16],
            span_id: (place + 1).to_be_bytes().to_vec(),
            name: "chat m".to_owned(),
            start_time_unix_nano: 1,
            end_time_unix_nano: 2,
            attributes,
            ..Span::default()
        }
    };
    let scope_spans = vec![ScopeSpans { spans: (0..SPANS).map(span).collect(), ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec().into()
}

/// Resident memory, in KiB.
fn memory(stage: &Stage) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", stage.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// KiB a second, by least squares.
fn slope(samples: &[(f64, f64)]) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|sample| sample.0), mean(|sample| sample.1));
    let above: f64 = samples.iter().map(|sample| (sample.0 - x) * (sample.1 - y)).sum();
    let below: f64 = samples.iter().map(|sample| (sample.0 - x).powi(2)).sum();
    if below == 0.0 { 0.0 } else { above / below }
}

fn main() {
    // What a test runner passes is none of ours.
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse::<u64>().ok());
    let seconds = numbers.next().unwrap_or(5).max(2);
    let rate = numbers.next().unwrap_or(20).max(1);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let counted = Arc::new(Counted::default());
    let (next, serving) = runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let next = format!("http://{}", listener.local_addr().unwrap());
        let service = TraceServer::new(Arc::clone(&counted)).max_message_bytes(64 << 20);
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        (next, tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming))
    });
    runtime.spawn(serving);
    let (stage, endpoint) = start(&next);
    let (request, began) = (request(), Instant::now());
    let sent = Arc::new(AtomicU64::new(0));
    let senders: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (request, endpoint, sent) = (request.clone(), endpoint.clone(), Arc::clone(&sent));
            runtime.spawn(async move {
                let client = Client::new(&ClientOptions::new(endpoint)).unwrap();
                let mut due = tokio::time::interval(Duration::from_secs_f64(CONNECTIONS as f64 / rate as f64));
                while began.elapsed() < Duration::from_secs(seconds) {
                    due.tick().await;
                    client.export(request.clone().into()).await.unwrap();
                    sent.fetch_add(SPANS, Ordering::Relaxed);
                }
            })
        })
        .collect();
    let mut samples = Vec::new();
    while began.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_millis(200));
        samples.push((began.elapsed().as_secs_f64(), memory(&stage)));
    }
    for sender in senders {
        runtime.block_on(sender).unwrap();
    }
    let (sent, arrived) = (sent.load(Ordering::Relaxed), counted.0.load(Ordering::Relaxed));
    let second_half = &samples[samples.len() / 2..];
    let grown = slope(second_half) * seconds as f64;
    let peak = samples.iter().map(|sample| sample.1).fold(0.0, f64::max);
    println!("load: {sent} spans in {seconds} s, peak {:.0} MiB, slope {grown:.0} KiB over the run", peak / 1024.0);
    assert_eq!(sent, arrived, "what was answered has arrived");
    assert!(sent > 0 && grown < SLACK_KIB, "memory grows: {grown:.0} KiB");
}
