//! What an operator reads of an outage. Alone in its process, because logs are global.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::time::Duration;

use support::lines::Lines;
use support::receiver::{Behaviour, Receiver};
use tonic::Status;
use veilspan::export::ExporterConfig;
use veilspan::{Policy, Recorder};

#[test]
fn an_outage_is_logged_once_with_what_waits_and_without_a_word_of_the_peer() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone());
    tracing::subscriber::set_global_default(subscriber.finish()).unwrap();

    let receiver = Receiver::start(Behaviour::RefuseFirst(3, Status::unavailable("peculiar words")));
    let mut config = ExporterConfig::default();
    config.endpoint = receiver.url();
    config.headers = vec![("authorization".to_owned(), "peculiar-header".into())];
    let recorder = Recorder::exporting(&config, Policy::builder().build_in(&Default::default()).0).unwrap();
    recorder.inference("openai", "m").input("peculiar input").start().finish();
    recorder.tool("t").start().finish();
    assert!(recorder.shutdown(Duration::from_secs(20)).complete);
    assert_eq!(receiver.calls(), 4);

    let logged = lines.text();
    let ours: Vec<_> = logged.lines().filter(|line| line.contains(" veilspan: ")).collect();
    let [recording, failed, recovered] = ours.as_slice() else { panic!("{logged}") };
    assert!(recording.contains("INFO") && recording.contains("policy=content=digest;hash=hmac-sha256"), "{recording}");
    assert!(failed.contains("WARN") && failed.contains("peer refused: unavailable"), "{failed}");
    assert!(failed.contains("waiting=2"), "{failed}");
    assert!(recovered.contains("delivered again"), "{recovered}");
    assert!(!logged.contains("peculiar"), "{logged}");
}
