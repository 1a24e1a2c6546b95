//! What the public recorder promises of every call, seen by a sink.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use veilspan::event::{
    CallKind, CallRecord, Given, Kind, ManualClock, MarkKind, Message, Noted, Outcome, Part, Record, Returned, Role,
    Veiled,
};
use veilspan::intake::{Drop, Refused, Relay, Sink};
use veilspan::privacy::{Key, Level};
use veilspan::record::CallRef;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder, semconv};

use super::common::*;

#[test]
fn r01_pair_llm() {
    let (recorder, sink) = recorder();
    let mut call = recorder.inference("openai", "gpt-x").max_tokens(2048).input("hello").start();
    call.output(Message::text(Role::Assistant, "hi there")).finish_reason("stop").tokens(10, 4);
    call.finish();
    assert!(recorder.flush(SOON).complete);
    let records = sink.records();
    assert_eq!(records.len(), 2);
    let (Record::Opened(opened), Record::Closed(closed)) = (&records[0], &records[1]) else { panic!("{records:?}") };
    assert_eq!(opened.key, closed.key());
    assert_eq!(closed.opened.attrs.text(semconv::REQUEST_MODEL), Some("gpt-x"));
    assert_eq!(closed.opened.attrs.get(semconv::MAX_TOKENS), Some(2048));
    let (request, answer) = inference(closed);
    let hello = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(request.items[0].digest.unwrap().to_string(), hello);
    assert_eq!(answer.items[0].length, Some(8));
    assert_eq!(closed.closed.attrs.get(semconv::FINISH_REASONS).unwrap(), ["stop"]);
    assert_eq!(closed.closed.attrs.get(semconv::INPUT_TOKENS), Some(10));
    assert_eq!(closed.closed.outcome, Some(Outcome::Completed));
    assert!(closed.closed_at.time_unix_nano >= closed.opened_at.time_unix_nano);
    assert!(closed.closed_at.seq > closed.opened_at.seq);
    let kinds: Vec<_> = sink.events().into_iter().map(|event| event.kind).collect();
    assert!(matches!(kinds.as_slice(), [Kind::Opened(..), Kind::Closed(..)]));
}

#[test]
fn r02_pair_tool() {
    let (recorder, sink) = recorder();
    let mut call = recorder.tool("shell").mcp_server("local").arguments("not json").start();
    call.result("ok bytes");
    call.finish();
    let call = &calls(&recorder, &sink)[0];
    assert_eq!(call.opened.attrs.text(semconv::MCP_SERVER), Some("local"));
    assert!(call.closed.attrs.value(semconv::MCP_SERVER.id()).is_none());
    let (Given::Arguments(arguments), Returned::Result(result)) = (&call.given, &call.returned) else { panic!() };
    assert_eq!((arguments.length, arguments.exact), (Some(8), None));
    assert_eq!(result.length, Some(8));
}

#[test]
fn r03_null_omission() {
    let (recorder, sink) = recorder();
    let mut call = recorder.inference("openai", "gpt-x").temperature(0.0).max_tokens(0).start();
    call.output(Message::text(Role::Assistant, ""));
    call.finish();
    recorder.inference("openai", "gpt-x").start().finish();
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].opened.attrs.get(semconv::TEMPERATURE), Some(0.0));
    assert_eq!(calls[0].opened.attrs.get(semconv::MAX_TOKENS), Some(0));
    let (_, answer) = inference(&calls[0]);
    assert!(answer.items[0].digest.unwrap().to_string().starts_with("sha256:e3b0c442"));
    assert_eq!(calls[1].opened.attrs.len(), 3);
    assert!(calls[1].closed.attrs.is_empty());
    assert_eq!(inference(&calls[1]), (&Default::default(), &Default::default()));
}

