//! `sdk_exporter` delivers, whatever its host does with its threads.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};

use crate::support::http_receiver::{Answer, HttpReceiver};
use crate::support::leaks::holds;
use crate::support::receiver::{Behaviour, Receiver, text};

/// Runs one of the `hosts` in a process of its own, and answers what it has printed.
fn host(name: &str, endpoint: &str) -> String {
    host_under(name, &[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)])
}

fn host_under(name: &str, variables: &[(&str, &str)]) -> String {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", &format!("hosts::{name}")])
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            child.kill().unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let output = child.wait_with_output().unwrap();
    let printed = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap()).concat();
    assert!(output.status.success() && printed.contains("1 passed"), "{name}: {printed}");
    printed
}

fn assert_delivers(name: &str, behaviour: Behaviour) {
    let receiver = Receiver::start(behaviour);
    host(name, &receiver.url());
    let spans = receiver.spans();
    assert_eq!(spans.len(), 2, "{name}");
    assert!(text(&spans[0], "gen_ai.prompt").is_none());
    assert!(spans.iter().all(|span| text(span, "veilspan.input.chain").is_some()));
    assert!(!holds(&receiver.bytes(), "quiet zebras"));
}

#[test]
fn it_delivers_without_a_runtime() {
    assert_delivers("without_a_runtime", Behaviour::Accept);
}

#[test]
fn it_delivers_while_a_host_blocks_its_single_thread() {
    assert_delivers("on_a_single_thread", Behaviour::Accept);
}

#[test]
fn it_delivers_while_a_host_blocks_its_only_worker() {
    assert_delivers("on_the_only_worker", Behaviour::Accept);
}

#[test]
fn it_tries_again_while_a_host_blocks_its_single_thread_in_an_export() {
    let refusal = tonic::Status::unavailable("busy");
    assert_delivers("in_the_exporting_thread_itself", Behaviour::RefuseFirst(1, refusal));
}

#[test]
fn it_may_be_dropped_inside_of_a_runtime() {
    host("that_drops_what_it_has_made", "http://localhost:4317");
}

/// The variables of `opentelemetry_otlp`'s own, and those that it does not read.
const ALL: [(&str, &str); 4] = [
    ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20zebras,x-scope=team-a"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "3000"),
    ("OTEL_SERVICE_NAME", "zoo"),
];

#[test]
fn it_sends_over_http_with_the_headers_that_were_asked_for_and_shows_neither_them_nor_the_path() {
    let receiver = HttpReceiver::start();
    let endpoint = format!("http://me:zebras@{}/zebras/traces?zebras=1", receiver.address);
    let http = [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint)];
    let printed = host_under("that_logs_all_it_hears", &[&http[..], &ALL].concat());
    assert!(printed.contains("redacting; of what is said digests"), "{printed}");
    assert!(!printed.contains("zebras"), "{printed}");
    let seen = receiver.seen();
    assert_eq!(receiver.spans().len(), 2);
    assert_eq!(seen[0].uri.path(), "/zebras/traces");
    for (name, value) in [
        ("authorization", "Bearer zebras"),
        ("x-scope", "team-a"),
        ("content-encoding", "gzip"),
        ("content-type", "application/x-protobuf"),
    ] {
        let values: Vec<_> = seen[0].headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name}");
    }
    let resource = seen[0].message().resource_spans[0].resource.clone().unwrap();
    assert!(resource.attributes.iter().any(|attribute| attribute.key == "service.name"));
}

#[test]
fn it_sends_over_grpc_with_the_headers_that_were_asked_for() {
    let receiver = Receiver::start(Behaviour::Accept);
    let url = receiver.url();
    let printed = host_under("that_logs_all_it_hears", &[&[("OTEL_EXPORTER_OTLP_ENDPOINT", &*url)][..], &ALL].concat());
    assert!(!printed.contains("zebras"), "{printed}");
    let headers = &receiver.headers()[0];
    for (name, value) in [("authorization", "Bearer zebras"), ("x-scope", "team-a"), ("grpc-encoding", "gzip")] {
        let values: Vec<_> = headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{name}");
    }
    assert_eq!(receiver.spans().len(), 2);
}

#[test]
fn over_http_no_word_of_the_peer_is_logged() {
    let partial_success = ExportTracePartialSuccess { rejected_spans: 1, error_message: "peculiar words".to_owned() };
    let rejecting = Answer::protobuf(200, &ExportTraceServiceResponse { partial_success: Some(partial_success) });
    for answer in [Answer::of(400).saying("peculiar words"), rejecting] {
        let receiver = HttpReceiver::answering(answer);
        let url = receiver.url();
        let http = [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &*url)];
        let printed = host_under("that_logs_all_it_hears", &http);
        assert!(receiver.seen().len() >= 2, "{printed}");
        assert!(!printed.contains("peculiar"), "{printed}");
    }
}

#[test]
#[cfg(feature = "tls")]
fn it_trusts_the_authority_that_is_named() {
    use crate::support::authority::Authority;
    let authority = Authority::new();
    let (certificate, key) = authority.sign("localhost");
    let identity = tonic::transport::Identity::from_pem(certificate, key);
    let tls = tonic::transport::ServerTlsConfig::new().identity(identity);
    let receiver = Receiver::start_with(Behaviour::Accept, Some(tls));
    let endpoint = format!("https://localhost:{}", receiver.address.port());
    let ca = authority.path("ca.pem");
    host_under(
        "without_a_runtime",
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint), ("OTEL_EXPORTER_OTLP_CERTIFICATE", &ca)],
    );
    assert_eq!(receiver.spans().len(), 2);
}

#[test]
fn a_switched_off_sdk_exports_nothing() {
    for variable in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let receiver = Receiver::start(Behaviour::Accept);
        let url = receiver.url();
        let odd = ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli");
        host_under("without_a_runtime", &[("OTEL_EXPORTER_OTLP_ENDPOINT", &*url), variable, odd]);
        assert_eq!(receiver.calls(), 0);
    }
}

#[test]
fn a_compression_that_nobody_knows_is_named_and_not_quoted() {
    let (grpc, http) = (Receiver::start(Behaviour::Accept), HttpReceiver::start());
    for (protocol, url) in [("grpc", grpc.url()), ("http/protobuf", http.url())] {
        let printed = host_under(
            "that_logs_all_it_hears",
            &[
                ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
                ("OTEL_EXPORTER_OTLP_ENDPOINT", &url),
                ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "zebras"),
                ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ],
        );
        assert!(printed.contains("variable=OTEL_EXPORTER_OTLP_TRACES_COMPRESSION"), "{printed}");
        assert!(!printed.contains("zebras"), "{printed}");
    }
    assert_eq!((grpc.spans().len(), http.spans().len()), (2, 2));
}

#[test]
fn an_endpoint_that_cannot_be_used_is_named_and_not_quoted() {
    let printed = host("with_an_endpoint_that_is_none", "http://me:zebras@[nowhere");
    assert!(!printed.contains("zebras"), "{printed}");
}
