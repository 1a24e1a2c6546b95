//! What whoever runs it can see and do: health, metrics, an orderly end.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use tonic::Code;
use veilspan::collector::{Processor, Stage};

use crate::build::*;
use crate::support::receiver::{Behaviour, Receiver};

fn get(address: SocketAddr, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[derive(Clone, PartialEq, prost::Message)]
struct Ask {
    #[prost(string, tag = "1")]
    service: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Told {
    #[prost(int32, tag = "1")]
    status: i32,
}

async fn health(address: SocketAddr, service: &str) -> Result<i32, Code> {
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}")).unwrap();
    let mut grpc = tonic::client::Grpc::new(endpoint.connect().await.map_err(|_| Code::Unavailable)?);
    grpc.ready().await.map_err(|_| Code::Unavailable)?;
    let path = "/grpc.health.v1.Health/Check".parse().unwrap();
    let codec = tonic_prost::ProstCodec::<Ask, Told>::default();
    let answer = grpc.unary(tonic::Request::new(Ask { service: service.to_owned() }), path, codec).await;
    answer.map(|told| told.into_inner().status).map_err(|status| status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_over_grpc_and_http_and_metrics_count_what_happened() {
    let receiver = Receiver::start(Behaviour::Accept);
    let config = yaml(
        "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}}\n\
         processors: {reduce: {}}\n\
         exporters: {otlp: {endpoint: \"${env:NEXT}\"}}\n\
         service:\n  telemetry: {metrics: {address: \"127.0.0.1:0\"}}\n\
         \x20 pipelines: {traces: {receivers: [otlp], processors: [reduce], exporters: [otlp]}}\n",
        &[("NEXT", &receiver.url())],
    );
    let stage = Stage::builder(config).policy(policy()).start().unwrap();
    assert_eq!(health(stage.address(), "").await, Ok(1));
    assert_eq!(health(stage.address(), "opentelemetry.proto.collector.trace.v1.TraceService").await, Ok(1));
    assert_eq!(health(stage.address(), "canary").await, Err(Code::NotFound));
    let bad = vec![0x0a, 0x7f, 1];
    send(&stage, request(&[prost::Message::encode_to_vec(&span("a", Vec::new())), bad], &[])).await.unwrap();
    send(&stage, vec![0xff; 8]).await.unwrap_err();
    let telemetry = stage.telemetry().unwrap();
    let pages = tokio::task::spawn_blocking(move || {
        ["/healthz", "/metrics", "/nothing"].map(|path| get(telemetry, path, "127.0.0.1"))
    });
    let [healthz, metrics, nothing] = pages.await.unwrap();
    assert!(healthz.starts_with("HTTP/1.1 200") && healthz.ends_with("serving\n"), "{healthz}");
    assert!(nothing.starts_with("HTTP/1.1 404"), "{nothing}");
    for line in [
        "veilspan_up 1",
        "veilspan_pipeline_spans_total{pipeline=\"traces\"} 1",
        "veilspan_pipeline_spans_unreadable_total{pipeline=\"traces\"} 1",
        "veilspan_pipeline_requests_unreadable_total{pipeline=\"traces\"} 1",
        "veilspan_exporter_requests_total{pipeline=\"traces\",exporter=\"otlp\"} 1",
        "veilspan_reduce_open_rollouts{pipeline=\"traces\"} 0",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line} in {metrics}");
    }
    let rebound = tokio::task::spawn_blocking(move || get(telemetry, "/metrics", "evil.example")).await.unwrap();
    assert!(rebound.starts_with("HTTP/1.1 421"), "{rebound}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_a_stage_is_told_when_it_stops_and_keeps_it_from_nothing() {
    let (stage, _) = capturing(&[Processor::Privacy]);
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", stage.address())).unwrap();
    let channel = endpoint.connect().await.unwrap();
    let watch = async |service: &str| {
        let mut grpc = tonic::client::Grpc::new(channel.clone());
        grpc.ready().await.unwrap();
        let path = "/grpc.health.v1.Health/Watch".parse().unwrap();
        let codec = tonic_prost::ProstCodec::<Ask, Told>::default();
        let ask = tonic::Request::new(Ask { service: service.to_owned() });
        grpc.server_streaming(ask, path, codec).await.unwrap().into_inner()
    };
    let mut whole = watch("").await;
    let mut traces = watch("opentelemetry.proto.collector.trace.v1.TraceService").await;
    let mut canary = watch("canary").await;
    for (stream, status) in [(&mut whole, 1), (&mut traces, 1), (&mut canary, 3)] {
        assert_eq!(stream.message().await.unwrap(), Some(Told { status }));
    }
    let stopped = tokio::task::spawn_blocking(move || stage.shutdown(3 * SOON));
    for stream in [&mut whole, &mut traces, &mut canary] {
        assert_eq!(stream.message().await.unwrap(), Some(Told { status: 2 }));
        assert_eq!(stream.message().await.unwrap_err().code(), Code::Unavailable);
    }
    assert_eq!(stopped.await.unwrap(), Default::default());
}

#[test]
fn every_metric_has_help_and_a_type_and_stands_once() {
    let (stage, _) = capturing(&[Processor::Privacy, Processor::Reduce]);
    let page = stage.metrics();
    let mut types: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let count = types.len();
    assert_eq!(count, page.lines().filter(|line| line.starts_with("# HELP ")).count());
    types.sort_unstable();
    types.dedup();
    assert_eq!(types.len(), count);
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(types.iter().any(|known| known.split(' ').next() == Some(name)), "{line}");
        assert!(line.rsplit(' ').next().unwrap().parse::<u64>().is_ok(), "{line}");
        assert!(line.contains("_total") == types.iter().any(|known| *known == format!("{name} counter")), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_stops_answers_what_it_has_and_takes_no_more() {
    let receiver = Receiver::start(Behaviour::Stall);
    let stage = stage(&[Processor::Privacy], receiver.url());
    let address = stage.address();
    let client = veilspan::otlp::Client::new(&veilspan::otlp::ClientOptions::new(format!("http://{address}"))).unwrap();
    let waiting = tokio::spawn(async move { client.export(bytes::Bytes::from(plain()).into()).await });
    let open = "veilspan_receiver_requests{receiver=\"otlp\",protocol=\"grpc\"}";
    let stage = tokio::task::spawn_blocking(move || {
        eventually("the request is with the next hop", || metric(&stage, open) == 1);
        stage
    });
    let stage = stage.await.unwrap();
    let left = tokio::task::spawn_blocking(move || stage.shutdown(Duration::from_millis(600))).await.unwrap();
    assert_eq!(left.requests_cut_off, 1);
    assert!(waiting.await.unwrap().unwrap_err().retryable());
    assert!(TcpStream::connect(address).is_err(), "nobody listens any more");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_does_not_keep_a_stage_from_stopping() {
    let (stage, _) = capturing(&[Processor::Privacy]);
    send(&stage, plain()).await.unwrap();
    let mut silent = TcpStream::connect(stage.address()).unwrap();
    silent.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    let left = tokio::task::spawn_blocking(move || {
        eventually("it is connected", || {
            metric(&stage, "veilspan_receiver_connections{receiver=\"otlp\",protocol=\"grpc\"}") > 0
        });
        let began = std::time::Instant::now();
        (stage.shutdown(3 * SOON), began.elapsed())
    });
    let (left, took) = left.await.unwrap();
    assert_eq!(left, Default::default());
    assert!(took < 2 * SOON, "it did not wait for the deadline");
}
