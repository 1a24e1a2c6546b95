//! Runs that are held against what was recorded of others, as they pass: between real peers.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::logs_service_server::{LogsService, LogsServiceServer};
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tonic::{Request, Response, Status};
use veilspan::collector::{Config, Stage};
use veilspan::privacy::Key;
use veilspan::record::CallRef;
use veilspan::reduce::Limits;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use crate::build::*;
use crate::support::receiver::{Behaviour, Receiver, attribute as attribute_of, int, text};

/// A receiver of logs on a port of its own.
struct Logs {
    url: String,
    requests: Arc<Mutex<Vec<ExportLogsServiceRequest>>>,
    _runtime: tokio::runtime::Runtime,
}

struct Service(Arc<Mutex<Vec<ExportLogsServiceRequest>>>);

#[tonic::async_trait]
impl LogsService for Service {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

impl Logs {
    fn start() -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::default();
        let service = LogsServiceServer::new(Service(Arc::clone(&requests)));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let incoming = tonic::transport::server::TcpIncoming::from(listener);
            tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
        });
        Self { url, requests, _runtime: runtime }
    }

    fn records(&self) -> Vec<LogRecord> {
        let requests = self.requests.lock().unwrap().clone();
        let scopes = requests.into_iter().flat_map(|request| request.resource_logs).flat_map(|logs| logs.scope_logs);
        scopes.flat_map(|scope| scope.log_records).collect()
    }
}

fn keyed() -> Policy {
    let key = Key::new(vec![7; 32], Some("test".to_owned())).unwrap();
    Policy::builder().key(key).build_in(&Default::default()).0
}

fn limits() -> Limits {
    Limits { late_grace: Duration::from_millis(100), ..Limits::default() }
}

fn start(config: Config) -> Stage {
    Stage::builder(config).policy(keyed()).limits(limits()).start().unwrap()
}

/// Some call of the run that is done again.
fn origin(rollout: &str) -> CallRef {
    let recorder = Recorder::builder().sink(Arc::new(MemorySink::default())).policy(keyed()).build();
    recorder.turn("planner").rollout(rollout).start().reference()
}

/// An agent that searches, reads, and says what it has found.
fn run(stage: &Stage, rollout: &str, found: &str, of: Option<&str>) {
    let mut config = veilspan::export::ExporterConfig::default();
    config.endpoint = format!("http://{}", stage.address());
    let recorder = Recorder::exporting(&config, keyed()).unwrap();
    let builder = recorder.turn("planner").rollout(rollout);
    let mut turn = match of {
        Some(of) => builder.replay_of(&origin(of), None, "live").start(),
        None => builder.start(),
    };
    turn.ends_rollout();
    for (tool, result) in [("search", found), ("read", "a canary of a page")] {
        let mut call = turn.tool(tool).arguments("{}").start();
        call.result(result);
        call.finish();
    }
    turn.finish();
    assert!(recorder.shutdown(SOON).complete);
}

/// Records a run into a file.
fn record(file: &Path) {
    let config = yaml(
        "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}}\n\
         exporters: {file: {path: \"${env:FILE}\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [file]}}}\n",
        &[("FILE", file.to_str().unwrap())],
    );
    let stage = start(config);
    run(&stage, "base", "a canary of a result", None);
    stage.shutdown(SOON);
}

fn config(baselines: &Path, receiver: &Receiver, logs: &Logs, processors: &str, rules: &str) -> Config {
    yaml(
        &format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             processors: {{reduce: {{}}, replay: {{baselines: \"${{env:BASELINES}}\"{rules}}}}}\n\
             exporters: {{otlp: {{endpoint: \"${{env:NEXT}}\"}}, otlp/logs: {{endpoint: \"${{env:LOGS}}\"}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], processors: [{processors}], exporters: [otlp], findings: [otlp/logs]}}}}}}\n"
        ),
        &[("BASELINES", baselines.to_str().unwrap()), ("NEXT", &receiver.url()), ("LOGS", &logs.url)],
    )
}

fn named<'s>(spans: &'s [Span], name: &str) -> Vec<&'s Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[test]
fn a_live_run_is_compared_with_a_recorded_one_and_findings_leave_as_events_logs_and_counters() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("base.jsonl"));
    let (receiver, logs) = (Receiver::start(Behaviour::Accept), Logs::start());
    let stage = start(config(folder.path(), &receiver, &logs, "replay", ""));
    run(&stage, "again", "another canary", Some("base"));
    eventually("the summary", || !named(&receiver.spans(), "replay base").is_empty());
    eventually("the log record", || !logs.records().is_empty());
    let spans = receiver.spans();
    let (step, finding) = (named(&spans, "execute_tool search")[0], named(&spans, "drift search")[0]);
    assert_eq!((&finding.trace_id, &finding.parent_span_id), (&step.trace_id, &step.span_id));
    let events: Vec<_> = spans.iter().flat_map(|span| &span.events).collect();
    assert_eq!(events.len(), 1, "the step and nothing else: {spans:#?}");
    assert_eq!(events[0].name, "veilspan.finding");
    let summary = named(&spans, "replay base")[0];
    assert_eq!(text(summary, "veilspan.replay.verdict"), Some("drift"));
    assert_eq!((int(summary, "veilspan.rollout.findings"), int(summary, "veilspan.revision")), (Some(1), Some(0)));
    assert_eq!(summary.links[0].span_id, step.span_id);
    assert!(named(&spans, "rollout planner").is_empty(), "reduction is no step of this pipeline");

    let records = logs.records();
    assert_eq!(records.len(), 1);
    assert_eq!((&records[0].trace_id, &records[0].span_id), (&step.trace_id, &step.span_id));
    assert_eq!((&*records[0].event_name, records[0].severity_number), ("veilspan.finding", 13));
    for (sample, value) in [
        ("veilspan_replay_compared_total{pipeline=\"traces\"}", 1),
        ("veilspan_replay_findings_total{pipeline=\"traces\"}", 1),
        ("veilspan_findings_total{pipeline=\"traces\",processor=\"replay\",severity=\"warning\"}", 1),
        ("veilspan_findings_sent_total{pipeline=\"traces\",exporter=\"otlp/logs\"}", 1),
        ("veilspan_findings_lost_total{pipeline=\"traces\",exporter=\"otlp/logs\"}", 0),
    ] {
        eventually(sample, || metric(&stage, sample) == value);
    }
    let sent: Vec<u8> = logs.requests.lock().unwrap().iter().flat_map(|request| request.encode_to_vec()).collect();
    for bytes in [sent, receiver.bytes()] {
        assert!(!String::from_utf8_lossy(&bytes).contains("canary"));
    }
    assert_eq!(stage.shutdown(SOON).unsent_findings, 0);
}