#[test]
fn r04_r05_a_failed_call_tells_the_class_of_its_error_and_no_text() {
    let (recorder, sink) = recorder();
    let error = std::io::Error::other("canary text");
    recorder.inference("openai", "m").start().finish_with::<String, _>(&Err(error));
    recorder.tool("t").start().fail("ToolError");
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].closed.outcome, Some(Outcome::Failed));
    assert_eq!(calls[0].closed.attrs.text(semconv::ERROR_KIND), Some("std::io::error::Error"));
    assert_eq!(calls[1].closed.attrs.text(semconv::ERROR_TYPE), Some("ToolError"));
    assert!(!format!("{calls:?}").contains("canary"));
}

#[test]
fn r08_an_error_sticks() {
    let (recorder, sink) = recorder();
    let mut call = recorder.inference("openai", "m").start();
    call.mark_failed("Parse").output(Message::text(Role::Assistant, "later"));
    call.finish();
    let call = &calls(&recorder, &sink)[0];
    assert_eq!(call.closed.outcome, Some(Outcome::Failed));
    assert_eq!(call.closed.attrs.text(semconv::ERROR_KIND), Some("Parse"));
    assert_eq!(inference(call).1.items[0].length, Some(5));
}

#[test]
fn r12_a_disabled_recorder_has_the_same_face_and_runs_no_closure() {
    let recorder = Recorder::disabled();
    let turn = recorder.turn("").start();
    let call = turn.inference("", "").input_with(|| -> &str { panic!("a closure ran") }).start();
    call.finish_with::<String, std::io::Error>(&Ok(String::new()));
    turn.tool("").arguments_with(|| -> &str { panic!("a closure ran") }).start().finish();
    turn.finish();
    assert!(recorder.shutdown(SOON).complete);
    assert_eq!(recorder.counts().started, 0);
}

#[test]
fn r13_a_call_whose_opening_is_refused_is_not_offered_again() {
    let (recorder, sink) = recorder();
    sink.refuse(true);
    let call = recorder.inference("openai", "m").start();
    assert!(recorder.flush(SOON).complete);
    sink.refuse(false);
    call.finish();
    assert!(recorder.flush(SOON).complete);
    assert!(sink.records().is_empty());
    assert_eq!(recorder.counts().dropped.of(Drop::SinkRefused), 1);
}

#[test]
fn r14_a_call_whose_close_is_refused_leaves_its_opening() {
    let (recorder, sink) = recorder();
    let call = recorder.inference("openai", "m").start();
    assert!(recorder.flush(SOON).complete);
    sink.refuse(true);
    call.finish();
    assert!(recorder.flush(SOON).complete);
    assert!(matches!(sink.records().as_slice(), [Record::Opened(_)]));
    assert_eq!(recorder.counts().dropped.of(Drop::SinkRefused), 1);
}

#[test]
fn r17_a_stalled_sink_stops_nobody_and_its_calls_are_counted() {
    struct Stalled;
    impl Sink for Stalled {
        fn take(&self, _: Record) -> Result<(), Refused> {
            loop {
                std::thread::park();
            }
        }
    }
    let recorder = Recorder::builder().sink(Arc::new(Stalled)).policy(unkeyed()).build();
    recorder.inference("openai", "m").input("x").start().finish();
    let drained = recorder.shutdown(Duration::from_millis(50));
    assert!(!drained.complete);
    assert_eq!(drained.counts.dropped.of(Drop::ShutDown), 1);
    assert_eq!(recorder.shutdown(Duration::from_millis(50)).counts.dropped.of(Drop::ShutDown), 1);
}

#[test]
fn a_panicking_sink_loses_its_record_and_nothing_else() {
    struct Panics(MemorySink);
    impl Sink for Panics {
        fn take(&self, record: Record) -> Result<(), Refused> {
            assert!(self.0.records().len() != 1, "a sink of the host's panics");
            self.0.take(record)
        }
        fn wants_opened(&self) -> bool {
            false
        }
    }
    let recorder = Recorder::builder().sink(Arc::new(Panics(MemorySink::default()))).policy(unkeyed()).build();
    (0..3).for_each(|_| recorder.tool("t").start().finish());
    let counts = recorder.shutdown(SOON).counts;
    assert_eq!((counts.recorded, counts.dropped.of(Drop::SinkRefused)), (1, 2));
}

