//! Who comes in: TLS, certificates of callers, and tokens.

use bytes::Bytes;
use tonic::Code;
use veilspan::collector::{Config, Stage, StageError};
use veilspan::export::TlsFiles;
use veilspan::otlp::{Accepted, Client, ClientOptions, ExportError, Protocol, Segments};

use crate::build::*;
use crate::support::authority::Authority;
use crate::support::receiver::{Behaviour, Receiver};

const TOKEN: &str = "a-token-of-enough-characters";

fn secured(authority: &Authority, of_both: &str, next: &str) -> Config {
    authority.sign("localhost");
    let listen = "endpoint: \"127.0.0.1:0\", tls: {cert_file: \"${env:CERT}\", key_file: \"${env:KEY}\"MUTUAL}AUTH";
    let listen = match of_both {
        "mutual" => listen.replace("MUTUAL", ", client_ca_file: \"${env:CA}\"").replace("AUTH", ""),
        _ => listen.replace("MUTUAL", "").replace("AUTH", ", auth: {bearer_token: \"${env:TOKEN}\"}"),
    };
    yaml(
        &format!(
            "receivers: {{otlp: {{protocols: {{grpc: {{{listen}}}, http: {{{listen}}}}}}}}}\n\
             exporters: {{otlp: {{endpoint: \"${{env:NEXT}}\"}}}}\n\
             service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp]}}}}}}\n"
        ),
        &[
            ("CERT", &authority.path("localhost.pem")),
            ("KEY", &authority.path("localhost.key")),
            ("CA", &authority.path("ca.pem")),
            ("TOKEN", TOKEN),
            ("NEXT", next),
        ],
    )
}

fn tls(authority: &Authority, who: Option<&str>) -> TlsFiles {
    let file = |name: String| Some(authority.path(&name).into());
    TlsFiles {
        certificate: file("ca.pem".to_owned()),
        client_certificate: who.and_then(|who| file(format!("{who}.pem"))),
        client_key: who.and_then(|who| file(format!("{who}.key"))),
    }
}

async fn export(
    stage: &Stage,
    protocol: Protocol,
    tls: TlsFiles,
    token: Option<&str>,
) -> Result<Accepted, ExportError> {
    let (name, path) = if protocol == Protocol::Grpc { ("otlp/grpc", "") } else { ("otlp/http", "/v1/traces") };
    let mut options = ClientOptions::new(format!("https://localhost:{}{path}", address(stage, name).port()));
    options.protocol = protocol;
    options.tls = tls;
    options.headers.extend(token.map(|token| ("authorization".to_owned(), format!("Bearer {token}").into())));
    Client::new(&options).unwrap().export(Segments::from(Bytes::from(plain()))).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_without_the_token_is_refused_and_counted_over_both_protocols() {
    let (authority, receiver) = (Authority::new(), Receiver::start(Behaviour::Accept));
    let stage = Stage::builder(secured(&authority, "token", &receiver.url())).policy(policy()).start().unwrap();
    for (protocol, name) in [(Protocol::Grpc, "grpc"), (Protocol::HttpProtobuf, "http")] {
        for wrong in [None, Some("another-token-of-enough-characters"), Some("")] {
            let error = export(&stage, protocol, tls(&authority, None), wrong).await.unwrap_err();
            assert_eq!(error.code(), Code::Unauthenticated);
        }
        export(&stage, protocol, tls(&authority, None), Some(TOKEN)).await.unwrap();
        let counted =
            format!("veilspan_receiver_requests_unauthenticated_total{{receiver=\"otlp\",protocol=\"{name}\"}}");
        assert_eq!(metric(&stage, &counted), 3);
    }
    assert_eq!(receiver.spans().len(), 2);
    assert!(!format!("{stage:?} {}", stage.metrics()).contains(TOKEN));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_whose_certificate_nobody_signed_has_no_connection() {
    let (authority, stranger, receiver) = (Authority::new(), Authority::new(), Receiver::start(Behaviour::Accept));
    let stage = Stage::builder(secured(&authority, "mutual", &receiver.url())).policy(policy()).start().unwrap();
    authority.sign("caller");
    stranger.sign("caller");
    let signed_elsewhere = TlsFiles {
        client_certificate: tls(&stranger, Some("caller")).client_certificate,
        client_key: tls(&stranger, Some("caller")).client_key,
        ..tls(&authority, None)
    };
    for protocol in [Protocol::Grpc, Protocol::HttpProtobuf] {
        for who in [tls(&authority, None), signed_elsewhere.clone()] {
            let error = export(&stage, protocol, who, None).await.unwrap_err();
            assert!(!error.answered());
        }
        export(&stage, protocol, tls(&authority, Some("caller")), None).await.unwrap();
    }
    assert_eq!(receiver.spans().len(), 2);
    let failed = metric(&stage, "veilspan_receiver_connections_failed_total{receiver=\"otlp\",protocol=\"grpc\"}");
    assert!(failed >= 2, "{failed}");
}

#[test]
fn what_cannot_be_secured_does_not_start_and_says_which_part() {
    let authority = Authority::new();
    let config = secured(&authority, "token", "http://127.0.0.1:1");
    let start = |config: &Config| Stage::builder(config.clone()).policy(policy()).start();
    assert!(start(&config).is_ok());
    std::fs::write(authority.path("localhost.key"), "canary: no key at all").unwrap();
    let error = start(&config).unwrap_err();
    assert!(matches!(error, StageError::Certificate(_)) && !format!("{error:?} {error}").contains("canary"));
    authority.sign("localhost");
    let variables = |name: &str| match name {
        "TOKEN" => Some("canary-short".to_owned()),
        _ => None,
    };
    let yaml = "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\", auth: {bearer_token: \"${env:TOKEN}\"}}}}}\n\
         exporters: {otlp: {endpoint: \"http://127.0.0.1:1\"}}\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n";
    let error = start(&Config::from_yaml(yaml, &variables).unwrap()).unwrap_err();
    assert!(matches!(error, StageError::Token(_)) && !format!("{error:?} {error}").contains("canary"));
}
