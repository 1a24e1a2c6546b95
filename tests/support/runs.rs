//! Recorded runs as files, the command that reads them, and a model for agents to ask.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value, json};
use veilspan::event::{CallRecord, Veiled};
use veilspan::otlp::assemble;
use veilspan::otlp::encode::{self, Encoder};

/// Under these a reader and a writer keep content as it is.
pub const FULL: [(&str, &str); 3] =
    [("VEILSPAN_CONTENT_MAX", "full"), ("VEILSPAN_CONTENT", "full"), ("VEILSPAN_HASH", "sha256")];

/// Calls as the request that exports them.
pub fn request(calls: &[CallRecord<Veiled>]) -> ExportTraceServiceRequest {
    let encoder = Encoder::default();
    let spans = calls.iter().map(|call| {
        let mut span = Vec::new();
        encoder.span_field(call, &mut span);
        Bytes::from(span)
    });
    let resource = encode::resource([("service.name", "agent")], calls[0].opened_at.producer);
    ExportTraceServiceRequest::decode(assemble::request(&resource, &encode::scope(), spans).into_bytes()).unwrap()
}

/// Calls as a Collector's file exporter writes them.
pub fn write(calls: &[CallRecord<Veiled>], folder: &Path) -> String {
    let path = folder.join("run.jsonl");
    std::fs::write(&path, format!("{}\n", serde_json::to_string(&request(calls)).unwrap())).unwrap();
    path.to_str().unwrap().to_owned()
}

/// The command, with nothing in its environment but this.
#[cfg(feature = "cli")]
pub fn veilspan(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap()
}

/// What a model says.
pub enum Says {
    /// It calls this tool with these arguments.
    Call(&'static str, Value),
    /// It answers.
    Text(String),
}

/// A model behind the chat completions API, and what it was sent.
pub struct Model {
    pub url: String,
    pub requests: Arc<Mutex<Vec<Value>>>,
}

impl Model {
    /// A model that says what `decide` makes of the messages.
    pub async fn start(decide: impl Fn(&[Value]) -> Says + Clone + Send + Sync + 'static) -> Self {
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let complete = move |Json(request): Json<Value>| async move {
            let messages = request["messages"].as_array().unwrap().clone();
            let number = {
                let mut seen = seen.lock().unwrap();
                seen.push(request);
                seen.len()
            };
            let (message, reason) = match decide(&messages) {
                Says::Call(name, arguments) => {
                    let function = json!({"name": name, "arguments": arguments.to_string()});
                    let call = json!({"id": format!("call_{number}"), "type": "function", "function": function});
                    (json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls")
                }
                Says::Text(text) => (json!({"role": "assistant", "content": text}), "stop"),
            };
            Json(json!({
                "id": "1", "object": "chat.completion", "created": 0, "model": "m-1",
                "choices": [{"index": 0, "message": message, "finish_reason": reason}],
                "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
            }))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let app = Router::new().route("/v1/chat/completions", post(complete));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { url, requests }
    }
}

/// `veilspan cassette serve`, until it is dropped.
pub struct Served {
    child: Child,
    pub url: String,
    /// What it has logged, once it is stopped.
    log: Option<std::thread::JoinHandle<String>>,
}

#[cfg(feature = "cli")]
impl Served {
    /// What stands in a recording.
    pub fn start(recording: &str) -> Self {
        Self::with(&[recording], &FULL)
    }

    /// A cassette that records into a file what it asks of an upstream.
    pub fn recording(file: &str, upstream: &str) -> Self {
        Self::with(&[file, "--mode", "record", "--upstream", upstream], &FULL)
    }

    /// With these arguments and variables.
    pub fn with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_veilspan"))
            .args(["cassette", "serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .env_clear()
            .envs(variables.iter().copied())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut log = String::new();
        let address = loop {
            let line = lines.next().unwrap_or_else(|| panic!("it says when it is ready: {log}")).unwrap();
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

    /// Stops it as an operator does, and says what it has logged.
    #[cfg(unix)]
    pub fn stop(mut self) -> String {
        let process = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
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
