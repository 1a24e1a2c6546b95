//! The generated client and ours against our server, over real sockets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
#![cfg(feature = "collector")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use support::net::{Stop, serve};
use tonic::codec::CompressionEncoding;
use tonic::codegen::{Service, http};
use tonic::transport::Channel;
use tonic::{Code, Status};
use veilspan::otlp::{Client, ClientOptions, Compression, Handler, Look, Reply, Request, Segments, TraceServer};

#[derive(Default)]
struct Taking {
    answer: Reply,
    refusal: Option<Status>,
    bodies: Mutex<Vec<Bytes>>,
}

impl Handler for Taking {
    async fn export(&self, body: Bytes) -> Result<Reply, Status> {
        Request::parse(body.clone(), Look::Inside)?;
        self.bodies.lock().unwrap().push(body);
        self.refusal.clone().map_or(Ok(self.answer), Err)
    }
}

async fn start(handler: Taking) -> (Arc<Taking>, Stop, String) {
    let handler = Arc::new(handler);
    let (stop, endpoint) = serve(TraceServer::new(Arc::clone(&handler)).max_message_bytes(200_000)).await;
    (handler, stop, endpoint)
}

async fn generated(endpoint: &str) -> TraceServiceClient<Channel> {
    TraceServiceClient::connect(endpoint.to_owned()).await.unwrap()
}

fn ours(endpoint: &str) -> Client {
    Client::new(&ClientOptions { timeout: Duration::from_secs(5), ..ClientOptions::new(endpoint) }).unwrap()
}

fn request(names: &[&str]) -> ExportTraceServiceRequest {
    let spans = names.iter().map(|name| Span { name: name.to_string(), ..Span::default() }).collect();
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans, ..ResourceSpans::default() }] }
}

fn segments(request: &ExportTraceServiceRequest) -> Segments {
    Segments::from(Bytes::from(request.encode_to_vec()))
}

#[tokio::test]
async fn a_request_of_the_generated_client_arrives_plain_and_compressed() {
    let (handler, _stop, endpoint) = start(Taking::default()).await;
    let sent = request(&["one", "two"]);
    let mut client = generated(&endpoint).await;
    let answer = client.export(sent.clone()).await.unwrap().into_inner();
    assert_eq!(answer.partial_success, None);
    client.send_compressed(CompressionEncoding::Gzip).export(sent.clone()).await.unwrap();
    for body in handler.bodies.lock().unwrap().iter() {
        assert_eq!(ExportTraceServiceRequest::decode(body.clone()).unwrap(), sent);
    }
    assert_eq!(handler.bodies.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn a_request_of_our_client_arrives_under_either_compression_and_none_unpacks_beyond_the_bound() {
    let (handler, _stop, endpoint) = start(Taking::default()).await;
    for compression in [Compression::Gzip, Compression::Zstd] {
        let options = ClientOptions { compression: Some(compression), ..ClientOptions::new(&endpoint) };
        let client = Client::new(&options).unwrap();
        let sent = request(&["one", "two"]);
        client.export(segments(&sent)).await.unwrap();
        let body = handler.bodies.lock().unwrap().pop().unwrap();
        assert_eq!(ExportTraceServiceRequest::decode(body).unwrap(), sent, "{compression}");
        let long = request(&[&"x".repeat(10 << 20)]);
        let error = client.export(segments(&long)).await.unwrap_err();
        assert_eq!((error.code(), error.is_about_length()), (Code::ResourceExhausted, true), "{compression}");
        assert!(handler.bodies.lock().unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_was_not_taken_is_told_to_both_clients() {
    let answer = Reply { rejected: 2, reason: "malformed span" };
    let (_, _stop, endpoint) = start(Taking { answer, ..Taking::default() }).await;
    let told = generated(&endpoint).await.export(request(&["one"])).await.unwrap().into_inner();
    let told = told.partial_success.unwrap();
    assert_eq!((told.rejected_spans, told.error_message.as_str()), (2, "malformed span"));

    let accepted = ours(&endpoint).export(segments(&request(&["one"]))).await.unwrap();
    assert_eq!((accepted.rejected_spans, accepted.message_len), (2, 14));
}

#[tokio::test]
async fn a_refusal_of_the_handler_reaches_the_client() {
    let refusal = Some(Status::unavailable("full"));
    let (_, _stop, endpoint) = start(Taking { refusal, ..Taking::default() }).await;
    let error = ours(&endpoint).export(segments(&request(&["one"]))).await.unwrap_err();
    assert_eq!((error.code(), error.retryable(), error.message_len()), (Code::Unavailable, true, 4));
}

#[tokio::test]
async fn bytes_that_are_no_request_are_an_invalid_argument() {
    let (_, _stop, endpoint) = start(Taking::default()).await;
    for garbage in [&b"\xff\xff\xff"[..], b"\x08\x01", b"\x0a\x7fcut off", b"secret"] {
        let error = ours(&endpoint).export(Segments::from(Bytes::copy_from_slice(garbage))).await.unwrap_err();
        assert_eq!((error.code(), error.retryable()), (Code::InvalidArgument, false));
        assert_eq!(error.message_len(), "not an export request".len());
    }
    // No spans at all is no error.
    ours(&endpoint).export(Segments::default()).await.unwrap();
}

#[tokio::test]
async fn what_is_too_large_is_refused_for_good() {
    let (handler, _stop, endpoint) = start(Taking::default()).await;
    let value = Some(AnyValue { value: Some(Value::StringValue("x".repeat(250_000))) });
    let mut large = request(&["one"]);
    large.resource_spans[0].scope_spans[0].spans[0].attributes =
        vec![KeyValue { key: "k".to_owned(), value, ..KeyValue::default() }];

    let error = ours(&endpoint).export(segments(&large)).await.unwrap_err();
    assert_eq!((error.code(), error.retryable()), (Code::ResourceExhausted, false));
    // Small on the way, large when unpacked.
    let mut client = generated(&endpoint).await.send_compressed(CompressionEncoding::Gzip);
    assert_eq!(client.export(large).await.unwrap_err().code(), Code::ResourceExhausted);
    assert!(handler.bodies.lock().unwrap().is_empty());
    ours(&endpoint).export(segments(&request(&["small"]))).await.unwrap();
}

#[tokio::test]
async fn other_services_and_methods_are_unimplemented() {
    let (_, _stop, endpoint) = start(Taking::default()).await;
    let mut channel = Channel::from_shared(endpoint.clone()).unwrap().connect().await.unwrap();
    for path in [
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        "/opentelemetry.proto.collector.trace.v1.TraceService/Import",
    ] {
        let request = http::Request::post(format!("{endpoint}{path}"))
            .header("content-type", "application/grpc")
            .body(tonic::body::Body::empty())
            .unwrap();
        std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
        let response = channel.call(request).await.unwrap();
        assert_eq!(response.headers().get("grpc-status").unwrap(), "12", "{path}");
    }
}
