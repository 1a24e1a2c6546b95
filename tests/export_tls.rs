//! `https://`, over gRPC and over HTTP, with the files that the environment names.
#![cfg(feature = "tls")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use support::authority::Authority;
use support::http_receiver::HttpReceiver;
use support::receiver::{Behaviour, Receiver};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto};
use tonic::transport::{Certificate, Identity, ServerTlsConfig};
use veilspan::export::{ExporterConfig, ExporterError};
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(20);

/// A receiver that shows a certificate for `localhost`, under one of the protocols.
enum Server {
    Grpc(Receiver),
    Http(HttpReceiver),
}

impl Server {
    /// Both of them; `asks` for a certificate that the authority has signed.
    fn both(authority: &Authority, asks: bool) -> [Self; 2] {
        let (certificate, key) = authority.sign("localhost");
        let mut grpc = ServerTlsConfig::new().identity(Identity::from_pem(&certificate, &key));
        if asks {
            grpc = grpc.client_ca_root(Certificate::from_pem(authority.pem()));
        }
        let provider = Arc::new(crypto::ring::default_provider());
        let http = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let http = if asks {
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            http.unwrap().with_client_cert_verifier(verifier)
        } else {
            http.unwrap().with_no_client_auth()
        };
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let http = http.with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap()).unwrap();
        [Self::Grpc(Receiver::start_with(Behaviour::Accept, Some(grpc))), Self::Http(HttpReceiver::over_tls(http))]
    }

    fn exporting(&self, more: &[(&str, &str)]) -> Result<Recorder, ExporterError> {
        let (protocol, address) = match self {
            Self::Grpc(receiver) => ("grpc", receiver.address),
            Self::Http(receiver) => ("http/protobuf", receiver.address),
        };
        let endpoint = format!("https://localhost:{}", address.port());
        let variables = [("OTEL_EXPORTER_OTLP_PROTOCOL", protocol), ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)];
        let (config, warnings) = ExporterConfig::from_environment(&[&variables, more].concat().into_iter().collect());
        assert!(warnings.is_empty(), "{warnings:?}");
        Recorder::exporting(&config, Policy::builder().no_digests().build_in(&Default::default()).0)
    }

    fn gets_a_span(&self, more: &[(&str, &str)], timeout: Duration) -> bool {
        let recorder = self.exporting(more).unwrap();
        recorder.tool("t").start().finish();
        recorder.shutdown(timeout).complete
    }

    fn spans(&self) -> usize {
        match self {
            Self::Grpc(receiver) => receiver.spans().len(),
            Self::Http(receiver) => receiver.spans().len(),
        }
    }
}

#[test]
fn tls_trusts_the_authority_that_is_named_and_no_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let (good, bad) = (ours.path("ca.pem"), theirs.path("ca.pem"));
    for server in Server::both(&ours, false) {
        assert!(server.gets_a_span(&[("OTEL_EXPORTER_OTLP_CERTIFICATE", &good)], SOON));
        let other = [("OTEL_EXPORTER_OTLP_CERTIFICATE", &*good), ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", &bad)];
        assert!(!server.gets_a_span(&other, Duration::from_millis(500)));
        assert_eq!(server.spans(), 1);
    }
}

#[test]
fn a_peer_that_asks_who_we_are_is_shown_our_certificate() {
    let authority = Authority::new();
    authority.sign("client");
    let [ca, certificate, key] = ["ca.pem", "client.pem", "client.key"].map(|file| authority.path(file));
    let anonymous = [("OTEL_EXPORTER_OTLP_CERTIFICATE", &*ca)];
    let known = [
        ("OTEL_EXPORTER_OTLP_CERTIFICATE", &*ca),
        ("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &certificate),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", &key),
    ];
    for server in Server::both(&authority, true) {
        assert!(!server.gets_a_span(&anonymous, Duration::from_millis(500)));
        assert!(server.gets_a_span(&known, SOON));
        assert_eq!(server.spans(), 1);
    }
}

#[test]
fn files_that_cannot_be_used_are_an_error_that_quotes_nothing_of_them() {
    let authority = Authority::new();
    let odd = authority.path("odd.pem");
    std::fs::write(&odd, "-----BEGIN CERTIFICATE-----\na canary\n-----END CERTIFICATE-----\n").unwrap();
    let [ca, empty, no_certificate] = ["ca.pem", "empty.pem", "no.pem"].map(|file| authority.path(file));
    std::fs::write(&empty, "").unwrap();
    std::fs::write(&no_certificate, "-----BEGIN CERTIFICATE-----\nY2FuYXJ5\n-----END CERTIFICATE-----\n").unwrap();
    let cases = [
        vec![("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "/no/such/file")],
        vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", &*odd)],
        vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", &*empty)],
        vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", &*no_certificate)],
        vec![("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &*ca)],
        vec![("OTEL_EXPORTER_OTLP_CLIENT_KEY", &*ca)],
    ];
    for server in Server::both(&authority, false) {
        for case in &cases {
            let error = server.exporting(case).unwrap_err();
            let cause = std::error::Error::source(&error).unwrap();
            assert!(cause.to_string().contains("tls"), "{case:?}: {cause}");
            assert!(!format!("{error:?} {cause}").contains("canary"), "{error:?}");
        }
    }
}
