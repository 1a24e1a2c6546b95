//! `veilspan restore`, as it is called.

use std::process::Output;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use serde_json::Value;

use super::build::{agent, digests, full};
use super::runs::{FULL, veilspan, write};

/// The recording as a Collector's file exporter writes it.
fn file(folder: &std::path::Path, policy: veilspan::Policy) -> String {
    let (host, _) = agent(policy, "langchain");
    write(&host.calls(), folder)
}

#[test]
fn a_state_is_printed_with_as_much_content_as_was_kept_and_may_leave() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), full());
    let output = veilspan(&["restore", &path, "--at", "cp-1"], &FULL);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let state: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&state["content"], &state["checkpoint"], &state["rollout"]),
        (&"whole".into(), &"cp-1".into(), &"r".into())
    );
    assert_eq!(state["messages"].as_array().unwrap().len(), 4);
    assert_eq!(state["state"]["framework"], "langchain");
    // What the policy of whoever asks holds back is not printed.
    let output = veilspan(&["restore", &path, "--at", "cp-1"], &[("VEILSPAN_HASH", "sha256")]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("\"content\": \"nothing\"") && !text.contains("Oslo"), "{text}");
    assert!(String::from_utf8(output.stderr).unwrap().contains("content"), "and it says so");
}

/// The spans of printed lines.
fn spans(output: &Output) -> Vec<opentelemetry_proto::tonic::trace::v1::Span> {
    let lines = std::str::from_utf8(&output.stdout).unwrap().lines();
    let requests = lines.map(|line| serde_json::from_str::<ExportTraceServiceRequest>(line).unwrap());
    requests
        .flat_map(|request| request.resource_spans)
        .flat_map(|all| all.scope_spans)
        .flat_map(|all| all.spans)
        .collect()
}

fn attribute(span: &opentelemetry_proto::tonic::trace::v1::Span, key: &str) -> Option<String> {
    let value = span.attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?;
    serde_json::to_value(value).unwrap()["stringValue"].as_str().map(str::to_owned)
}

#[test]
fn what_came_after_the_cut_is_told_again_as_a_rollout_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), digests());
    let original = spans(&veilspan(&["replay", &path], &[]));
    assert_eq!(original.len(), 5, "the turn, two requests and two tools");
    let output = veilspan(&["replay", &path, "--from", "cp-1"], &[]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let told = spans(&output);
    let names: Vec<_> = told.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["invoke_agent agent", "execute_tool delete"]);
    for span in &told {
        assert_eq!(attribute(span, "veilspan.replay.of").as_deref(), Some("r"));
        assert_eq!(attribute(span, "veilspan.replay.checkpoint").as_deref(), Some("cp-1"));
        assert_eq!(attribute(span, "veilspan.replay.provenance").as_deref(), Some("recorded"));
        assert_ne!(attribute(span, "veilspan.rollout.id").as_deref(), Some("r"));
        let link = span.links.last().unwrap();
        assert_eq!(link.attributes[0].key, "veilspan.edge.kind");
        assert!(told.iter().all(|other| other.span_id != link.span_id), "the link leads to the original");
    }
    assert_eq!(told[1].parent_span_id, told[0].span_id, "a child stays a child");
    assert_eq!(attribute(&told[0], "veilspan.rollout.id"), attribute(&told[1], "veilspan.rollout.id"));
    // Twice it is two rollouts.
    let again = spans(&veilspan(&["replay", &path, "--from", "cp-1"], &[]));
    assert_ne!(attribute(&again[0], "veilspan.rollout.id"), attribute(&told[0], "veilspan.rollout.id"));
    assert_ne!(again[0].trace_id, told[0].trace_id);
    // What matters too little is left out.
    assert!(spans(&veilspan(&["replay", &path, "--from", "cp-1", "--min-importance", "0.95"], &[])).is_empty());
    for wrong in [&["--from", "0"][..], &["--min-importance", "2"], &["--min-importance", "NaN"]] {
        let output = veilspan(&[&["replay", path.as_str()], wrong].concat(), &[]);
        assert_eq!(output.status.code(), Some(64), "{wrong:?}");
    }
}

#[test]
fn what_cannot_be_restored_is_an_error_that_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), digests());
    let output = veilspan(&["restore", &path, "--at", "no-such"], &[]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8(output.stderr).unwrap().contains("no checkpoint has this id"));
    assert_eq!(veilspan(&["restore", &path], &[]).status.code(), Some(64));
    assert_eq!(veilspan(&["restore", "/nonexistent", "--at", "cp-1"], &[]).status.code(), Some(65));
}
