//! Each of OpenTelemetry's variables that is honoured, seen by a real receiver.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use support::receiver::{Behaviour, Receiver};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use veilspan::environment::Warning;
use veilspan::export::ExporterConfig;
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
fn gzip_is_what_the_receiver_reads() {
    let receiver = Receiver::start(Behaviour::Accept);
    let variables = set(&receiver.url(), &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
    assert!(delivers(&borrowed(&variables), SOON));
    assert_eq!(receiver.headers()[0].get("grpc-encoding").unwrap(), "gzip");
    assert_eq!(receiver.spans().len(), 1);
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
fn a_protocol_that_is_not_spoken_is_named() {
    let (_, warnings) = config(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]);
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].variable, "OTEL_EXPORTER_OTLP_PROTOCOL");
    assert!(config(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).1.is_empty());
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

/// A certificate authority of our own, and what it has signed, in files.
struct Authority {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("ca.pem"), certificate.pem()).unwrap();
        Self { folder, issuer: Issuer::new(params, key) }
    }

    /// The PEM of a certificate for `name`, and of its key; in files too.
    fn sign(&self, name: &str) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let pair = (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem());
        std::fs::write(self.folder.path().join(format!("{name}.pem")), &pair.0).unwrap();
        std::fs::write(self.folder.path().join(format!("{name}.key")), &pair.1).unwrap();
        pair
    }

    fn path(&self, file: &str) -> String {
        self.folder.path().join(file).to_string_lossy().into_owned()
    }

    fn pem(&self) -> String {
        std::fs::read_to_string(Path::new(&self.path("ca.pem"))).unwrap()
    }
}

#[test]
fn tls_trusts_the_authority_that_is_named_and_no_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (certificate, key) = ours.sign("localhost");
    let tls = ServerTlsConfig::new().identity(Identity::from_pem(certificate, key));
    let receiver = Receiver::start_with(Behaviour::Accept, Some(tls));
    let url = format!("https://localhost:{}", receiver.address.port());
    let (good, bad) = (ours.path("ca.pem"), theirs.path("ca.pem"));
    assert!(delivers(&borrowed(&set(&url, &[("OTEL_EXPORTER_OTLP_CERTIFICATE", &good)])), SOON));
    assert!(!delivers(&borrowed(&set(&url, &[("OTEL_EXPORTER_OTLP_CERTIFICATE", &bad)])), Duration::from_millis(500)));
    assert_eq!(receiver.spans().len(), 1);
    let missing = set(&url, &[("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/no/such/file")]);
    let error =
        Recorder::exporting(&config(&borrowed(&missing)).0, Policy::builder().no_digests().build()).unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().contains("file"));
}

#[test]
fn a_peer_that_asks_who_we_are_is_shown_our_certificate() {
    let authority = Authority::new();
    let (certificate, key) = authority.sign("localhost");
    authority.sign("client");
    let tls = ServerTlsConfig::new()
        .identity(Identity::from_pem(certificate, key))
        .client_ca_root(Certificate::from_pem(authority.pem()));
    let receiver = Receiver::start_with(Behaviour::Accept, Some(tls));
    let url = format!("https://localhost:{}", receiver.address.port());
    let (ca, client, client_key) =
        (authority.path("ca.pem"), authority.path("client.pem"), authority.path("client.key"));
    let anonymous = set(&url, &[("OTEL_EXPORTER_OTLP_CERTIFICATE", &ca)]);
    assert!(!delivers(&borrowed(&anonymous), Duration::from_millis(500)));
    let known = set(
        &url,
        &[
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", &ca),
            ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &client),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &client_key),
        ],
    );
    assert!(delivers(&borrowed(&known), SOON));
    assert_eq!(receiver.spans().len(), 1);
}
