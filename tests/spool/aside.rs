//! Spans that are too long for the peer.

use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use veilspan::Recorder;
use veilspan::export::{ExporterConfig, SpoolConfig};
use veilspan::intake::Drop;

use crate::place::{SOON, config, files, policy, private, until};
use crate::support::leaks::holds;
use crate::support::receiver::Receiver;

#[test]
fn a_span_that_is_too_long_for_the_peer_is_set_aside_in_a_file_that_says_why_and_holds_nothing_that_was_said() {
    let home = private();
    let receiver = Receiver::start_small(6000);
    let mut config = config(receiver.url(), home.path());
    config.batch_delay = Duration::from_secs(5);
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    (0..60).for_each(|_| recorder.tool("short").start().finish());
    let mut call = recorder.inference("openai", "m").input("a planted canary text").start();
    (0..300).for_each(|n| {
        call.finish_reason(&format!("a-reason-that-is-long-enough-to-count-{n}"));
    });
    call.finish();
    assert!(recorder.shutdown(SOON).complete);
    let counts = recorder.counts();
    assert_eq!((counts.sent, counts.dropped.of(Drop::TooLongForPeer), counts.set_aside), (60, 1, 1), "{counts:?}");
    drop(recorder);
    let aside = home.path().join("set-aside");
    assert!(until(|| std::fs::read_dir(home.path()).unwrap().count() == 1), "its own folder is gone");
    let kept = files(&aside);
    let [file] = kept.as_slice() else { panic!("{kept:?}") };
    let modes = [&aside, file].map(|path| path.symlink_metadata().unwrap().mode() & 0o777);
    assert_eq!(modes, [0o700, 0o600]);
    let bytes = std::fs::read(file).unwrap();
    let told = TracesData::decode(&*bytes).unwrap();
    let span = &told.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(span.name, "chat m");
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let name = format!("{}-{}.too_long_for_peer.pb", hex(&span.trace_id), hex(&span.span_id));
    assert_eq!(file.file_name().unwrap().to_str(), Some(&*name));
    assert!(told.resource_spans[0].resource.as_ref().is_some_and(|resource| !resource.attributes.is_empty()));
    assert!(!holds(&bytes, "planted canary"));
}

#[test]
fn what_is_set_aside_stays_within_its_share_of_the_spool_and_through_no_link() {
    let home = private();
    let receiver = Receiver::start_small(3000);
    let record = |config: &ExporterConfig, calls: usize| {
        let recorder = Recorder::exporting(config, policy()).unwrap();
        for _ in 0..calls {
            let mut call = recorder.inference("openai", "m").start();
            (0..100).for_each(|n| {
                call.finish_reason(&format!("a-reason-that-is-long-enough-to-count-{n}"));
            });
            call.finish();
        }
        assert!(recorder.shutdown(SOON).complete);
        recorder.counts()
    };
    let mut config = config(receiver.url(), home.path());
    let mut spool = SpoolConfig::new(home.path());
    spool.bytes = 512 << 10;
    config.spool = Some(spool);
    let counts = record(&config, 20);
    assert_eq!(counts.dropped.of(Drop::TooLongForPeer), 20, "{counts:?}");
    let kept = files(&home.path().join("set-aside"));
    let bytes: u64 = kept.iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(bytes <= 32 << 10 && bytes > 20 << 10, "{bytes}");
    assert_eq!(kept.len() as u64, counts.set_aside);

    let (elsewhere, other) = (private(), private());
    std::os::unix::fs::symlink(elsewhere.path(), other.path().join("set-aside")).unwrap();
    config.spool = Some(SpoolConfig::new(other.path()));
    let counts = record(&config, 1);
    assert_eq!((counts.dropped.of(Drop::TooLongForPeer), counts.set_aside, counts.spool_failures), (1, 0, 1));
    assert_eq!(files(elsewhere.path()).len(), 0);
}
