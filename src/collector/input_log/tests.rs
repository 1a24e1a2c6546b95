use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::collector::capture::Capture;
use crate::collector::config::InputLogConfig;
use crate::collector::following::Following;
use crate::collector::output::{Findings, Output};
use crate::export::Fsync;
use crate::otlp::encode::{self, Encoder};
use crate::otlp::{Look, Request, assemble};
use crate::processor::follow::Follow;
use crate::reduce::Limits;
use crate::testing::MemorySink;
use crate::{Policy, Recorder};

const START: u64 = 1_700_000_000_000_000_000;
const SECOND: u64 = 1_000_000_000;

/// A rollout of one turn that ends it, under a resource of so many bytes.
fn rollout(name: &str, padding: usize) -> Request {
    let sink = Arc::new(MemorySink::default());
    let policy = Policy::builder().build_in(&Default::default()).0;
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
    let mut turn = recorder.turn("planner").rollout(name).start();
    turn.ends_rollout();
    turn.finish();
    assert!(recorder.shutdown(Duration::from_secs(60)).complete);
    let mut fields = Vec::new();
    sink.calls().iter().for_each(|call| Encoder::default().span_field(call, &mut fields));
    let padding = "x".repeat(padding);
    let resource = encode::resource([("service.name", padding.as_str())], None);
    let request = assemble::request(&resource, &encode::scope(), [Bytes::from(fields)]);
    Request::parse(request.into_bytes(), Look::Outside).unwrap()
}

fn output() -> Output {
    Output::capture(Arc::new(Capture::default()))
}

fn begun(limits: Limits, config: &InputLogConfig, now: u64) -> Following {
    Following::with_log(Follow::reducing(limits), Findings::default(), config, now).unwrap()
}

fn settle_all(following: &Following) -> usize {
    let mut count = 0;
    loop {
        let batch = following.emissions(64);
        if batch.is_empty() {
            return count;
        }
        count += batch.len();
        following.settle(&batch, false);
    }
}

#[test]
fn what_nobody_needs_any_more_goes_and_what_is_open_stays() {
    let folder = tempfile::tempdir().unwrap();
    let config = InputLogConfig { directory: folder.path().join("log"), max_bytes: 64 << 20, fsync: Fsync::Os };
    let limits = Limits::default();
    let output = output();
    let following = begun(limits.clone(), &config, START);
    for number in 0..200 {
        following.absorb(&rollout(&format!("closed-{number}"), 150_000), START, &output).unwrap();
    }
    assert!(following.counts().log_bytes > 24 << 20);
    following.tick(START + 11 * SECOND, &output);
    assert_eq!(settle_all(&following), 200, "a summary each");
    following.tend(START + 11 * SECOND);
    assert!(following.counts().log_bytes > 24 << 20, "late data may still come");
    let later = START + 900 * SECOND;
    following.absorb(&rollout("open", 10), later, &output).unwrap();
    following.tick(later, &output);
    following.tend(later);
    let left = following.counts().log_bytes;
    assert!(left < 10 << 20, "{left} bytes are left of more than 24 MiB");
    drop(following);

    let again = begun(limits, &config, later + SECOND);
    assert_eq!(again.counts().open_rollouts, 1, "the one that is open, and none that was forgotten");
    assert!(again.emissions(64).is_empty(), "what was answered is not sent again");
    again.tick(later + 30 * SECOND, &output);
    assert_eq!(settle_all(&again), 1);
}

#[test]
fn a_log_that_is_full_has_more_refused_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let config = InputLogConfig { directory: folder.path().join("log"), max_bytes: 1 << 20, fsync: Fsync::Os };
    let following = begun(Limits::default(), &config, START);
    assert!(!following.must_refuse());
    for number in 0..8 {
        following.absorb(&rollout(&format!("r{number}"), 150_000), START, &output()).unwrap();
    }
    assert!(following.must_refuse());
}