#[test]
fn a_sink_that_panics_while_it_relays_has_not_flushed_and_the_host_goes_on() {
    struct Relays(&'static str);
    impl Relays {
        fn panic_at(&self, place: &str) {
            assert!(self.0 != place, "a sink of the host's panics");
        }
    }
    impl Sink for Relays {
        fn take(&self, _: Record) -> Result<(), Refused> {
            Ok(())
        }
        fn relay(&self) -> Option<&dyn Relay> {
            Some(self)
        }
    }
    impl Relay for Relays {
        fn announce(&self) -> u64 {
            self.panic_at("announce");
            7
        }
        fn begin(&self, number: u64) {
            assert_eq!(number, 7);
            self.panic_at("begin");
        }
        fn wait(&self, number: u64, _: Instant) -> bool {
            self.panic_at("wait");
            number == 7
        }
    }
    for (place, complete) in [("announce", false), ("begin", true), ("wait", false), ("nowhere", true)] {
        let recorder = Recorder::builder().sink(Arc::new(Relays(place))).policy(unkeyed()).build();
        recorder.tool("t").start().finish();
        assert_eq!(recorder.flush(SOON).complete, complete, "{place}");
        assert!(recorder.shutdown(SOON).complete, "{place}");
    }
}

#[test]
fn r26_labels_that_do_not_look_like_labels_leave_as_digests_or_other() {
    let (recorder, sink) = recorder();
    let mut call = recorder.inference("openai", "a SECRET model").conversation("SECRET chat").start();
    call.finish_reason("the SECRET reason").response_id("the SECRET id");
    call.mark_failed("a SECRET kind");
    call.finish();
    recorder.turn("SECRET agent").rollout("SECRET rollout").tenant("SECRET tenant").start().finish();
    let calls = calls(&recorder, &sink);
    assert!(!format!("{calls:?}").contains("SECRET"));
    assert!(calls[0].opened.attrs.text(semconv::REQUEST_MODEL).unwrap().starts_with("id:sha256:"));
    assert_eq!(calls[0].closed.attrs.text(semconv::ERROR_KIND), Some("_OTHER"));
    assert_eq!(calls[0].closed.attrs.get(semconv::FINISH_REASONS).unwrap(), ["_OTHER"]);
    assert!(calls[1].scope.rollout.starts_with("id:sha256:"));
    assert_eq!(recorder.counts().labels_replaced, 9);
}

#[test]
fn at_none_nothing_of_content_leaves() {
    let policy = Policy::builder().content(Level::None).build_in(&Default::default()).0;
    let (recorder, sink) = recorder_with(policy);
    let mut call = recorder.inference("openai", "m").system("be brief").input("hello").start();
    call.output(Message::text(Role::Assistant, "hi")).tokens(3, 1);
    call.finish();
    let mut call = recorder.tool("t").arguments("{}").start();
    call.result("r");
    call.finish();
    let calls = calls(&recorder, &sink);
    assert_eq!(inference(&calls[0]), (&Default::default(), &Default::default()));
    assert_eq!(
        (&calls[1].given, &calls[1].returned),
        (&Given::empty(CallKind::Tool), &Returned::empty(CallKind::Tool))
    );
    assert_eq!(calls[0].closed.attrs.get(semconv::OUTPUT_TOKENS), Some(1));
    assert_eq!(calls[0].opened.policy.as_deref(), Some("content=none;hash=none;form=c1"));
}

#[test]
fn without_digests_lengths_still_leave() {
    let policy = Policy::builder().no_digests().build_in(&Default::default()).0;
    let (recorder, sink) = recorder_with(policy);
    let mut call = recorder.inference("openai", "m").system("be brief").input("hello").start();
    call.output(Message::text(Role::Assistant, "hi"));
    call.finish();
    let calls = calls(&recorder, &sink);
    let (request, answer) = inference(&calls[0]);
    assert_eq!((request.items[0].length, request.items[0].digest, request.chain), (Some(5), None, None));
    assert_eq!((request.system.length, request.system.digest), (Some(8), None));
    assert_eq!((answer.items[0].length, answer.items[0].digest), (Some(2), None));
}

#[test]
fn r34_keyed_digests_differ_from_plain_ones_and_between_keys_and_tenants() {
    let digest = |key: u8, tenant: Option<&str>| {
        let key = Key::new(vec![key; 32], None).unwrap();
        let (recorder, sink) = recorder_with(Policy::builder().key(key).build_in(&Default::default()).0);
        let mut turn = recorder.turn("a");
        if let Some(tenant) = tenant {
            turn = turn.tenant(tenant);
        }
        turn.start().inference("openai", "m").input("yes").start().finish();
        let calls = calls(&recorder, &sink);
        let call = calls.iter().find(|call| call.kind == CallKind::Inference).unwrap();
        assert!(call.opened.policy.as_ref().unwrap().contains(";key="));
        inference(call).0.items[0].digest.unwrap()
    };
    let plain = "sha256:8a798890fe93817163b10b5f7bd2ca4d25d84c52739a645a889c173eee7d9d3d";
    assert!(digest(1, None).to_string().starts_with("hmac-sha256:"));
    assert!(!digest(1, None).to_string().ends_with(&plain[7..]));
    assert_eq!(digest(1, None), digest(1, None));
    assert_ne!(digest(1, None), digest(2, None));
    assert_ne!(digest(1, Some("a")), digest(1, Some("b")));
    assert_ne!(digest(1, Some("a")), digest(1, None));
}

#[tokio::test]
async fn r36_a_dropped_future_is_cancelled_and_a_dropped_handle_abandoned() {
    let (recorder, sink) = recorder();
    let mut call = recorder.inference("openai", "m").start();
    call.output(Message::text(Role::Assistant, "partial"));
    let work = async move {
        call.observe(std::future::pending::<()>()).await;
        call.finish();
    };
    assert!(tokio::time::timeout(Duration::from_millis(5), work).await.is_err());
    drop(recorder.tool("t").start());
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].closed.outcome, Some(Outcome::Cancelled));
    assert_eq!(inference(&calls[0]).1.items[0].length, Some(7));
    assert_eq!(calls[1].closed.outcome, Some(Outcome::Abandoned));
}

