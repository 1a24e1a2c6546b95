//! Runs read from Jaeger and Tempo by their traces' ids: a server that answers in the forms of both.

use std::collections::HashMap;
use std::process::Output;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde_json::{Value, json};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use veilspan::event::{CallRecord, Veiled};

use super::build::{Host, digests};
use super::runs::{request, veilspan, write};
use super::support::authority::Authority;
use super::support::http_receiver::{Answer, HttpReceiver};

/// What a back end holds, by trace, and what it was asked.
#[derive(Clone, Default)]
struct Held {
    traces: HashMap<String, ExportTraceServiceRequest>,
    /// Tempo says of every trace that some of it could not be read, or has no newer path.
    is_partial: bool,
    is_old: bool,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Held {
    fn of(calls: &[CallRecord<Veiled>]) -> Self {
        let mut traces: HashMap<String, Vec<CallRecord<Veiled>>> = HashMap::new();
        for call in calls {
            traces.entry(call.opened.span.trace.to_string()).or_default().push(call.clone());
        }
        Self { traces: traces.into_iter().map(|(id, calls)| (id, request(&calls))).collect(), ..Self::default() }
    }

    /// A back end with the paths of both, on a thread of its own: the command is waited for.
    fn serve(&self) -> String {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new()
            .route("/api/v3/traces/{id}", get(jaeger))
            .route("/api/v2/traces/{id}", get(tempo))
            .route("/api/traces/{id}", get(old_tempo))
            .route("/broken/api/v3/traces/{id}", get(async || "{\"result\": canary"))
            .route("/failing/api/v3/traces/{id}", get(async || (StatusCode::INTERNAL_SERVER_ERROR, "canary")))
            .with_state(self.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                axum::serve(tokio::net::TcpListener::from_std(listener).unwrap(), app).await.unwrap();
            });
        });
        format!("http://{address}")
    }

    fn asked(&self, id: &str) -> Option<&ExportTraceServiceRequest> {
        self.asked.lock().unwrap().push(id.to_owned());
        self.traces.get(id)
    }
}

/// As Jaeger 2 answers: OTLP JSON in an envelope, and an error in one of its own.
async fn jaeger(State(held): State<Held>, Path(id): Path<String>) -> Response {
    match held.asked(&id) {
        Some(trace) => json!({ "result": serde_json::to_value(trace).unwrap() }).to_string().into_response(),
        None => {
            let error = json!({"error": {"httpCode": 404, "message": "No traces found"}}).to_string();
            (StatusCode::NOT_FOUND, error).into_response()
        }
    }
}

/// As Tempo 2.7 answers `Accept: application/protobuf`: a message with the trace in field 1, and the status in field 3.
async fn tempo(State(held): State<Held>, Path(id): Path<String>, headers: axum::http::HeaderMap) -> Response {
    assert_eq!(headers["accept"], "application/protobuf");
    let trace = match held.asked(&id) {
        _ if held.is_old => return StatusCode::NOT_FOUND.into_response(),
        Some(trace) => trace.encode_to_vec(),
        None => return StatusCode::NOT_FOUND.into_response(),
    };
    let mut answer = Vec::new();
    prost::encoding::bytes::encode(1, &trace, &mut answer);
    // The field between them is there too: metrics.
    prost::encoding::bytes::encode(2, &vec![8, 1], &mut answer);
    prost::encoding::int32::encode(3, &i32::from(held.is_partial), &mut answer);
    ([("content-type", "application/protobuf")], answer).into_response()
}

