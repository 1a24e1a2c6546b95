use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

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

/// The spans that wait to be sent, which then are answered.
fn told(following: &Following) -> Vec<Span> {
    let batch = following.emissions(64);
    following.settle(&batch, false);
    let requests = batch.iter().map(|emission| ExportTraceServiceRequest::decode(&*emission.field).unwrap());
    let scopes = requests.flat_map(|request| request.resource_spans).flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn generation(summary: &Span) -> i64 {
    let mut named = summary.attributes.iter().filter(|attribute| attribute.key == "veilspan.rollout.generation");
    match named.next().and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::IntValue(generation)) => *generation,
        _ => panic!("no generation: {summary:?}"),
    }
}

#[test]
fn a_forgotten_rollout_goes_on_where_it_was_however_often_its_stage_is_back_and_whatever_has_gone_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let config = InputLogConfig { directory: folder.path().join("log"), max_bytes: 64 << 20, fsync: Fsync::Os };
    let output = output();
    let (mut now, mut before) = (START, None::<Span>);
    for life in 0..4 {
        let following = begun(Limits::default(), &config, now);
        assert_eq!(following.counts().open_rollouts, 0);
        following.absorb(&rollout("goes-on", 10), now, &output).unwrap();
        following.tick(now + 11 * SECOND, &output);
        let [summary] = &told(&following)[..] else { panic!("a summary in life {life}") };
        assert_eq!(generation(summary), life);
        if let Some(before) = &before {
            assert_ne!(summary.trace_id, before.trace_id);
            assert!(summary.links.iter().any(|link| link.span_id == before.span_id), "it resumes");
        }
        // It is forgotten, and so is enough beside it that the segment in which that stands goes.
        now += 900 * SECOND;
        following.tick(now, &output);
        following.tend(now);
        for number in 0..120 {
            following.absorb(&rollout(&format!("beside-{life}-{number}"), 150_000), now, &output).unwrap();
        }
        following.tick(now + 11 * SECOND, &output);
        assert_eq!(settle_all(&following), 120);
        now += 900 * SECOND;
        following.tick(now, &output);
        (0..4).for_each(|_| following.tend(now));
        let left = following.counts().log_bytes;
        assert!(left < 10 << 20, "{left} bytes are left of 18 MB");
        assert_eq!(following.counts().told_before, 0);
        before = Some(summary.clone());
    }
}

#[test]
fn the_logs_of_two_stages_that_are_gone_become_one_and_what_one_had_to_send_is_sent_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = InputLogConfig { directory: folder.path().join("log"), max_bytes: 64 << 20, fsync: Fsync::Os };
    let open = || begun(Limits::default(), &config, START);
    let lives = || std::fs::read_dir(&config.directory).unwrap().count();
    let (first, second, output) = (open(), open(), output());
    assert_eq!(lives(), 2);
    first.absorb(&rollout("of-the-first", 10), START, &output).unwrap();
    second.absorb(&rollout("decided", 10), START - 30 * SECOND, &output).unwrap();
    second.absorb(&rollout("of-the-second", 10), START, &output).unwrap();
    second.tick(START, &output);
    let decided = second.emissions(64);
    assert!(!decided.is_empty());
    drop((first, second));

    let third = open();
    assert_eq!(lives(), 1);
    let due = third.emissions(64);
    assert!(decided.iter().all(|one| due.iter().filter(|other| other.field == one.field).count() == 1));
    third.tick(START + 11 * SECOND, &output);
    assert_eq!(told(&third).len(), 3);
    drop(third);
    let fourth = open();
    fourth.tick(START + 60 * SECOND, &output);
    assert!(fourth.emissions(64).is_empty(), "nothing is told twice");
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
