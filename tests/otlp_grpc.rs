//! Our client against the generated server, over real sockets.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
#![cfg(feature = "collector")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{TraceService, TraceServiceServer};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use secrecy::SecretString;
use support::net::{Stop, serve};
use tonic::{Code, Request, Response, Status};
use veilspan::otlp::{Client, ClientOptions, Segments, assemble, encode};

/// A server of the generated kind that answers as it is told.
#[derive(Clone, Default)]
struct Peer {
    answer: Arc<Mutex<Option<Result<ExportTraceServiceResponse, Status>>>>,
    seen: Arc<Mutex<Vec<Request<ExportTraceServiceRequest>>>>,
    delay: Duration,
}

#[tonic::async_trait]
impl TraceService for Peer {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        tokio::time::sleep(self.delay).await;
        self.seen.lock().unwrap().push(request);
        self.answer
            .lock()
            .unwrap()
            .clone()
            .unwrap_or_else(|| Ok(ExportTraceServiceResponse::default()))
            .map(Response::new)
    }
}

impl Peer {
    fn answering(answer: Result<ExportTraceServiceResponse, Status>) -> Self {
        Self { answer: Arc::new(Mutex::new(Some(answer))), ..Self::default() }
    }

    async fn start(&self) -> (Stop, String) {
        serve(TraceServiceServer::new(self.clone())).await
    }
}

fn client(endpoint: &str) -> Client {
    Client::new(&ClientOptions { timeout: Duration::from_secs(5), ..ClientOptions::new(endpoint) }).unwrap()
}

/// A request of some spans with the given names.
fn request(names: &[&str]) -> Segments {
    let span = |name: &&str| {
        let mut field = Vec::new();
        let span = opentelemetry_proto::tonic::trace::v1::Span { name: name.to_string(), ..Default::default() };
        prost::encoding::message::encode(2, &span, &mut field);
        Bytes::from(field)
    };
    assemble::request(&encode::resource([("service.name", "demo")], None), &encode::scope(), names.iter().map(span))
}

#[tokio::test]
async fn what_we_send_arrives_as_it_was_meant() {
    let peer = Peer::default();
    let (_stop, endpoint) = peer.start().await;
    let long = "x".repeat(40_000);
    let sent = request(&["one", "two", &long]);
    let options = ClientOptions {
        headers: vec![("X-Tenant".to_owned(), SecretString::from("acme"))],
        ..ClientOptions::new(endpoint)
    };
    let accepted = Client::new(&options).unwrap().export(sent.clone()).await.unwrap();
    assert_eq!((accepted.rejected_spans, accepted.message_len), (0, 0));

    let seen = peer.seen.lock().unwrap();
    assert_eq!(*seen[0].get_ref(), ExportTraceServiceRequest::decode(sent.into_bytes()).unwrap());
    let scope_spans = &seen[0].get_ref().resource_spans[0].scope_spans[0];
    let names: Vec<_> = scope_spans.spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["one", "two", &long]);
    let metadata = seen[0].metadata();
    assert_eq!(metadata.get("x-tenant").unwrap(), "acme");
    assert!(metadata.get("user-agent").unwrap().to_str().unwrap().starts_with("veilspan/"));
}

#[tokio::test]
async fn partial_success_is_told_without_its_text() {
    let partial_success =
        ExportTracePartialSuccess { rejected_spans: 3, error_message: "bad span 'secret'".to_owned() };
    let peer = Peer::answering(Ok(ExportTraceServiceResponse { partial_success: Some(partial_success) }));
    let (_stop, endpoint) = peer.start().await;
    let accepted = client(&endpoint).export(request(&["one"])).await.unwrap();
    assert_eq!((accepted.rejected_spans, accepted.message_len), (3, 17));
    assert!(!format!("{accepted:?}").contains("secret"));
}

#[tokio::test]
async fn a_refusal_is_retryable_by_the_rules_of_otlp_and_keeps_no_text() {
    let retryable =
        [Code::Cancelled, Code::DeadlineExceeded, Code::Aborted, Code::OutOfRange, Code::Unavailable, Code::DataLoss];
    for number in 1..=16 {
        let code = Code::from_i32(number);
        let peer = Peer::answering(Err(Status::new(code, "you sent 'secret'")));
        let (_stop, endpoint) = peer.start().await;
        let error = client(&endpoint).export(request(&["one"])).await.unwrap_err();
        assert_eq!((error.code(), error.answered(), error.message_len()), (code, true, 17));
        assert_eq!(error.retryable(), retryable.contains(&code), "{code:?}");
        assert_eq!(error.retry_after(), None);
        assert!(!format!("{error:?} {error}").contains("secret"));
    }
}

