//! The recorder's own counters as OpenTelemetry metrics, at a real receiver and in a provider of the host's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]
#![cfg(feature = "sdk")]

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_server::{
    MetricsService, MetricsServiceServer,
};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, PeriodicReader, SdkMeterProvider};
use prost::Message;
use support::http_receiver::HttpReceiver;
use support::leaks::holds;
use support::receiver::{Behaviour, Receiver};
use tonic::{Code, Request, Response, Status};
use veilspan::export::{ExporterConfig, MetricsConfig, Protocol};
use veilspan::otlp::ClientOptions;
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(20);

/// A receiver of metrics over gRPC.
#[derive(Clone, Default)]
struct Metrics {
    requests: Arc<Mutex<Vec<ExportMetricsServiceRequest>>>,
    refusal: Option<Status>,
}

#[tonic::async_trait]
impl MetricsService for Metrics {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        self.requests.lock().unwrap().push(request.into_inner());
        self.refusal.clone().map_or_else(|| Ok(Response::new(ExportMetricsServiceResponse::default())), Err)
    }
}

impl Metrics {
    fn serve(&self) -> (tokio::runtime::Runtime, SocketAddr) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let service = MetricsServiceServer::new(self.clone());
        let incoming = tonic::transport::server::TcpIncoming::from(listener);
        runtime.spawn(tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming));
        (runtime, address)
    }

    fn last(&self) -> BTreeMap<String, i64> {
        self.requests.lock().unwrap().last().map(told).unwrap_or_default()
    }
}

/// The words of a data point: its metric, and what went wrong.
fn word(name: &str, attributes: &[KeyValue]) -> String {
    let text = |key: &str| {
        let found = attributes.iter().find(|attribute| attribute.key == key)?;
        match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(text) => Some(text.clone()),
            _ => None,
        }
    };
    assert_eq!(text("otel.component.type").as_deref(), Some("veilspan"));
    assert!(text("otel.component.name").unwrap().starts_with("veilspan/"));
    text("error.type").map_or_else(|| name.to_owned(), |error| format!("{name} {error}"))
}

fn told(request: &ExportMetricsServiceRequest) -> BTreeMap<String, i64> {
    let scopes = request.resource_metrics.iter().flat_map(|resource| &resource.scope_metrics);
    let mut told = BTreeMap::new();
    for metric in scopes.flat_map(|scope| &scope.metrics) {
        let Some(Data::Sum(sum)) = &metric.data else { panic!("{}: not a sum", metric.name) };
        assert!(!metric.unit.is_empty() && !metric.description.is_empty(), "{}", metric.name);
        assert_eq!(sum.is_monotonic, !metric.name.ends_with("queue.size"), "{}", metric.name);
        for point in &sum.data_points {
            let Some(number_data_point::Value::AsInt(value)) = point.value else {
                panic!("{}: no integer", metric.name)
            };
            told.insert(word(&metric.name, &point.attributes), value);
        }
    }
    told
}

fn policy() -> Policy {
    Policy::builder().build_in(&Default::default()).0
}

fn config(spans: String, peer: ClientOptions, interval: Duration) -> ExporterConfig {
    let mut config = ExporterConfig::default();
    config.endpoint = spans;
    config.batch_delay = Duration::from_millis(20);
    let mut metrics = MetricsConfig::new(peer);
    metrics.interval = interval;
    config.metrics = Some(metrics);
    config
}

fn record(recorder: &Recorder, calls: usize) {
    for _ in 0..calls {
        recorder.inference("openai", "a model with blanks").input("a planted canary text").start().finish();
    }
}

