//! States of rollouts, as a stage tells them to who asks: of those that it holds, and of those that were recorded.

use veilspan::Recorder;
use veilspan::collector::{Config, Stage};
use veilspan::export::ExporterConfig;

use super::policies::every_level;
use super::recorded::{SOON, private};
use super::scenario::record_everything;
use super::staged::{Named, ask};
use crate::support::canaries::{Exits, Logs, Plants, Shape};

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, optional, tag = "1")]
    tenant: Option<String>,
    #[prost(string, optional, tag = "2")]
    rollout: Option<String>,
    #[prost(string, optional, tag = "3")]
    at: Option<String>,
    #[prost(bool, optional, tag = "5")]
    track_drift: Option<bool>,
    #[prost(string, optional, tag = "6")]
    baseline: Option<String>,
    #[prost(string, optional, tag = "7")]
    source: Option<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Listed {
    #[prost(message, repeated, tag = "1")]
    rollouts: Vec<Named>,
}

/// All fields of an answer are looked at as bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct Told {
    #[prost(bytes = "vec", tag = "1")]
    state: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    drift: Vec<u8>,
}

/// The states of all rollouts at their end, each held against itself.
async fn restored(stage: &Stage, source: &str) -> Vec<u8> {
    let source = Some(source.to_owned());
    // A question of `ListRollouts` has its source elsewhere: both are the live ones.
    let list: Listed = ask(stage, "ListRollouts", Question::default()).await;
    let mut bytes = Vec::new();
    for Named { tenant, rollout } in list.rollouts {
        let (at, baseline) = (Some("time=2200-01-01T00:00:00Z".to_owned()), rollout.clone());
        let question = Question { tenant, rollout, at, track_drift: Some(true), baseline, source: source.clone() };
        let told: Told = ask(stage, "RestoreRollout", question).await;
        bytes.extend([told.state, told.drift].concat());
    }
    bytes
}

#[test]
fn a_restored_state_holds_what_the_policy_lets_leave_and_nothing_else() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for policy in every_level() {
        for shape in Shape::ALL {
            let (mark, folder) = (Logs::of_process().mark(), private());
            let yaml = "receivers: {otlp: {protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}}}\n\
                 processors: {reduce: {}}\n\
                 exporters: {file: {path: \"${env:FOLDER}/all.jsonl\"}}\n\
                 service:\n  rollouts: {endpoint: \"127.0.0.1:0\", recordings: \"${env:FOLDER}\"}\n  \
                 pipelines: {traces: {receivers: [otlp], processors: [reduce], exporters: [file]}}\n";
            let path = folder.path().to_str().unwrap().to_owned();
            let config = Config::from_yaml(yaml, &|name: &str| (name == "FOLDER").then(|| path.clone())).unwrap();
            let stage = Stage::builder(config).policy(policy.clone()).start().unwrap();
            let mut exporter = ExporterConfig::default();
            exporter.endpoint = format!("http://{}", stage.address());
            let recorder = Recorder::exporting(&exporter, policy.clone()).unwrap();
            let mut plants = Plants::new(shape);
            let open = record_everything(&recorder, &mut plants);
            assert!(recorder.flush(SOON).complete);
            let (live, recorded) =
                runtime.block_on(async { (restored(&stage, "live").await, restored(&stage, "recorded").await) });
            recorder.shutdown(SOON);
            drop(open);
            let printed = format!("{stage:?}");
            stage.shutdown(SOON);
            assert!(!live.is_empty() && !recorded.is_empty(), "there is something to be told");
            let mut exits = Exits::of(&plants, &policy);
            exits.veiled("states that are held", &live);
            exits.veiled("states that were recorded", &recorded);
            exits.silent("debug output", printed.as_bytes());
            exits.named("logs", &Logs::of_process().since(mark));
            exits.assert_kept();
        }
    }
}
