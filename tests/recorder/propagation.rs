//! Between processes: who is told what.

use http::HeaderMap;
use serde_json::{Map, Value, json};
use veilspan::Recorder;
use veilspan::event::CallKind;
use veilspan::intake::Propagation;
use veilspan::record::{Context, Fault};
use veilspan::semconv;

use super::common::*;

fn told(context: &Context, to: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("baggage", "theirs=1".parse().unwrap());
    let was_told = context.inject(&to.parse().unwrap(), &mut headers);
    assert_eq!(was_told, headers.contains_key("traceparent"));
    headers
}

#[test]
fn only_those_whom_the_variable_names_are_told_and_a_model_never_is() {
    let (recorder, _sink) = recorder();
    let turn = recorder.turn("a").rollout("r").thread("th").turn_id("tu").tenant("acme").start();
    let headers = told(&turn.context(), "http://localhost:1/");
    let baggage = headers["baggage"].to_str().unwrap();
    for member in
        ["theirs=1", "veilspan.rollout.id=r", "veilspan.thread.id=th", "veilspan.turn.id=tu", "veilspan.tenant.id=acme"]
    {
        assert!(baggage.split(',').any(|told| told == member), "{baggage}");
    }
    assert_eq!(told(&turn.context(), "https://api.openai.com/v1").len(), 1);
    assert_eq!(told(&turn.context(), "/relative").len(), 1);
    let inference = turn.inference("ollama", "m").start();
    assert_eq!(told(&inference.context(), "http://localhost:11434/api/chat").len(), 1);
    inference.finish();
    turn.finish();
    assert_eq!(told(&Context::current(), "http://localhost:1/").len(), 1);
}

#[test]
fn an_id_that_is_a_text_is_not_told_in_words() {
    let (recorder, _sink) = recorder();
    let turn = recorder.turn("a").rollout("a secret rollout").start();
    let headers = told(&turn.context(), "http://localhost:1/");
    assert_eq!(headers["baggage"], "theirs=1");
    assert!(headers["traceparent"].to_str().unwrap().starts_with("00-"));
    turn.finish();
}

#[test]
fn what_a_peer_told_is_what_the_peer_meant_and_nonsense_is_nothing() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("client").rollout("r/1").thread("th").start();
    let headers = told(&turn.context(), "http://127.0.0.1/");
    recorder.extract(&headers).in_scope(|| recorder.tool("served").start().finish());
    for (parent, baggage) in [
        ("nonsense", "veilspan.rollout.id=x"),
        ("00-00000000000000000000000000000000-0000000000000000-01", "veilspan.rollout.id=x"),
    ] {
        let mut headers = HeaderMap::new();
        headers.insert("traceparent", parent.parse().unwrap());
        headers.insert("baggage", baggage.parse().unwrap());
        recorder.extract(&headers).in_scope(|| recorder.tool("alone").start().finish());
    }
    let mut headers = headers;
    headers.insert("baggage", "veilspan.rollout.id=a%20secret,other=%FF,;;,=".parse().unwrap());
    recorder.extract(&headers).in_scope(|| recorder.tool("traced").start().finish());
    turn.finish();
    let calls = calls(&recorder, &sink);
    let client = calls.last().unwrap();
    assert_eq!(calls[0].opened.span.parent, Some(client.opened.span.span));
    assert_eq!((&calls[0].scope, calls[0].opened.span.parent_is_remote), (&client.scope, true));
    for alone in &calls[1..3] {
        assert_eq!((alone.opened.span.parent, alone.scope.rollout == alone.scope.turn), (None, true));
    }
    assert_eq!(calls[3].opened.span.parent, Some(client.opened.span.span));
    assert_ne!(calls[3].scope.rollout, client.scope.rollout);
}

#[tokio::test]
async fn a_call_to_an_mcp_server_is_told_once_under_the_servers_name_for_it() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("a").start();
    let send = |meta: Map<String, Value>| async move {
        Ok::<_, Fault>(json!({ "meta": meta.contains_key("traceparent") }).to_string())
    };
    // By itself.
    let answer = turn.dispatch("files", "read").call_id("c1").arguments("{}").run(send).await.unwrap();
    assert_eq!(answer, r#"{"meta":true}"#);
    // Inside of the host's own call of it, by the same id, and by the tool's name alone.
    let outer = turn.tool("files__read").call_id("c2").start();
    outer.instrument(recorder.dispatch("files", "read").call_id("c2").run(send)).await.unwrap();
    outer.finish();
    let outer = turn.tool("files__read").start();
    outer.dispatch("files", "read").run(send).await.unwrap();
    outer.finish();
    // Inside of another call.
    let research = turn.tool("research").call_id("c3").start();
    research.dispatch("files", "read").call_id("c4").run(send).await.unwrap();
    research.finish();
    // Inside of the host's own call of it, which has ended.
    let ended = turn.tool("files__read").call_id("c5").start();
    let late = ended.instrument(recorder.dispatch("files", "read").call_id("c5").run(send));
    ended.finish();
    late.await.unwrap();
    turn.finish();
    let calls = calls(&recorder, &sink);
    let tools: Vec<_> = calls.iter().filter(|call| call.kind == CallKind::Tool).collect();
    let names: Vec<_> = tools
        .iter()
        .map(|call| (call.opened.attrs.text(semconv::TOOL_NAME).unwrap(), call.opened.attrs.text(semconv::MCP_SERVER)))
        .collect();
    let read = ("read", Some("files"));
    assert_eq!(names, [read, read, read, read, ("research", None), ("files__read", None), read]);
    assert_eq!(tools[3].opened.span.parent, Some(tools[4].opened.span.span));
    assert!(tools[..4].iter().all(|call| call.opened.attrs.text(semconv::MCP_METHOD_NAME) == Some("tools/call")));
}

#[tokio::test]
async fn an_mcp_server_is_told_nothing_where_the_variable_does_not_name_it() {
    let sink = std::sync::Arc::new(veilspan::testing::MemorySink::default());
    let recorder = Recorder::builder().sink(sink).policy(unkeyed()).propagation(Propagation::NONE).build();
    let told =
        recorder.dispatch("files", "read").run(|meta| async move { Ok::<_, Fault>(meta.len().to_string()) }).await;
    assert_eq!(told.unwrap(), "0");
}

#[tokio::test]
async fn a_dispatch_that_fails_or_is_dropped_says_so() {
    let (recorder, sink) = recorder();
    let failed: Result<String, _> =
        recorder.dispatch("s", "t").run(|_| async { Err(Fault::new("timeout").retryable(true)) }).await;
    assert!(failed.is_err());
    let pending = recorder.dispatch("s", "t").run(|_| std::future::pending::<Result<String, Fault>>());
    assert!(tokio::time::timeout(std::time::Duration::from_millis(5), pending).await.is_err());
    let outcomes: Vec<_> = calls(&recorder, &sink).iter().map(|call| call.closed.outcome.unwrap().as_str()).collect();
    assert_eq!(outcomes, ["failed", "cancelled"]);
}