#[test]
fn a_panic_passes_through_and_closes_the_call_as_failed() {
    let (recorder, sink) = recorder();
    let host = recorder.clone();
    let thread = std::thread::spawn(move || {
        let _call = host.tool("t").start();
        panic!("the host's own");
    });
    assert!(thread.join().is_err());
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].closed.outcome, Some(Outcome::Failed));
    assert_eq!(calls[0].closed.attrs.text(semconv::ERROR_KIND), Some("panic"));
}

#[test]
fn r38_timing() {
    let clock = Arc::new(ManualClock::at(1_000_000_000));
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(unkeyed()).clock(clock.clone()).build();
    let call = recorder.inference("openai", "m").start();
    clock.advance(Duration::from_millis(20));
    call.finish();
    clock.advance(Duration::from_millis(100));
    let call = &calls(&recorder, &sink)[0];
    assert_eq!(call.closed_at.time_unix_nano - call.opened_at.time_unix_nano, 20_000_000);
}

#[test]
fn r39_fifty_overlapping_calls_stay_apart() {
    let (recorder, sink) = recorder();
    let started: Vec<_> =
        (0..50).map(|n| (n, recorder.inference("openai", &format!("m{n}")).input(format!("p{n}")).start())).collect();
    let (even, odd): (Vec<_>, Vec<_>) = started.into_iter().partition(|(n, _)| n % 2 == 0);
    for (n, mut call) in odd.into_iter().rev().chain(even) {
        call.output(Message::text(Role::Assistant, "x".repeat(n)));
        call.finish();
    }
    let calls = calls(&recorder, &sink);
    let ids: std::collections::BTreeSet<_> = calls.iter().map(|call| call.id).collect();
    assert_eq!(ids.len(), 50);
    for call in &calls {
        let n: u64 = call.opened.attrs.text(semconv::REQUEST_MODEL).unwrap()[1..].parse().unwrap();
        let (request, answer) = inference(call);
        assert_eq!(request.items[0].length, Some(format!("p{n}").len() as u64));
        assert_eq!(answer.items[0].length, Some(n));
    }
}

