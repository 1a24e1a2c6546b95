//! Each of OpenTelemetry's variables that is honoured, seen by a real receiver.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use support::http_receiver::HttpReceiver;
use support::receiver::{Behaviour, Receiver};
use veilspan::environment::Warning;
use veilspan::export::{ExporterConfig, Protocol};
use veilspan::intake::Drop;
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(20);

fn config(variables: &[(&str, &str)]) -> (ExporterConfig, Vec<Warning>) {
    ExporterConfig::from_environment(&variables.iter().copied().collect())
}

fn recorder(variables: &[(&str, &str)]) -> Recorder {
    let (config, warnings) = config(variables);
    assert!(warnings.is_empty(), "{warnings:?}");
    Recorder::exporting(&config, Policy::builder().build_in(&Default::default()).0).unwrap()
}

fn delivers(variables: &[(&str, &str)], timeout: Duration) -> bool {
    let recorder = recorder(variables);
    recorder.tool("t").start().finish();
    recorder.shutdown(timeout).complete
}

fn set<'a>(receiver: &str, more: &[(&'a str, &'a str)]) -> Vec<(&'a str, String)> {
    let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
    std::iter::once(("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.to_owned())).chain(more).collect()
}

fn borrowed<'a>(variables: &'a [(&'a str, String)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

#[test]
fn a_compression_is_one_that_the_receiver_reads_and_an_unknown_one_is_none() {
    for word in ["gzip", "ZSTD"] {
        let receiver = Receiver::start(Behaviour::Accept);
        let variables = set(&receiver.url(), &[("OTEL_EXPORTER_OTLP_COMPRESSION", word)]);
        assert!(delivers(&borrowed(&variables), SOON));
        assert_eq!(receiver.headers()[0].get("grpc-encoding").unwrap(), &*word.to_ascii_lowercase());
        assert_eq!(receiver.spans().len(), 1);
    }
    let (config, warnings) = config(&[("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli")]);
    assert!(config.compression.is_none() && warnings.len() == 1);
}

#[test]
fn an_endpoint_without_a_scheme_is_secure_unless_it_is_said_not_to_be() {
    let receiver = Receiver::start(Behaviour::Accept);
    let address = receiver.address.to_string();
    assert!(config(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &address)]).0.endpoint.starts_with("https://"));
    let variables = set(&address, &[("OTEL_EXPORTER_OTLP_INSECURE", "true")]);
    assert!(delivers(&borrowed(&variables), SOON));
    let variables = set(&address, &[("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "TRUE")]);
    assert!(delivers(&borrowed(&variables), SOON));
}

#[test]
fn requests_go_by_the_protocol_that_is_asked_for_and_by_grpc_where_none_is() {
    let (grpc, http) = (Receiver::start(Behaviour::Accept), HttpReceiver::start());
    assert!(delivers(&borrowed(&set(&grpc.url(), &[])), SOON));
    assert!(delivers(&borrowed(&set(&grpc.url(), &[("OTEL_EXPORTER_OTLP_PROTOCOL", "GRPC")])), SOON));
    assert!(delivers(&borrowed(&set(&http.url(), &[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")])), SOON));
    let traces = [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "HTTP/Protobuf")];
    assert!(delivers(&borrowed(&set(&http.url(), &traces)), SOON));
    assert_eq!((grpc.spans().len(), http.spans().len()), (2, 2));

    let (config, warnings) = config(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]);
    assert_eq!(config.protocol, Protocol::Grpc);
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].variable, "OTEL_EXPORTER_OTLP_PROTOCOL");
}

#[test]
fn the_service_and_its_resource_are_told_as_the_environment_has_them() {
    let receiver = Receiver::start(Behaviour::Accept);
    let resource = [
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=lost,deployment.environment.name=prod%2Feu,odd=two%20words"),
        ("OTEL_SERVICE_NAME", "zoo"),
    ];
    assert!(delivers(&borrowed(&set(&receiver.url(), &resource)), SOON));
    let told = receiver.requests()[0].resource_spans[0].resource.clone().unwrap();
    let value = |key: &str| {
        let found: Vec<_> = told.attributes.iter().filter(|attribute| attribute.key == key).collect();
        assert_eq!(found.len(), 1, "{key}");
        match found[0].value.as_ref().and_then(|value| value.value.as_ref()) {
            Some(Value::StringValue(text)) => text.clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(value("service.name"), "zoo");
    assert_eq!(value("deployment.environment.name"), "prod/eu");
    assert!(value("odd").starts_with("id:hmac-sha256:"), "what is no label leaves as its digest");
}

#[test]
fn an_exporter_of_none_and_a_disabled_sdk_switch_the_recorder_off() {
    assert!(config(&[("OTEL_TRACES_EXPORTER", "none")]).0.disabled);
    assert!(config(&[("OTEL_SDK_DISABLED", "True")]).0.disabled);
    assert!(!config(&[("OTEL_TRACES_EXPORTER", "otlp"), ("OTEL_SDK_DISABLED", "false")]).0.disabled);
}

#[test]
fn a_sampled_agent_run_is_recorded_whole_and_another_not_at_all() {
    for (sampler, argument, turns) in [
        ("always_on", "", 40..=40),
        ("parentbased_always_off", "", 0..=0),
        ("parentbased_traceidratio", "0.5", 5..=35),
        ("traceidratio", "0", 0..=0),
    ] {
        let receiver = Receiver::start(Behaviour::Accept);
        let variables =
            set(&receiver.url(), &[("OTEL_TRACES_SAMPLER", sampler), ("OTEL_TRACES_SAMPLER_ARG", argument)]);
        let recorder = recorder(&borrowed(&variables));
        for n in 0..40 {
            let turn = recorder.turn("a").rollout(&format!("rollout-{n}")).start();
            turn.tool("t").start().finish();
            turn.finish();
        }
        let counts = recorder.shutdown(SOON).counts;
        let spans = receiver.spans();
        let recorded = spans.iter().filter(|span| span.name == "invoke_agent a").count();
        assert!(turns.contains(&recorded), "{sampler}: {recorded}");
        assert_eq!(spans.len(), 2 * recorded, "calls are recorded with their turn");
        assert_eq!(counts.dropped.calls(), 0, "what is not sampled is not lost");
    }
}

#[test]
fn batches_and_queues_have_the_sizes_that_are_asked_for() {
    let receiver = Receiver::start(Behaviour::Accept);
    let variables = set(
        &receiver.url(),
        &[
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "3"),
            ("OTEL_BSP_SCHEDULE_DELAY", "50"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "100"),
        ],
    );
    let recorder_in_time = recorder(&borrowed(&variables));
    (0..7).for_each(|_| recorder_in_time.tool("t").start().finish());
    // Nobody flushes: the delay alone sends the last one.
    assert_eq!(receiver.wait_for_spans(7).len(), 7);
    let sizes = receiver.requests();
    assert!(sizes.iter().all(|request| request.resource_spans[0].scope_spans[0].spans.len() <= 3));

    let stalled = Receiver::start(Behaviour::Stall);
    let variables = set(&stalled.url(), &[("OTEL_BSP_MAX_QUEUE_SIZE", "4")]);
    let recorder = recorder(&borrowed(&variables));
    (0..10).for_each(|_| recorder.tool("t").start().finish());
    recorder.shutdown(Duration::from_millis(400));
    let deadline = Instant::now() + SOON;
    while recorder.counts().dropped.calls() < 10 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(recorder.counts().dropped.of(Drop::ExportQueueFull), 6);
}

#[test]
fn the_shorter_of_two_time_outs_holds() {
    let timeouts = |otlp: &str, bsp: &str| {
        config(&[("OTEL_EXPORTER_OTLP_TIMEOUT", otlp), ("OTEL_BSP_EXPORT_TIMEOUT", bsp)]).0.timeout.as_millis()
    };
    assert_eq!(timeouts("5000", "30000"), 5000);
    assert_eq!(timeouts("5000", "700"), 700);
    assert_eq!(config(&[]).0.timeout.as_millis(), 10_000);
}