fn until(what: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + SOON;
    while !what() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

#[test]
fn every_counter_arrives_at_a_receiver_of_metrics_and_the_last_ones_tell_how_it_ended() {
    let metrics = Metrics::default();
    let (_runtime, address) = metrics.serve();
    let receiver = Receiver::start(Behaviour::RefuseFirst(1, Status::unavailable("")));
    let peer = ClientOptions::new(format!("http://{address}"));
    let mut config = config(receiver.url(), peer, Duration::from_millis(100));
    config.resource = vec![("service.name".to_owned(), "zoo".to_owned())];
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    record(&recorder, 7);
    assert!(until(|| metrics.last().get("otel.sdk.exporter.span.exported") == Some(&7)), "{:?}", metrics.last());
    receiver.behave(Behaviour::Refuse(Status::new(Code::InvalidArgument, "")));
    record(&recorder, 5);
    let counts = recorder.shutdown(SOON).counts;
    let last = metrics.last();
    let value = |name: &str| last.get(name).copied();
    for (name, expected) in [
        ("otel.sdk.span.started", counts.started),
        ("otel.sdk.processor.span.processed", counts.recorded),
        ("otel.sdk.processor.span.queue.size", 0),
        ("otel.sdk.exporter.span.exported", 7),
        ("otel.sdk.exporter.span.exported peer_refused", 5),
        ("veilspan.lost peer_refused", 5),
        ("veilspan.export.retries", counts.retries),
        ("veilspan.label.replaced", counts.labels_replaced),
        ("veilspan.spool.written", 0),
        ("veilspan.spool.set_aside", 0),
        ("veilspan.result.refused tool_mismatch", 0),
    ] {
        assert_eq!(value(name), Some(i64::try_from(expected).unwrap()), "{name}: {last:?}");
    }
    assert!(counts.labels_replaced > 0 && counts.retries > 0);
    let requests = metrics.requests.lock().unwrap();
    let resource = requests[0].resource_metrics[0].resource.as_ref().unwrap();
    for key in ["service.name", "telemetry.sdk.name", "veilspan.producer.id"] {
        assert!(resource.attributes.iter().any(|attribute| attribute.key == key), "{key}");
    }
    for request in &*requests {
        assert!(!holds(&request.encode_to_vec(), "canary") && !holds(&request.encode_to_vec(), "with blanks"));
    }
}

#[test]
fn metrics_arrive_over_http_where_that_is_asked_for() {
    let receiver = Receiver::start(Behaviour::Accept);
    let metrics = HttpReceiver::start();
    let peer = ClientOptions {
        protocol: Protocol::HttpProtobuf,
        headers: vec![("authorization".to_owned(), "Bearer zebras".into())],
        ..ClientOptions::new(format!("http://{}/base/v1/metrics", metrics.address))
    };
    let recorder = Recorder::exporting(&config(receiver.url(), peer, Duration::from_secs(3600)), policy()).unwrap();
    record(&recorder, 3);
    assert!(recorder.shutdown(SOON).complete);
    let seen = metrics.seen();
    assert_eq!((seen.len(), seen[0].uri.path()), (1, "/base/v1/metrics"));
    assert_eq!(seen[0].header("authorization"), Some("Bearer zebras"));
    let told = told(&ExportMetricsServiceRequest::decode(&*seen[0].plain()).unwrap());
    assert_eq!(told["otel.sdk.exporter.span.exported"], 3);
}

#[test]
fn a_receiver_that_takes_no_metrics_costs_no_span_and_delays_no_shutdown() {
    let receiver = Receiver::start(Behaviour::Accept);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", nobody.local_addr().unwrap());
    for peer in [receiver.url(), silent] {
        let config = config(receiver.url(), ClientOptions::new(peer), Duration::from_millis(50));
        let recorder = Recorder::exporting(&config, policy()).unwrap();
        let before = receiver.spans().len();
        record(&recorder, 10);
        assert!(recorder.flush(SOON).complete);
        let started = Instant::now();
        recorder.shutdown(Duration::from_secs(1));
        drop(recorder);
        assert!(started.elapsed() < SOON / 2);
        assert_eq!(receiver.spans().len() - before, 10);
    }
}

#[test]
fn a_provider_of_the_hosts_is_told_the_same_as_long_as_the_recorder_lives() {
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_reader(PeriodicReader::builder(exporter.clone()).build()).build();
    let receiver = Receiver::start(Behaviour::Accept);
    let mut config = ExporterConfig::default();
    config.endpoint = receiver.url();
    let (one, other) =
        (Recorder::exporting(&config, policy()).unwrap(), Recorder::exporting(&config, policy()).unwrap());
    Recorder::disabled().tell_metrics(&provider);
    one.tell_metrics(&provider);
    other.tell_metrics(&provider);
    record(&one, 4);
    record(&other, 5);
    assert!(one.flush(SOON).complete && other.flush(SOON).complete);
    provider.force_flush().unwrap();
    let sent = || {
        let mut values = Vec::new();
        let finished = exporter.get_finished_metrics().unwrap();
        for metric in finished.last().unwrap().scope_metrics().flat_map(|scope| scope.metrics()) {
            if metric.name() == "otel.sdk.exporter.span.exported"
                && let AggregatedMetrics::U64(MetricData::Sum(sum)) = metric.data()
            {
                values.extend(sum.data_points().map(|point| point.value()));
            }
        }
        values.sort_unstable();
        values
    };
    assert_eq!(sent(), [4, 5]);
    one.shutdown(SOON);
    drop(one);
    record(&other, 1);
    assert!(other.flush(SOON).complete);
    exporter.reset();
    assert!(until(|| {
        provider.force_flush().unwrap();
        !exporter.get_finished_metrics().unwrap().is_empty() && sent() == [6]
    }));
}