#[test]
fn r41_calls_are_children_of_their_turn_and_share_its_identity() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("planner").start();
    turn.inference("openai", "m").start().finish();
    let tool = turn.tool("delegate").start();
    let sub = tool.turn("worker").start();
    sub.inference("openai", "m").start().finish();
    sub.finish();
    tool.finish();
    turn.finish();
    let calls = calls(&recorder, &sink);
    let [first, inner, sub, tool, turn] = calls.as_slice() else { panic!("{}", calls.len()) };
    assert_eq!(first.opened.span.parent, Some(turn.opened.span.span));
    assert_eq!(first.scope, turn.scope);
    assert_eq!(turn.scope.rollout, turn.scope.turn);
    assert_eq!(&*turn.scope.rollout, format!("{}-{}", turn.opened.span.trace, turn.opened.span.span));
    assert_eq!(sub.opened.span.parent, Some(tool.opened.span.span));
    assert_eq!(sub.scope.rollout, turn.scope.rollout);
    assert_ne!(sub.scope.thread, turn.scope.thread);
    assert_eq!(inner.scope, sub.scope);
}

#[test]
fn a_turn_follows_the_turn_before_it_in_a_trace_of_its_own() {
    let (recorder, sink) = recorder();
    let first = recorder.turn("a").after(&CallRef::default()).conversation("c1").start();
    let reference = first.reference();
    first.finish();
    let mut second = recorder.turn("a").after(&reference).start();
    second.ends_rollout();
    second.finish();
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].scope.rollout, calls[1].scope.rollout);
    assert_eq!(calls[0].scope.thread, calls[1].scope.thread);
    assert_ne!(calls[0].scope.turn, calls[1].scope.turn);
    assert_ne!(calls[0].opened.span.trace, calls[1].opened.span.trace);
    assert!(calls[0].opened.links.is_empty());
    assert_eq!(calls[1].opened.links[0].span, calls[0].opened.span.span);
    assert_eq!(calls[1].closed.attrs.get(semconv::ROLLOUT_END), Some(true));
}

#[test]
fn history_is_told_once() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("a").start();
    let mut messages = vec![json!({ "role": "user", "content": "one" })];
    for _ in 0..17 {
        turn.inference("openai", "m").input(&messages).start().finish();
        assert!(recorder.flush(SOON).complete);
        messages.push(json!({ "role": "assistant", "content": "answer" }));
        messages.push(json!({ "role": "user", "content": "more" }));
    }
    let calls = calls(&recorder, &sink);
    let requests: Vec<_> = calls.iter().map(|call| inference(call).0).collect();
    assert_eq!((requests[0].prefix, requests[0].items.len()), (None, 1));
    for (before, after) in requests.iter().zip(&requests[1..16]) {
        assert_eq!((after.prefix, after.items.len()), (before.chain, 2));
    }
    assert_eq!((requests[16].prefix, requests[16].items.len()), (None, 33), "every sixteenth is a keyframe");
}

#[test]
fn content_over_the_bound_is_lost_and_its_call_is_kept() {
    let sink = Arc::new(MemorySink::default());
    let bounds = veilspan::intake::Bounds { content_bytes: 10, ..Default::default() };
    let recorder = Recorder::builder().sink(sink.clone()).policy(unkeyed()).bounds(bounds).build();
    recorder.inference("openai", "m").input("x".repeat(11)).start().finish();
    let call = &calls(&recorder, &sink)[0];
    assert_eq!(*inference(call).0, Default::default());
    assert_eq!(recorder.counts().dropped.of(Drop::ContentOverBound), 1);
    assert_eq!(recorder.counts().dropped.calls(), 0);
}

#[test]
fn a_value_over_four_mebibytes_is_told_by_its_length_alone() {
    let (recorder, sink) = recorder();
    recorder.inference("openai", "m").input("x".repeat((4 << 20) + 1)).start().finish();
    let call = &calls(&recorder, &sink)[0];
    let request = inference(call).0;
    assert_eq!((request.items[0].length, request.items[0].digest), (Some((4 << 20) + 1), None));
    assert_eq!(&*request.items[0].part_kinds, "oversize");
    assert_eq!(request.chain, None);
}

