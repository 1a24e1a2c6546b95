//! What the stage promises, between real gRPC peers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message as _;
use tonic::{Code, Status};
use veilspan::collector::{Config, Processor, Stage};
use veilspan::event::Source;
use veilspan::otlp::{Handler, Look, Reply, Request, TraceServer, decode};
use veilspan::reduce::{Facts, Limits};

use crate::build::*;
use crate::support;
use crate::support::net::serve;
use crate::support::receiver::{Behaviour, Receiver, int, text};

#[derive(Default)]
struct Keep(Mutex<Vec<Bytes>>);

impl Handler for Keep {
    async fn export(&self, body: Bytes) -> Result<Reply, Status> {
        self.0.lock().unwrap().push(body);
        Ok(Reply::default())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_privacy_what_goes_in_comes_out_byte_for_byte_with_unknown_fields_and_every_type() {
    let kept = Arc::new(Keep::default());
    let (_stop, endpoint) = serve(TraceServer::new(Arc::clone(&kept))).await;
    let mut first = span("one", every_type_of_attribute()).encode_to_vec();
    first.extend_from_slice(UNKNOWN);
    let second =
        span("two", vec![attribute("gen_ai.input.messages", Value::StringValue("said".to_owned()))]).encode_to_vec();
    let body = request(&[first.clone(), second.clone()], UNKNOWN);
    for processors in [&[][..], &[Processor::Reduce][..]] {
        let stage = stage(processors, endpoint.clone());
        assert_eq!(send(&stage, body.clone()).await.unwrap().rejected_spans, 0);
        let out = kept.0.lock().unwrap().pop().unwrap();
        assert_eq!(out, body);
        let read = Request::parse(out, Look::Inside).unwrap();
        let spans: Vec<_> = read.spans().map(|span| span.bytes()).collect();
        assert_eq!(spans, [Bytes::from(first.clone()), Bytes::from(second.clone())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_privacy_a_span_without_genai_keys_keeps_its_bytes_beside_one_that_has_them() {
    let (stage, capture) = capturing(&[Processor::Privacy]);
    let plain = span("GET /a text", every_type_of_attribute()).encode_to_vec();
    let said = r#"[{"role":"user","parts":[{"type":"text","content":"a planted canary text"}]}]"#;
    let genai = span(
        "chat gpt-x",
        vec![
            attribute("gen_ai.operation.name", Value::StringValue("chat".to_owned())),
            attribute("gen_ai.request.model", Value::StringValue("gpt-x".to_owned())),
            attribute("gen_ai.input.messages", Value::StringValue(said.to_owned())),
            attribute("gen_ai.usage.input_tokens", Value::IntValue(5)),
        ],
    );
    send(&stage, request(&[plain.clone(), genai.encode_to_vec()], &[])).await.unwrap();
    let out = capture.requests().pop().unwrap();
    assert!(!support::leaks::holds(&out, "planted canary"));
    let read = Request::parse(out.clone(), Look::Inside).unwrap();
    assert_eq!(read.spans().next().unwrap().bytes(), plain);
    let decoded = ExportTraceServiceRequest::decode(out).unwrap();
    let veiled = &decoded.resource_spans[0].scope_spans[0].spans[1];
    assert_eq!((veiled.name.as_str(), int(veiled, "gen_ai.usage.input_tokens")), ("chat gpt-x", Some(5)));
    assert!(text(veiled, "veilspan.input.chain").unwrap().starts_with("hmac-sha256:"));
    assert!(text(veiled, "gen_ai.input.messages").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_span_is_refused_by_itself() {
    let receiver = Receiver::start(Behaviour::Accept);
    let good = span("good", Vec::new()).encode_to_vec();
    let bad = vec![0x0a, 0x7f, 1];
    for processors in [&[][..], &[Processor::Privacy, Processor::Reduce][..]] {
        let stage = stage(processors, receiver.url());
        let accepted = send(&stage, request(&[good.clone(), bad.clone(), good.clone()], &[])).await.unwrap();
        assert_eq!(accepted.rejected_spans, 1, "{processors:?}");
        assert!(accepted.message_len > 0);
        assert_eq!(stage.refused_spans(), 1);
    }
    assert_eq!(receiver.spans().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_otlp_gets_a_grpc_error() {
    let (stage, capture) = capturing(&[Processor::Privacy, Processor::Reduce]);
    let error = send(&stage, vec![0xff; 40]).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument);
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", stage.address())).unwrap();
    let mut logs = tonic::client::Grpc::new(channel.connect().await.unwrap());
    logs.ready().await.unwrap();
    let path = "/opentelemetry.proto.collector.logs.v1.LogsService/Export".parse().unwrap();
    let codec = tonic_prost::ProstCodec::<ExportTraceServiceRequest, ExportTraceServiceRequest>::default();
    let status = logs.unary(tonic::Request::new(Default::default()), path, codec).await.unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert!(capture.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_above_is_the_answer_below_without_its_words() {
    let receiver = Receiver::start(Behaviour::Accept);
    let stage = stage(&[Processor::Privacy, Processor::Reduce], receiver.url());
    let body = request(&[span("a", Vec::new()).encode_to_vec()], &[]);
    for code in [Code::Unavailable, Code::PermissionDenied, Code::InvalidArgument, Code::ResourceExhausted] {
        let words = "words of the peer, which may quote what it was sent";
        receiver.behave(Behaviour::Refuse(Status::new(code, words)));
        let error = send(&stage, body.clone()).await.unwrap_err();
        assert_eq!((error.code(), error.answered()), (code, true));
        assert_ne!(error.message_len(), words.len());
    }
    receiver.behave(Behaviour::Reject(1));
    assert_eq!(send(&stage, body.clone()).await.unwrap().rejected_spans, 1);
    drop(receiver);
    let unreachable = send(&stage, body).await.unwrap_err();
    assert!(unreachable.retryable());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_has_ended_leaves_one_summary_when_the_stage_stops() {
    let receiver = Receiver::start(Behaviour::Accept);
    let stage = stage(&[Processor::Privacy, Processor::Reduce], receiver.url());
    let recorder = recorder_to(&stage);
    let mut turn = recorder.turn("planner").start();
    let mut call = turn.inference("openai", "m").input("hello").start();
    call.tokens(10, 4);
    call.finish();
    turn.ends_rollout();
    turn.finish();
    let left = tokio::task::spawn_blocking(move || {
        assert!(recorder.shutdown(SOON).complete);
        stage.shutdown(SOON)
    });
    assert_eq!(left.await.unwrap(), Default::default());
    let spans = receiver.spans();
    let summaries: Vec<_> = spans.iter().filter(|span| span.name == "rollout planner").collect();
    assert_eq!((spans.len(), summaries.len()), (3, 1));
    let summary = summaries[0];
    assert_eq!(text(summary, "veilspan.rollout.reason"), Some("ended"));
    assert_eq!(int(summary, "veilspan.rollout.turns"), Some(1));
    assert_eq!(int(summary, "gen_ai.usage.input_tokens"), Some(10));
    let turn = spans.iter().find(|span| span.name == "invoke_agent planner").unwrap();
    assert_eq!(summary.links[0].span_id, turn.span_id);
    assert_ne!(summary.trace_id, turn.trace_id);
    let resources: Vec<_> = receiver.requests().into_iter().flat_map(|request| request.resource_spans).collect();
    assert!(resources.iter().all(|resource| resource.resource == resources[0].resource), "the same service");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_closes_by_time_leaves_by_itself_and_a_turn_that_nobody_reported_is_told_once() {
    let receiver = Receiver::start(Behaviour::Accept);
    let limits =
        Limits { late_grace: Duration::from_millis(50), rollout_idle: Duration::from_millis(300), ..Limits::default() };
    let config = config(&[Processor::Privacy, Processor::Reduce], Some(receiver.url()));
    let stage = Stage::builder(config).policy(policy()).limits(limits).start().unwrap();
    let recorder = recorder_to(&stage);
    let turn = recorder.turn("planner").start();
    turn.tool("add").start().finish();
    let flushed = tokio::task::spawn_blocking({
        let recorder = recorder.clone();
        move || recorder.flush(SOON).complete
    });
    assert!(flushed.await.unwrap());
    // The turn's own span never comes.
    std::mem::forget(turn);
    let spans = tokio::task::spawn_blocking(move || (receiver.wait_for_spans(3), receiver)).await.unwrap().0;
    let names: Vec<_> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names[0], "execute_tool add");
    assert_eq!(names[1..].iter().filter(|name| name.starts_with("invoke_agent")).count(), 1, "{names:?}");
    let summary = spans.iter().find(|span| span.name.starts_with("rollout")).unwrap();
    assert_eq!(text(summary, "veilspan.rollout.reason"), Some("idle"));
    drop(stage);
}

#[test]
fn a_stage_that_is_told_to_listen_to_the_world_does_not_start() {
    let config = Config::between("0.0.0.0:0".parse().unwrap(), None);
    assert!(Stage::builder(config).start().is_err());
}

#[test]
fn two_producers_in_one_rollout_reduce_in_both_orders_to_the_same_json() {
    let (stage, capture) = capturing(&[Processor::Privacy, Processor::Reduce]);
    let (first, second) = (recorder_to(&stage), recorder_to(&stage));
    for (recorder, agent) in [(&first, "planner"), (&second, "worker")] {
        let turn = recorder.turn(agent).rollout("one-rollout").start();
        turn.inference("openai", "m").input("hello").start().finish();
        turn.finish();
        assert!(recorder.shutdown(SOON).complete);
    }
    stage.shutdown(SOON);
    let requests = capture.requests();
    let reduced = |requests: &mut dyn Iterator<Item = &Bytes>| {
        let mut facts = Facts::default();
        for request in requests {
            let request = Request::parse(request.clone(), Look::Outside).unwrap();
            for resource in request.resources() {
                let producer = decode::producer(&resource.resource());
                assert!(producer.is_some());
                for span in resource.scopes().flat_map(|scope| scope.spans()) {
                    let call = decode::call(&span.view().unwrap(), producer).unwrap();
                    call.into_events(Source::Otlp).for_each(|event| {
                        facts.absorb(&event);
                    });
                }
            }
        }
        let rollouts = facts.derive();
        assert_eq!((rollouts.len(), rollouts[0].turns().count()), (1, 2));
        rollouts[0].serialise()
    };
    assert_eq!(requests.len(), 2);
    assert_eq!(reduced(&mut requests.iter()), reduced(&mut requests.iter().rev()));
}