/// As older ones answer: the trace alone.
async fn old_tempo(State(held): State<Held>, Path(id): Path<String>) -> Response {
    match held.asked(&id).filter(|_| held.is_old) {
        Some(trace) => trace.encode_to_vec().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A run of three turns, each a trace that is linked to the one before; and their ids.
fn recorded() -> (Vec<CallRecord<Veiled>>, Vec<String>) {
    let host = Host::with(digests());
    let mut previous = veilspan::record::CallRef::default();
    let mut ids = Vec::new();
    for number in 0..3 {
        let turn = host.recorder.turn("agent").rollout("r").thread("th").after(&previous).start();
        previous = turn.reference();
        ids.push(turn.trace().unwrap().to_string());
        host.second();
        let mut call = turn.tool("look_up").arguments(format!("{{\"n\":{number}}}")).start();
        call.result("found");
        call.finish();
        turn.checkpoint(&format!("cp-{number}")).record();
        host.second();
        turn.finish();
    }
    (host.calls(), ids)
}

fn run(arguments: &[&str]) -> Output {
    veilspan(arguments, &[("VEILSPAN_HASH", "sha256")])
}

fn printed(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_run_is_read_from_a_back_end_as_from_a_file() {
    let (calls, ids) = recorded();
    let folder = tempfile::tempdir().unwrap();
    let file = write(&calls, folder.path());
    let held = Held::of(&calls);
    let url = held.serve();
    let old = Held { is_old: true, ..held.clone() }.serve();
    let all = ids.join(",");
    let named = [format!("jaeger+{url}/{all}"), format!("tempo+{url}/{all}"), format!("tempo+{old}/{all}")];
    for input in &named {
        assert_eq!(printed(&["reduce", input]), printed(&["reduce", &file]), "{input}");
        assert!(printed(&["diff", &file, input]).contains("\nsame\n"), "{input}");
        let restored = |input: &str| -> Value {
            let mut state: Value = serde_json::from_str(&printed(&["restore", input, "--at", "cp-1"])).unwrap();
            state.as_object_mut().unwrap().remove("new_rollout");
            state
        };
        assert_eq!(restored(input), restored(&file));
        assert_eq!(printed(&["replay", input]).matches("execute_tool look_up").count(), 3);
    }
}

#[test]
fn what_a_trace_is_linked_to_is_read_too_and_each_once() {
    let (calls, ids) = recorded();
    let held = Held::of(&calls);
    let url = held.serve();
    let folder = tempfile::tempdir().unwrap();
    let file = write(&calls, folder.path());
    // The last turn leads to the one before it, and that to the first. An id may be short, and given twice.
    let last = format!("jaeger+{url}/{0},{0}", ids[2].trim_start_matches('0'));
    assert_eq!(printed(&["reduce", &last]), printed(&["reduce", &file]));
    let asked = held.asked.lock().unwrap().clone();
    assert_eq!(asked, [&*ids[2], &ids[2], &ids[1], &ids[0]]);
}

#[test]
fn what_cannot_be_had_makes_a_run_incomplete() {
    let (calls, ids) = recorded();
    let folder = tempfile::tempdir().unwrap();
    let file = write(&calls, folder.path());
    let unsure = |input: &str| {
        let output = run(&["diff", &file, input, "--format", "json"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["differences"], json!([]), "{report:#}");
        assert_eq!(report["unsure"], json!(["candidate-incomplete"]));
        String::from_utf8(output.stderr).unwrap()
    };
    let partial = Held { is_partial: true, ..Held::of(&calls) };
    unsure(&format!("tempo+{}/{}", partial.serve(), ids.join(",")));
    // The last of three is gone.
    let mut held = Held::of(&calls);
    held.traces.remove(&ids[2]);
    let log = unsure(&format!("jaeger+{}/{}", held.serve(), ids.join(",")));
    assert!(log.contains("cannot be had") && log.contains(&ids[2]) && log.contains("no such trace"), "{log}");
}

#[test]
fn an_input_that_cannot_be_read_says_where_and_why() {
    let (calls, ids) = recorded();
    let url = Held::of(&calls).serve();
    let (id, other) = (&ids[0], "1".repeat(32));
    for (input, code, said) in [
        (format!("jaeger+{url}/{other}"), 65, "there is no such trace"),
        (format!("tempo+{url}/{other}"), 65, "there is no such trace"),
        (format!("jaeger+{url}/broken/{id}"), 65, "the answer is no trace"),
        (format!("jaeger+{url}/failing/{id}"), 69, "it answers 500"),
        (format!("tempo+http://127.0.0.1:9/{id}"), 69, "no answer"),
        (format!("jaeger+{url}/not-an-id"), 64, "32 hex digits"),
        (format!("jaeger+{url}/"), 64, "32 hex digits"),
        (format!("jaeger+{url}/{id}0"), 64, "32 hex digits"),
        (format!("jaeger+http://user:canary@127.0.0.1:9/{id}"), 64, "no name or password"),
        (format!("jaeger+ftp://127.0.0.1:9/{id}"), 64, "neither http"),
    ] {
        for command in [
            &["reduce", &*input][..],
            &["restore", &input, "--at", "cp-0"],
            &["replay", &input],
            &["diff", &input, &input],
        ] {
            let output = run(command);
            let log = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(code), "{input}: {log}");
            assert!(log.contains(said) && !log.contains("canary"), "{input}: {log}");
        }
    }
}

#[test]
fn a_back_end_is_shown_the_credentials_of_a_variable_over_tls_that_a_variable_trusts() {
    let (calls, ids) = recorded();
    let (authority, stranger) = (Authority::new(), Authority::new());
    let (certificate, key) = authority.sign("localhost");
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(
        CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<_, _>>().unwrap(),
        PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
    );
    let trace = |id: &str| json!({ "result": serde_json::to_value(&Held::of(&calls).traces[id]).unwrap() }).to_string();
    let answers = ids.iter().rev().map(|id| Answer::of(200).saying(trace(id)));
    let receiver = HttpReceiver::over_tls(config.unwrap()).first(answers);
    let input = format!("jaeger+https://localhost:{}/{}", receiver.address.port(), ids[2]);
    let with = |authority: &Authority, headers: &str| {
        let certificate = authority.path("ca.pem");
        let variables = [("VEILSPAN_BACKEND_CERTIFICATE", &*certificate), ("VEILSPAN_BACKEND_HEADERS", headers)];
        veilspan(&["reduce", &input, "--format", "json"], &variables)
    };
    let headers = "authorization=Bearer%20canary,x-scope-orgid=acme";
    let output = with(&stranger, headers);
    assert_eq!(output.status.code(), Some(69), "{output:?}");
    assert!(receiver.seen().is_empty(), "who is not trusted is told nothing");
    let output = with(&authority, headers);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(!String::from_utf8([output.stdout, output.stderr].concat()).unwrap().contains("canary"));
    let seen = receiver.seen();
    assert_eq!(seen.len(), 3, "each trace that is linked to is asked for");
    for one in seen {
        assert_eq!((one.header("authorization"), one.header("x-scope-orgid")), (Some("Bearer canary"), Some("acme")));
        assert!(!one.uri.to_string().contains("canary"));
    }
    let output = with(&authority, "canary");
    assert_eq!(output.status.code(), Some(64));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("VEILSPAN_BACKEND_HEADERS") && !log.contains("canary"), "{log}");
}