#[test]
fn no_span_grows_with_what_it_tells_of() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("a").start();
    let many = |count: usize| (0..count).map(|n| Message::text(Role::User, n.to_string())).collect::<Vec<_>>();
    turn.inference("openai", "m").input(many(10)).start().finish();
    assert!(recorder.flush(SOON).complete);
    let part = || Part::Encrypted(vec![1].into());
    let mut call = turn.inference("openai", "m").input(many(2000)).start();
    for _ in 0..1000 {
        call.output(Message { role: Role::Assistant, parts: (0..100).map(|_| part()).collect() }).finish_reason("stop");
    }
    call.finish();
    let calls = calls(&recorder, &sink);
    let (request, answer) = inference(&calls[1]);
    assert_eq!((request.prefix, request.items.len(), request.omitted), (None, 512, Some(1488)));
    assert_eq!((answer.items.len(), answer.blobs.len()), (512, 512));
    assert_eq!(calls[1].closed.attrs.get(semconv::FINISH_REASONS).unwrap().len(), 512);
}

/// Takes what it is given, and says that something was lost when it is told to.
#[derive(Default)]
struct Lossy {
    kept: MemorySink,
    losses: std::sync::atomic::AtomicU64,
}

impl Sink for Lossy {
    fn take(&self, record: Record) -> Result<(), Refused> {
        self.kept.take(record)
    }

