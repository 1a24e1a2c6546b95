//! Several pipelines and several exporters: who waits for whom.

use std::path::Path;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use tonic::{Code, Status};
use veilspan::collector::{Config, Stage};

use crate::build::*;
use crate::support::leaks::holds;
use crate::support::receiver::{Behaviour, Receiver};

fn to_two(first: &str, second: &str, of_second: &str) -> Config {
    yaml(
        &format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{endpoint: \"127.0.0.1:0\"}}}}}}}}\n\
             exporters:\n  otlp: {{endpoint: \"${{env:FIRST}}\"}}\n  otlp/b: {{endpoint: \"${{env:SECOND}}\"{of_second}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp, otlp/b]}}}}}}\n"
        ),
        &[("FIRST", first), ("SECOND", second)],
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_exporter_gets_a_copy_and_the_answer_is_the_worst_of_theirs() {
    let (one, two) = (Receiver::start(Behaviour::Accept), Receiver::start(Behaviour::Accept));
    let stage = Stage::builder(to_two(&one.url(), &two.url(), "")).policy(policy()).start().unwrap();
    send(&stage, plain()).await.unwrap();
    assert_eq!((one.spans().len(), two.spans().len()), (1, 1));
    two.behave(Behaviour::Refuse(Status::unavailable("words")));
    assert_eq!(send(&stage, plain()).await.unwrap_err().code(), Code::Unavailable);
    one.behave(Behaviour::Refuse(Status::permission_denied("words")));
    assert!(send(&stage, plain()).await.unwrap_err().retryable(), "what one may take later is sent again");
    one.behave(Behaviour::Accept);
    two.behave(Behaviour::Reject(1));
    assert_eq!(send(&stage, plain()).await.unwrap().rejected_spans, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_best_effort_exporter_and_what_it_misses_comes_later() {
    let (one, two) = (Receiver::start(Behaviour::Accept), Receiver::start(Behaviour::Accept));
    two.behave(Behaviour::RefuseFirst(1, Status::unavailable("not yet")));
    let config = to_two(&one.url(), &two.url(), ", best_effort: true");
    let stage = Stage::builder(config).policy(policy()).start().unwrap();
    for _ in 0..3 {
        send(&stage, plain()).await.unwrap();
    }
    assert_eq!(one.spans().len(), 3);
    let two = tokio::task::spawn_blocking(move || (two.wait_for_spans(3).len(), two)).await.unwrap();
    assert_eq!(two.0, 3);
    two.1.behave(Behaviour::Stall);
    send(&stage, plain()).await.unwrap();
    drop(two);
    let stopped = tokio::task::spawn_blocking(move || stage.shutdown(std::time::Duration::from_millis(200)));
    assert_eq!(stopped.await.unwrap().unsent_spans, 1, "what it never took is told");
}

fn lines(file: &Path) -> Vec<ExportTraceServiceRequest> {
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_holds_otlp_json_lines_of_what_may_leave_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spans.jsonl");
    let config = yaml(
        "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}}\n\
         processors: {reduce: {}}\n\
         exporters: {file: {path: \"${env:FILE}\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], processors: [reduce], exporters: [file]}}}\n",
        &[("FILE", path.to_str().unwrap())],
    );
    let stage = Stage::builder(config).policy(policy()).start().unwrap();
    let said = r#"[{"role":"user","parts":[{"type":"text","content":"a planted canary text"}]}]"#;
    let attributes = vec![
        attribute("gen_ai.operation.name", Value::StringValue("chat".to_owned())),
        attribute("gen_ai.input.messages", Value::StringValue(said.to_owned())),
    ];
    send(&stage, request(&[span("chat", attributes).encode_to_vec()], &[])).await.unwrap();
    send(&stage, plain()).await.unwrap();
    let written = lines(&path);
    assert_eq!(written.len(), 2);
    assert_eq!(written[1], ExportTraceServiceRequest::decode(&*plain()).unwrap());
    assert!(!holds(&std::fs::read(&path).unwrap(), "planted canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pipelines_stand_side_by_side_and_share_nothing_but_the_process() {
    let (one, two) = (Receiver::start(Behaviour::Accept), Receiver::start(Behaviour::Accept));
    let config = yaml(
        "receivers:\n  otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}\n  otlp/b: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}\n\
         exporters:\n  otlp: {endpoint: \"${env:FIRST}\"}\n  otlp/b: {endpoint: \"${env:SECOND}\"}\n\
         service:\n  pipelines:\n    traces: {receivers: [otlp], exporters: [otlp]}\n    traces/b: {receivers: [otlp/b], exporters: [otlp/b]}\n",
        &[("FIRST", &one.url()), ("SECOND", &two.url())],
    );
    let stage = Stage::builder(config).policy(policy()).start().unwrap();
    send(&stage, plain()).await.unwrap();
    assert_eq!((one.spans().len(), two.spans().len()), (1, 0));
    assert_eq!(metric(&stage, "veilspan_pipeline_spans_total{pipeline=\"traces\"}"), 1);
    assert_eq!(metric(&stage, "veilspan_pipeline_spans_total{pipeline=\"traces/b\"}"), 0);
}

#[test]
fn a_stage_that_cannot_have_all_of_its_addresses_has_none() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (taken_at, free_at) = (taken.local_addr().unwrap().to_string(), free.local_addr().unwrap().to_string());
    drop(free);
    let config = yaml(
        "receivers: {otlp: {protocols: {grpc: {endpoint: \"${env:FREE}\"}, http: {endpoint: \"${env:TAKEN}\"}}}}\n\
         exporters: {otlp: {endpoint: \"http://127.0.0.1:1\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n",
        &[("FREE", &free_at), ("TAKEN", &taken_at)],
    );
    let error = Stage::builder(config).policy(policy()).start().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with(&taken_at), "it says which: {cause}");
    assert!(std::net::TcpListener::bind(&free_at).is_ok(), "the other address is free again");
}

#[test]
fn a_file_that_cannot_be_written_is_told_by_its_exporter() {
    let config = yaml(
        "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}}\n\
         exporters: {file: {path: /dev/null/a}, file/second: {path: /dev/null/b}, otlp: {endpoint: \"http://127.0.0.1:1\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp, file/second]}}}\n",
        &[],
    );
    let error = Stage::builder(config).policy(policy()).start().unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.starts_with("file/second: "), "{cause}");
}
