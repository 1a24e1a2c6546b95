//! Through the other doors of a stage: over TLS, and over HTTP.

use std::time::Duration;

use veilspan::Recorder;
use veilspan::collector::{Config, Stage};
use veilspan::export::{ExporterConfig, Protocol};

use super::policies::every_level;
use super::recorded::SOON;
use super::scenario::{record_everything, record_late};
use crate::support::authority::Authority;
use crate::support::canaries::{Class, Echo, Exits, Logs, Plants, Shape};

#[test]
fn what_comes_into_a_stage_over_tls_and_over_http_is_veiled_too() {
    let authority = Authority::new();
    drop(authority.sign("localhost"));
    let everything = every_level()[4].clone();
    for policy in every_level() {
        for shape in Shape::ALL {
            for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
                let mark = Logs::of_process().mark();
                let echo = Echo::start();
                let stage = stage(&authority, protocol, &echo.url()).policy(policy.clone()).start().unwrap();
                let mut config = ExporterConfig::default();
                config.endpoint = format!("https://localhost:{}", stage.address().port());
                if protocol == Protocol::HttpProtobuf {
                    config.endpoint += "/v1/traces";
                }
                config.protocol = protocol;
                config.batch_delay = Duration::from_millis(20);
                config.tls.certificate = Some(authority.path("ca.pem").into());
                let mut plants = Plants::new(shape);
                let recorder = Recorder::exporting(&config, everything.clone()).unwrap();
                let open = record_everything(&recorder, &mut plants);
                let drained = recorder.shutdown(SOON);
                record_late(open, &mut plants);
                let printed = format!("{stage:?} {drained:?}");
                stage.shutdown(SOON);
                let mut exits = Exits::of(&plants, &policy);
                exits.requests("the wire", &echo.requests());
                exits.silent("debug output", printed.as_bytes());
                exits.named("logs", &Logs::of_process().since(mark));
                exits.assert_kept();
                let labels = exits.seen().filter(|canary| canary.class == Class::Label).count();
                assert_eq!(labels > 30, shape == Shape::Label, "{labels} labels over {protocol:?}");
            }
        }
    }
}

fn stage(authority: &Authority, protocol: Protocol, endpoint: &str) -> veilspan::collector::StageBuilder {
    let door = if protocol == Protocol::Grpc { "grpc" } else { "http" };
    let yaml = format!(
        "receivers: {{otlp: {{protocols: {{{door}: {{endpoint: \"127.0.0.1:0\", \
         tls: {{cert_file: \"${{env:CERT}}\", key_file: \"${{env:KEY}}\"}}}}}}}}}}\n\
         processors: {{privacy: {{}}}}\n\
         exporters: {{otlp: {{endpoint: \"${{env:UP}}\"}}}}\n\
         service: {{pipelines: {{traces: {{receivers: [otlp], processors: [privacy], exporters: [otlp]}}}}}}\n"
    );
    let (cert, key) = (authority.path("localhost.pem"), authority.path("localhost.key"));
    let lookup = |name: &str| match name {
        "CERT" => Some(cert.clone()),
        "KEY" => Some(key.clone()),
        "UP" => Some(endpoint.to_owned()),
        _ => None,
    };
    Stage::builder(Config::from_yaml(&yaml, &lookup).unwrap())
}
