//! OTLP over HTTP: the same answers in HTTP's own words.

use std::io::Write;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tonic::Status;
use veilspan::collector::{Processor, Stage};
use veilspan::otlp::{Client, ClientOptions, GateLimits, Protocol, Segments};

use crate::build::*;
use crate::support::http_receiver::HttpReceiver;
use crate::support::receiver::{Behaviour, Receiver};

fn listening(next: &str, size: usize) -> veilspan::collector::Config {
    yaml(
        "receivers: {otlp: {protocols: {http: {endpoint: \"127.0.0.1:0\", max_request_body_size: \"${env:SIZE}\"}}}}\n\
         processors: {privacy: {}, reduce: {}}\n\
         exporters: {otlp: {endpoint: \"${env:NEXT}\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], processors: [privacy, reduce], exporters: [otlp]}}}\n",
        &[("NEXT", next), ("SIZE", &size.to_string())],
    )
}

fn start(next: &str) -> Stage {
    Stage::builder(listening(next, 1 << 20)).policy(policy()).start().unwrap()
}

fn post(stage: &Stage) -> reqwest::RequestBuilder {
    let url = format!("http://{}/v1/traces", stage.address());
    reqwest::Client::new().post(url).header("content-type", "application/x-protobuf")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_over_http_comes_out_over_grpc_plain_and_compressed() {
    let receiver = Receiver::start(Behaviour::Accept);
    let stage = start(&receiver.url());
    let body = plain();
    for (encoding, packed) in
        [("identity", body.clone()), ("gzip", gzip(&body)), ("zstd", zstd::encode_all(&*body, 3).unwrap())]
    {
        let answer = post(&stage).header("content-encoding", encoding).body(packed).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{encoding}");
        assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
        let answer = ExportTraceServiceResponse::decode(answer.bytes().await.unwrap()).unwrap();
        assert_eq!(answer.partial_success, None);
    }
    assert_eq!(receiver.spans().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_exporter_speaks_to_it_and_out_over_http_goes_what_came_in() {
    let receiver = HttpReceiver::start();
    let next = format!("{}/v1/traces", receiver.url());
    let config = yaml(
        "receivers: {otlp: {protocols: {http: {endpoint: \"127.0.0.1:0\"}}}}\n\
         exporters: {otlphttp: {traces_endpoint: \"${env:NEXT}\", compression: gzip}}\n\
         service: {pipelines: {traces: {receivers: [otlp], privacy: off, exporters: [otlphttp]}}}\n",
        &[("NEXT", &next)],
    );
    let stage = Stage::builder(config).policy(policy()).start().unwrap();
    let mut options = ClientOptions::new(format!("http://{}/v1/traces", stage.address()));
    options.protocol = Protocol::HttpProtobuf;
    let client = Client::new(&options).unwrap();
    let accepted = client.export(Segments::from(bytes::Bytes::from(plain()))).await.unwrap();
    assert_eq!(accepted.rejected_spans, 0);
    let seen = receiver.seen();
    assert_eq!(seen[0].message().encode_to_vec(), plain());
    assert_eq!(seen[0].header("content-encoding"), Some("gzip"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_with_the_status_that_says_so() {
    let receiver = Receiver::start(Behaviour::Accept);
    let stage = Stage::builder(listening(&receiver.url(), 4096)).policy(policy()).start().unwrap();
    let base = format!("http://{}", stage.address());
    let client = reqwest::Client::new();
    let large = request(&vec![vec![0x2a; 3]; 5000], &[]);
    let cases = [
        (client.get(format!("{base}/v1/traces")), 405),
        (client.post(format!("{base}/v1/logs")), 404),
        (client.post(format!("{base}/v1/traces")).body("{}").header("content-type", "application/json"), 415),
        (post(&stage).body("x").header("content-encoding", "br"), 415),
        (post(&stage).body(vec![0xff; 20]), 400),
        (post(&stage).body(vec![0xff; 20]).header("content-encoding", "gzip"), 400),
        (post(&stage).body(large.clone()), 413),
        (post(&stage).body(gzip(&large)).header("content-encoding", "gzip"), 413),
        (post(&stage).body(plain()).header("origin", "http://127.0.0.1"), 403),
        (post(&stage).body(plain()).header("host", "evil.example"), 421),
    ];
    for (place, (request, status)) in cases.into_iter().enumerate() {
        assert_eq!(request.send().await.unwrap().status(), status, "case {place}");
    }
    assert!(receiver.spans().is_empty());
    assert_eq!(metric(&stage, "veilspan_requests_not_read_total{reason=\"too_large\"}"), 2);
    assert_eq!(metric(&stage, "veilspan_receiver_requests_misdirected_total{receiver=\"otlp\",protocol=\"http\"}"), 2);
    assert_eq!(post(&stage).body(plain()).send().await.unwrap().status(), 200);
}

/// More than the buffers of both ends hold: whoever is not heard out meets a closed connection instead of an answer.
#[test]
fn who_sends_too_much_is_told_so_when_all_is_sent() {
    let receiver = Receiver::start(Behaviour::Accept);
    let stage = Stage::builder(listening(&receiver.url(), 4096)).policy(policy()).start().unwrap();
    for length in [100_000, 24 << 20] {
        let mut caller = std::net::TcpStream::connect(stage.address()).unwrap();
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-protobuf\r\ncontent-length: {length}\r\n\r\n",
            stage.address()
        );
        caller.write_all(head.as_bytes()).unwrap();
        caller.write_all(&vec![0; length]).unwrap();
        let mut answer = [0; 12];
        std::io::Read::read_exact(&mut caller, &mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413");
    }
}

/// A caller who asks first, as curl does, sends nothing in vain.
#[test]
fn who_asks_before_sending_too_much_is_refused_and_not_told_to_go_on() {
    let receiver = Receiver::start(Behaviour::Accept);
    let stage = Stage::builder(listening(&receiver.url(), 4096)).policy(policy()).start().unwrap();
    for (length, first) in [(24 << 20, b"HTTP/1.1 413"), (100, b"HTTP/1.1 100")] {
        let mut caller = std::net::TcpStream::connect(stage.address()).unwrap();
        let head = format!(
            "POST /v1/traces HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-protobuf\r\nexpect: 100-continue\r\n\
             content-length: {length}\r\n\r\n",
            stage.address()
        );
        caller.write_all(head.as_bytes()).unwrap();
        let mut answer = [0; 12];
        std::io::Read::read_exact(&mut caller, &mut answer).unwrap();
        assert_eq!(&answer, first);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_below_is_told_above_in_the_words_of_http() {
    let receiver = Receiver::start(Behaviour::Accept);
    let stage = start(&receiver.url());
    for (refusal, status) in [
        (Status::unavailable("words"), 503),
        (Status::permission_denied("words"), 403),
        (Status::unauthenticated("words"), 401),
        (Status::resource_exhausted("words"), 413),
        (Status::internal("words"), 500),
    ] {
        receiver.behave(Behaviour::Refuse(refusal));
        let answer = post(&stage).body(plain()).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert!(!answer.text().await.unwrap().contains("words"));
    }
    receiver.behave(Behaviour::Reject(1));
    let answer = post(&stage).body(plain()).send().await.unwrap();
    let answer = ExportTraceServiceResponse::decode(answer.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_a_caller_is_asked_to_come_again_over_both_protocols() {
    let mut limits = GateLimits::default();
    limits.bytes = 1000;
    let config = yaml(
        "receivers: {otlp: {protocols: {http: {endpoint: \"127.0.0.1:0\"}, grpc: {endpoint: \"127.0.0.1:0\"}}}}\n\
         exporters: {otlp: {endpoint: \"http://127.0.0.1:1\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n",
        &[],
    );
    let stage = Stage::builder(config).policy(policy()).gate(limits).start().unwrap();
    let body = request(&[span(&"x".repeat(2000), Vec::new()).encode_to_vec()], &[]);
    let url = format!("http://{}/v1/traces", address(&stage, "otlp/http"));
    let http = reqwest::Client::new().post(url).header("content-type", "application/x-protobuf").body(body.clone());
    let answer = http.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"].to_str().unwrap()), (429, &"1"));
    let client = Client::new(&ClientOptions::new(format!("http://{}", address(&stage, "otlp/grpc")))).unwrap();
    let error = client.export(Segments::from(bytes::Bytes::from(body))).await.unwrap_err();
    assert!(error.retryable());
    assert_eq!(error.retry_after(), Some(Duration::from_secs(1)));
    assert_eq!(metric(&stage, "veilspan_requests_not_read_total{reason=\"no_room\"}"), 2);
    assert_eq!(metric(&stage, "veilspan_requests_bytes"), 0, "what was taken is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_takes_gzip_and_zstd_and_says_which_where_it_is_another() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
    use tonic::codec::CompressionEncoding;
    let (stage, capture) = capturing(&[Processor::Privacy]);
    let request = ExportTraceServiceRequest::decode(&*plain()).unwrap();
    let client = TraceServiceClient::connect(format!("http://{}", stage.address())).await.unwrap();
    client.clone().send_compressed(CompressionEncoding::Gzip).export(request.clone()).await.unwrap();
    let framed = |flag: u8, message: &[u8]| [&[flag][..], &(message.len() as u32).to_be_bytes(), message].concat();
    let channel = tonic::transport::Endpoint::from_shared(format!("http://{}", stage.address())).unwrap();
    let channel = channel.connect().await.unwrap();
    for (encoding, flag, message, status) in [
        ("zstd", 1, zstd::encode_all(&*plain(), 1).unwrap(), "0"),
        ("zstd", 0, plain(), "0"),
        ("snappy", 1, plain(), "12"),
        ("gzip", 1, plain(), "3"),
        ("identity", 1, plain(), "3"),
        ("identity", 7, plain(), "3"),
    ] {
        use tonic::codegen::{Body as _, Service as _};
        let body = tonic::body::Body::new(http_body_util::Full::new(bytes::Bytes::from(framed(flag, &message))));
        let request = tonic::codegen::http::Request::post(format!(
            "http://{}/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            stage.address()
        ))
        .header("content-type", "application/grpc")
        .header("grpc-encoding", encoding)
        .body(body)
        .unwrap();
        let mut channel = channel.clone();
        std::future::poll_fn(|cx| channel.poll_ready(cx)).await.unwrap();
        let mut response = channel.call(request).await.unwrap();
        if status == "12" {
            assert_eq!(response.headers()["grpc-accept-encoding"], "identity,gzip,zstd");
        }
        let mut found = response.headers().get("grpc-status").cloned();
        while let Some(frame) = {
            let mut body = std::pin::Pin::new(response.body_mut());
            std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await
        } {
            if let Some(trailers) = frame.unwrap().trailers_ref() {
                found = trailers.get("grpc-status").cloned();
            }
        }
        assert_eq!(found.unwrap(), status, "{encoding} {flag}");
    }
    assert_eq!(capture.requests().len(), 3);
}
