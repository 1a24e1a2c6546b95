//! Credentials that others are shown or show us, and what is told behind them: the rollouts of a stage over TLS, and the
//! back ends that a command reads from.

use veilspan::Recorder;
use veilspan::collector::{Config, Stage};
use veilspan::export::ExporterConfig;

use super::policies::every_level;
use super::recorded::{SOON, private};
use super::scenario::record_everything;
use super::staged::Named;
use crate::support::authority::Authority;
use crate::support::canaries::{Exits, Logs, Plants, Shape, bytes_of};

#[derive(Clone, PartialEq, prost::Message)]
struct Listed {
    #[prost(message, repeated, tag = "1")]
    rollouts: Vec<Named>,
}

/// All fields of an answer are looked at as bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct Told {
    #[prost(bytes = "vec", tag = "1")]
    rollout: Vec<u8>,
}

/// A stage that holds rollouts and tells of them over TLS to who shows the token.
fn stage(authority: &Authority, folder: &str, token: &str) -> veilspan::collector::StageBuilder {
    let yaml = "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}}\n\
         processors: {privacy: {}, reduce: {}}\n\
         exporters: {file: {path: \"${env:FOLDER}/all.jsonl\"}}\n\
         service:\n  rollouts: {endpoint: \"127.0.0.1:0\", auth: {bearer_token: \"${env:TOKEN}\"}, \
         tls: {cert_file: \"${env:CERT}\", key_file: \"${env:KEY}\"}}\n  \
         pipelines: {traces: {receivers: [otlp], processors: [privacy, reduce], exporters: [file]}}\n";
    let (cert, key) = (authority.path("localhost.pem"), authority.path("localhost.key"));
    let lookup = |name: &str| match name {
        "CERT" => Some(cert.clone()),
        "KEY" => Some(key.clone()),
        "FOLDER" => Some(folder.to_owned()),
        "TOKEN" => Some(token.to_owned()),
        _ => None,
    };
    Stage::builder(Config::from_yaml(yaml, &lookup).unwrap())
}

async fn ask<A>(
    channel: &tonic::transport::Channel,
    token: &str,
    method: &str,
    question: Named,
) -> Result<A, tonic::Status>
where
    A: prost::Message + Default + Send + Sync + 'static,
{
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let mut request = tonic::Request::new(question);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let path = format!("/veilspan.v1.RolloutService/{method}").parse().unwrap();
    let codec = tonic_prost::ProstCodec::<Named, A>::default();
    grpc.unary(request, path, codec).await.map(tonic::Response::into_inner)
}

#[test]
fn what_is_told_of_rollouts_over_tls_is_veiled_and_the_token_for_it_is_nowhere() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let authority = Authority::new();
    drop(authority.sign("localhost"));
    for policy in every_level() {
        let (mark, folder) = (Logs::of_process().mark(), private());
        let path = folder.path().to_str().unwrap().to_owned();
        let mut plants = Plants::new(Shape::Label);
        let token = format!("{}-of-enough-characters", plants.hidden("token"));
        let wrong = format!("{}-of-enough-characters", plants.hidden("token that is wrong"));
        let stage = stage(&authority, &path, &token).policy(policy.clone()).start().unwrap();
        let mut exporter = ExporterConfig::default();
        exporter.endpoint = format!("http://{}", stage.address());
        let recorder = Recorder::exporting(&exporter, every_level()[4].clone()).unwrap();
        let open = record_everything(&recorder, &mut plants);
        assert!(recorder.flush(SOON).complete);
        let (_, address) = stage.addresses().iter().find(|(name, _)| name == "rollouts/grpc").unwrap();
        let tls = tonic::transport::ClientTlsConfig::new()
            .ca_certificate(tonic::transport::Certificate::from_pem(authority.pem()));
        let endpoint =
            tonic::transport::Endpoint::from_shared(format!("https://localhost:{}", address.port())).unwrap();
        let (told, refused) = runtime.block_on(async {
            let channel = endpoint.tls_config(tls).unwrap().connect_lazy();
            let list: Listed = ask(&channel, &token, "ListRollouts", Named::default()).await.unwrap();
            let mut told = Vec::new();
            for rollout in list.rollouts {
                let whole: Told = ask(&channel, &token, "GetRollout", rollout).await.unwrap();
                told.extend(whole.rollout);
            }
            (told, ask::<Listed>(&channel, &wrong, "ListRollouts", Named::default()).await.unwrap_err())
        });
        recorder.shutdown(SOON);
        drop(open);
        let printed = format!("{stage:?} {refused:?} {}", stage.metrics());
        stage.shutdown(SOON);
        assert!(!told.is_empty(), "there is something to be told");
        let mut exits = Exits::of(&plants, &policy);
        exits.veiled("rollouts over TLS", &told);
        exits.veiled("files", &bytes_of(folder.path()));
        exits.silent("debug output, an answer and metrics", printed.as_bytes());
        exits.named("logs", &Logs::of_process().since(mark));
        exits.assert_kept();
        assert!(exits.seen().count() > 5, "labels leave under {}", policy.snapshot());
    }
}

#[cfg(all(feature = "cli", unix))]
#[test]
fn a_credential_for_a_back_end_reaches_it_and_is_in_nothing_that_is_printed() {
    use super::runs::veilspan;
    use crate::support::http_receiver::{Answer, HttpReceiver};
    let policy = every_level()[1].clone();
    for status in [200, 401, 500] {
        let mut plants = Plants::of_another_process(Shape::Label);
        let token = plants.hidden("credential");
        let answer = Answer::of(status).saying(format!("{{\"{}\": 1", plants.hidden("what a back end says")));
        let back_end = HttpReceiver::answering(answer);
        let headers = format!("authorization=Bearer%20{token},x-scope-orgid={}", plants.hidden("another header"));
        let mut exits = Exits::of(&plants, &policy);
        for back_end_kind in ["jaeger", "tempo"] {
            let input = format!("{back_end_kind}+{}/0af7651916cd43dd8448eb211c80319c", back_end.url());
            for command in [&["reduce", &*input][..], &["diff", &input, &input], &["replay", &input], &["doctor"]] {
                let output = veilspan(command, &[("VEILSPAN_BACKEND_HEADERS", &headers)]);
                assert_eq!(output.status.success(), command == ["doctor"], "{command:?}: {output:?}");
                exits.silent("standard output", &output.stdout);
                exits.silent("standard error", &output.stderr);
            }
        }
        exits.assert_kept();
        let seen = back_end.seen();
        assert!(!seen.is_empty());
        let expected = format!("Bearer {token}");
        assert!(seen.iter().all(|one| one.header("authorization") == Some(&*expected)), "who it is for has it");
    }
}