    fn losses(&self) -> u64 {
        self.losses.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[test]
fn a_call_that_was_open_during_a_loss_is_no_prefix_for_the_next() {
    let sink = Arc::new(Lossy::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(unkeyed()).build();
    let turn = recorder.turn("a").start();
    let messages = |count: usize| (0..count).map(|n| Message::text(Role::User, n.to_string())).collect::<Vec<_>>();
    let flush = || assert!(recorder.flush(SOON).complete);
    turn.inference("openai", "m").input(messages(1)).start().finish();
    flush();
    let open = turn.inference("openai", "m").input(messages(2)).start();
    flush();
    sink.losses.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    open.finish();
    flush();
    turn.inference("openai", "m").input(messages(3)).start().finish();
    flush();
    turn.inference("openai", "m").input(messages(4)).start().finish();
    flush();
    let calls = sink.kept.calls();
    let told: Vec<_> =
        calls.iter().map(|call| (inference(call).0.prefix.is_some(), inference(call).0.items.len())).collect();
    assert_eq!(told, [(false, 1), (true, 1), (false, 3), (true, 1)]);
}

#[test]
fn every_finished_call_is_recorded_or_counted_whatever_time_a_shutdown_has() {
    for _ in 0..50 {
        let (recorder, sink) = recorder();
        (0..200).for_each(|_| recorder.tool("t").start().finish());
        recorder.shutdown(Duration::ZERO);
        // The pipeline may still be on its way through what it took.
        let deadline = std::time::Instant::now() + SOON;
        loop {
            let counts = recorder.counts();
            let told = counts.recorded + counts.dropped.calls();
            assert!(told <= 200, "{counts:?}");
            if told == 200 || std::time::Instant::now() > deadline {
                assert_eq!(told, 200, "{counts:?}");
                // A sink that was still busy when its time ran out may hold one that was written off.
                let taken = sink.calls().len() as u64;
                assert!((counts.recorded..=counts.recorded + 1).contains(&taken), "{taken} {counts:?}");
                break;
            }
        }
    }
}

#[test]
fn a_second_shutdown_hears_how_the_first_one_ended() {
    struct Slow;
    impl Sink for Slow {
        fn take(&self, _: Record) -> Result<(), Refused> {
            Ok(())
        }
        fn shutdown(&self, _: std::time::Instant) -> bool {
            std::thread::sleep(Duration::from_millis(300));
            true
        }
    }
    let recorder = Recorder::builder().sink(Arc::new(Slow)).policy(unkeyed()).build();
    recorder.tool("t").start().finish();
    let first = std::thread::spawn({
        let recorder = recorder.clone();
        move || recorder.shutdown(SOON)
    });
    while recorder.counts().recorded == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(Duration::from_millis(50));
    assert!(!recorder.shutdown(Duration::from_millis(10)).complete, "the first has not ended");
    assert!(recorder.shutdown(SOON).complete);
    assert!(first.join().unwrap().complete);
}

#[test]
fn a_segment_that_ends_in_a_wait_has_no_outcome() {
    let (recorder, sink) = recorder();
    recorder.turn("a").rollout("r").turn_id("t1").segment(0).start().wait();
    recorder.turn("a").rollout("r").turn_id("t1").segment(1).start().finish();
    let calls = calls(&recorder, &sink);
    assert_eq!(calls.iter().map(|call| call.closed.outcome).collect::<Vec<_>>(), [None, Some(Outcome::Completed)]);
    assert!(calls.iter().all(|call| call.scope.turn == "t1"));
}

#[test]
fn call_ids_increase_strictly_in_a_process_whichever_recorder_makes_them() {
    let ((one, first), (other, second)) = (recorder(), recorder());
    for _ in 0..100 {
        one.tool("t").start().finish();
        other.tool("t").start().finish();
    }
    let (ours, theirs) = (calls(&one, &first), calls(&other, &second));
    let ids: Vec<_> = ours.iter().zip(&theirs).flat_map(|(one, other)| [one.id, other.id]).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
}

#[test]
fn marks_keep_their_order_and_time_and_show_digests_alone() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("planner").start();
    turn.decision("delete the file").confidence(0.25).alternative("ask first").importance(0.9).record();
    turn.checkpoint("cp-1").framework("rig").label("after-plan").cut("01J=7").state("{}").record();
    let history = |text: &str| vec![Message::text(Role::User, text)];
    turn.compaction_installed("c-1").trigger("auto").replaced(history("a")).replacement(history("b")).record();
    turn.finish();
    let call = calls(&recorder, &sink).remove(0);
    let kinds: Vec<_> = call.marks.iter().map(|marked| marked.mark.kind).collect();
    assert_eq!(kinds, [MarkKind::Decision, MarkKind::Checkpoint, MarkKind::CompactionInstalled]);
    let seqs: Vec<_> = call.marks.iter().map(|marked| marked.at.seq).collect();
    assert!(call.opened_at.seq < seqs[0] && seqs.is_sorted() && seqs[2] < call.closed_at.seq);

    let [decision, checkpoint, installed] = [0, 1, 2].map(|place| &call.marks[place].mark);
    let Noted::Decision { action, alternatives } = &decision.noted else { panic!("{decision:?}") };
    assert_eq!((action.length, alternatives.len(), alternatives[0].length), (Some(15), 1, Some(9)));
    assert_eq!(decision.attrs.get(semconv::DECISION_CONFIDENCE), Some(0.25));
    assert_eq!(decision.attrs.get(semconv::IMPORTANCE), Some(0.9));
    assert_eq!(checkpoint.attrs.text(semconv::CHECKPOINT_CUT), Some("01J=7"));
    let Noted::Histories(histories) = &installed.noted else { panic!("{installed:?}") };
    assert_eq!((histories.replaced.items.len(), histories.replacement.items.len()), (1, 1));
    assert_eq!(installed.attrs.get(semconv::COMPACTION_REPLACED), Some(1));
    assert!(!format!("{call:?}").contains("delete the file"));
}

#[test]
fn marks_beyond_the_bound_are_counted_and_the_call_is_kept() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("planner").start();
    (0..CallRecord::<Veiled>::MAX_MARKS + 3).for_each(|_| turn.decision("go").record());
    turn.finish();
    let call = calls(&recorder, &sink).remove(0);
    assert_eq!((call.marks.len(), call.marks_dropped), (128, 3));
    assert_eq!(recorder.counts().dropped.of(veilspan::intake::Drop::MarkLost), 3);
    assert_eq!(recorder.counts().dropped.calls(), 0);
}
