//! A service with both layers.

use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use crate::program::{alone, sent};
use crate::support::receiver::{attribute, int, text};

#[test]
fn a_service_prints_one_trace_from_its_client_to_the_second_service() {
    let wanted = [
        "POST",
        "  POST /ask",
        "    invoke_agent weather",
        "      chat gpt-scripted",
        "      execute_tool temperature",
        "        POST",
        "          POST /temperature",
        "      chat gpt-scripted",
    ];
    assert_eq!(alone("axum").lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn context_comes_in_from_the_request_and_goes_out_to_the_second_service() {
    let spans = sent("axum");
    let find = |name: &str| {
        let found: Vec<_> = spans.iter().filter(|span| span.name == name).collect();
        assert_eq!(found.len(), 1, "{name}");
        found[0]
    };
    let (server, turn, tool) = (find("POST /ask"), find("invoke_agent weather"), find("execute_tool temperature"));
    let second = find("POST /temperature");
    let parent = |span: &Span| spans.iter().find(|other| other.span_id == span.parent_span_id).unwrap();
    assert_eq!(spans.len(), 8);
    assert!(spans.iter().all(|span| span.trace_id == server.trace_id));
    assert!(parent(server).parent_span_id.is_empty());
    assert_eq!(parent(turn).name, server.name);
    assert_eq!(parent(tool).name, turn.name);
    assert_eq!(parent(parent(second)).name, tool.name);
    assert_eq!((second.kind(), parent(second).kind()), (SpanKind::Server, SpanKind::Client));
    // Ours are told by us alone, theirs by the other layer alone.
    for span in &spans {
        let is_told_by = |prefix: &str| span.attributes.iter().any(|attribute| attribute.key.starts_with(prefix));
        assert_eq!(is_told_by("gen_ai."), is_told_by("veilspan."), "{}", span.name);
        assert_eq!(is_told_by("gen_ai."), !span.name.starts_with("POST"), "{}", span.name);
        assert_ne!(is_told_by("gen_ai."), is_told_by("code."), "{}", span.name);
    }
}

#[test]
fn a_streamed_answer_is_one_inference_that_knows_its_chunks() {
    let told = alone("reqwest_stream");
    assert_eq!(told.matches("chat gpt-scripted").count(), 1, "{told}");
    let spans = sent("reqwest_stream");
    let chat = spans.iter().find(|span| span.name == "chat gpt-scripted").unwrap();
    assert_eq!((spans.len(), text(chat, "veilspan.outcome")), (2, Some("completed")));
    // One for each word, one for the finish reason, one for the usage.
    assert_eq!(int(chat, "veilspan.output.chunks"), Some(9));
    for key in ["gen_ai.response.time_to_first_chunk", "veilspan.output.time_per_chunk", "veilspan.output.digests"] {
        assert!(attribute(chat, key).is_some(), "{key}");
    }
    assert_eq!(text(chat, "gen_ai.response.id"), Some("chatcmpl-0001"));
    assert!(int(chat, "gen_ai.usage.input_tokens") > Some(0));
}