/// A `google.rpc.Status` with the given details.
fn rpc_status(details: &[(&str, &[u8])]) -> Vec<u8> {
    let mut status = Vec::new();
    prost::encoding::int32::encode(1, &8, &mut status);
    prost::encoding::string::encode(2, &"busy".to_owned(), &mut status);
    for (type_url, value) in details {
        let mut any = Vec::new();
        prost::encoding::string::encode(1, &type_url.to_string(), &mut any);
        prost::encoding::bytes::encode(2, &value.to_vec(), &mut any);
        prost::encoding::bytes::encode(3, &any, &mut status);
    }
    status
}

#[tokio::test]
async fn retry_info_makes_exhaustion_retryable_and_says_how_long_to_wait() {
    // RetryInfo { retry_delay: Duration { seconds: 2, nanos: 500_000_000 } }
    let delay = [0x0a, 0x08, 0x08, 0x02, 0x10, 0x80, 0xca, 0xb5, 0xee, 0x01];
    let info = ("type.googleapis.com/google.rpc.RetryInfo", &delay[..]);
    let other = ("type.googleapis.com/google.rpc.DebugInfo", &b"\x0a\x01x"[..]);
    for code in [Code::ResourceExhausted, Code::Unavailable, Code::InvalidArgument] {
        let status = Status::with_details(code, "", Bytes::from(rpc_status(&[other, info])));
        let (_stop, endpoint) = Peer::answering(Err(status)).start().await;
        let error = client(&endpoint).export(request(&["one"])).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_millis(2500)));
        assert_eq!(error.retryable(), code != Code::InvalidArgument);
    }
    for details in [rpc_status(&[other]), rpc_status(&[]), b"garbage".to_vec()] {
        let status = Status::with_details(Code::ResourceExhausted, "", Bytes::from(details));
        let (_stop, endpoint) = Peer::answering(Err(status)).start().await;
        let error = client(&endpoint).export(request(&["one"])).await.unwrap_err();
        assert_eq!((error.retry_after(), error.retryable()), (None, false));
    }
}

#[tokio::test]
async fn details_that_are_not_base64_do_not_panic() {
    // tonic's own server encodes them, so this peer is an HTTP/2 server without it.
    for in_trailers in [false, true] {
        let (_stop, endpoint) = support::net::serve_status_details("!not base64!", in_trailers).await;
        let error = client(&endpoint).export(request(&["one"])).await.unwrap_err();
        assert_eq!((error.code(), error.retry_after()), (Code::ResourceExhausted, None));
    }
}

#[tokio::test]
async fn a_peer_that_is_not_there_is_unavailable_until_it_is() {
    let address = {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let client = client(&format!("http://{address}"));
    let error = client.export(request(&["one"])).await.unwrap_err();
    assert_eq!((error.code(), error.answered(), error.retryable()), (Code::Unavailable, false, true));

    let peer = Peer::default();
    let _stop = support::net::serve_at(TraceServiceServer::new(peer.clone()), address).await;
    client.export(request(&["one"])).await.unwrap();
    assert_eq!(peer.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_is_retryable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let _hang_up = support::net::AbortOnDrop(tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    }));
    let error = client(&endpoint).export(request(&["one"])).await.unwrap_err();
    assert_eq!((error.code(), error.answered(), error.retryable()), (Code::Unavailable, false, true));
}

#[tokio::test]
async fn a_peer_that_stays_silent_runs_into_the_timeout() {
    let peer = Peer { delay: Duration::from_secs(60), ..Peer::default() };
    let (_stop, endpoint) = peer.start().await;
    let options = ClientOptions { timeout: Duration::from_millis(100), ..ClientOptions::new(endpoint) };
    let error = Client::new(&options).unwrap().export(request(&["one"])).await.unwrap_err();
    assert!(error.retryable());
    assert!(matches!(error.code(), Code::DeadlineExceeded | Code::Unavailable | Code::Cancelled), "{error:?}");
}

#[tokio::test]
async fn secrets_in_headers_and_endpoints_are_never_shown() {
    let options = ClientOptions {
        headers: vec![("authorization".to_owned(), SecretString::from("Bearer hunter2"))],
        ..ClientOptions::new("http://user:hunter2@127.0.0.1:1")
    };
    let client = Client::new(&options).unwrap();
    let error = client.export(request(&["one"])).await.unwrap_err();
    assert!(!format!("{options:?} {client:?} {error:?} {error}").contains("hunter2"));

    for (name, value) in [("bad name", "hunter2"), ("authorization", "hunter2\n"), ("data-bin", "hunter2")] {
        let headers = vec![(name.to_owned(), SecretString::from(value))];
        let error = Client::new(&ClientOptions { headers, ..options.clone() }).unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hunter2"));
    }
}