#[test]
fn a_run_that_does_the_same_has_no_finding_also_beside_reduction_and_by_a_rule() {
    let folder = tempfile::tempdir().unwrap();
    record(&folder.path().join("base.jsonl"));
    let (receiver, logs) = (Receiver::start(Behaviour::Accept), Logs::start());
    let rules = ", rules: [{attribute: gen_ai.agent.name, value: planner, baseline: base}]";
    let stage = start(config(folder.path(), &receiver, &logs, "reduce, replay", rules));
    run(&stage, "again", "a canary of a result", None);
    eventually("both summaries", || {
        let spans = receiver.spans();
        !named(&spans, "replay base").is_empty() && !named(&spans, "rollout planner").is_empty()
    });
    let spans = receiver.spans();
    assert_eq!(text(named(&spans, "replay base")[0], "veilspan.replay.verdict"), Some("same"));
    assert_eq!(spans.iter().map(|span| span.events.len()).sum::<usize>(), 0);
    assert_eq!((spans.len(), stage.rollouts().len()), (5, 1));
    stage.shutdown(SOON);
    assert!(logs.records().is_empty());
}

#[test]
fn findings_of_reduction_are_events_of_its_spans_and_log_records() {
    let (receiver, logs) = (Receiver::start(Behaviour::Accept), Logs::start());
    let text_of = "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}}\n\
         processors: {reduce: {}}\n\
         exporters: {otlp: {endpoint: \"${env:NEXT}\"}, otlp/logs: {endpoint: \"${env:LOGS}\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], processors: [reduce], exporters: [otlp], findings: [otlp/logs]}}}\n";
    let stage = start(yaml(text_of, &[("NEXT", &receiver.url()), ("LOGS", &logs.url)]));
    let recorder = recorder_to(&stage);
    let mut turn = recorder.turn("planner").rollout("r").start();
    turn.ends_rollout();
    for temperature in [0.1, 0.9] {
        turn.inference("openai", "m").input("q").temperature(temperature).start().finish();
    }
    turn.finish();
    assert!(recorder.shutdown(SOON).complete);
    eventually("the summary", || !named(&receiver.spans(), "rollout planner").is_empty());
    let spans = receiver.spans();
    let summary = named(&spans, "rollout planner")[0];
    assert_eq!((summary.events.len(), int(summary, "veilspan.rollout.findings")), (1, Some(1)), "{summary:#?}");
    let event = &summary.events[0];
    let of_event = Span { attributes: event.attributes.clone(), ..Span::default() };
    assert_eq!((&*event.name, text(&of_event, "veilspan.finding.kind")), ("veilspan.finding", Some("parameter_drift")));
    assert!(attribute_of(&of_event, "veilspan.turn.id").is_some());
    eventually("the log record", || !logs.records().is_empty());
    assert_eq!(logs.records()[0].attributes.len(), event.attributes.len() + 2, "and the rollout and its generation");
    stage.shutdown(SOON);
}

#[test]
fn baselines_that_cannot_be_read_keep_the_stage_from_starting_and_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let (receiver, logs) = (Receiver::start(Behaviour::Accept), Logs::start());
    let said = |path: &Path, rules: &str| {
        let error =
            Stage::builder(config(path, &receiver, &logs, "replay", rules)).policy(keyed()).start().unwrap_err();
        format!("{error}: {}", std::error::Error::source(&error).unwrap())
    };
    let missing = said(&folder.path().join("nowhere"), "");
    assert!(missing.contains("nowhere: cannot be read"), "{missing}");
    let empty = said(folder.path(), "");
    assert!(empty.contains("holds no run"), "{empty}");
    let odd = folder.path().join("odd.jsonl");
    std::fs::write(&odd, "a canary\nand another\n").unwrap();
    let odd = said(&odd, "");
    assert!(odd.contains("odd.jsonl: not OTLP JSON lines") && !odd.contains("canary"), "{odd}");
    std::fs::remove_file(folder.path().join("odd.jsonl")).unwrap();
    record(&folder.path().join("base.jsonl"));
    let rule = said(folder.path(), ", rules: [{attribute: gen_ai.agent.name, value: x, baseline: nobody}]");
    assert!(rule.contains("rules[0]"), "{rule}");
    // Half a line of a process that died costs that line alone.
    let mut text = std::fs::read_to_string(folder.path().join("base.jsonl")).unwrap();
    text.push_str("{\"resourceSpans\": [");
    std::fs::write(folder.path().join("base.jsonl"), text).unwrap();
    start(config(folder.path(), &receiver, &logs, "replay", "")).shutdown(SOON);
}
