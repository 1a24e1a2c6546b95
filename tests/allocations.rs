//! What recording costs the calling thread in memory.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::sync::Arc;

use veilspan::environment::Environment;
use veilspan::intake::Sink;
use veilspan::record::Turn;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

fn record(turn: &Turn) {
    let call = turn.inference("openai", "gpt-4.1").server("api.openai.com", 443).temperature(0.7).top_p(0.9);
    let mut call = call.max_tokens(4096).start();
    call.response_id("chatcmpl-9f1c2b7e5d6a4c0e8b3f7a1d2c4e6f80").response_model("gpt-4.1").finish_reason("stop");
    call.tokens(1834, 412).cache_read_tokens(1024);
    call.finish();
}

#[test]
fn a_call_with_fourteen_attributes_takes_two_allocations() {
    let policy = Policy::builder().build_in(&Environment::default()).0;
    let sink: Arc<dyn Sink> = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink).policy(policy).build();
    let turn = recorder.turn("agent").start();
    // The queue grows to what it needs.
    (0..1000).for_each(|_| record(&turn));
    let counted = allocation_counter::measure(|| (0..100).for_each(|_| record(&turn)));
    assert!(counted.count_total <= 210, "{} allocations of 100 calls", counted.count_total);
}

#[test]
fn what_can_be_taken_is_not_copied() {
    let policy = Policy::builder().build_in(&Environment::default()).0;
    let sink: Arc<dyn Sink> = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink).policy(policy).build();
    let turn = recorder.turn("agent").start();
    (0..100).for_each(|_| record(&turn));
    let text = "x".repeat(1 << 20);
    let shared: Arc<str> = text.as_str().into();
    let body = serde_json::json!({ "messages": [{ "role": "user", "content": text }] });
    let list = vec![serde_json::json!({ "role": "user", "content": text })];
    let (result, output) = (text.clone(), text.clone());
    let counted = allocation_counter::measure(|| {
        turn.inference("openai", "m").input(text).start().cancel();
        turn.inference("openai", "m").input(shared).start().cancel();
        turn.inference("openai", "m").input(body).start().cancel();
        turn.inference("openai", "m").input(list).start().cancel();
        let mut tool = turn.tool("t").arguments(result).start();
        tool.result(output);
        tool.finish();
    });
    assert!(counted.bytes_total < 100_000, "{counted:?}");
}

#[test]
fn a_disabled_recorder_takes_none() {
    let turn = Recorder::disabled().turn("agent").start();
    let counted = allocation_counter::measure(|| (0..100).for_each(|_| record(&turn)));
    assert_eq!(counted.count_total, 0);
}

/// The events of a rollout of model requests: each a turn of its own, with digests that do not repeat.
fn event(rollout: u64, number: u64) -> veilspan::event::Event<veilspan::event::Veiled> {
    use veilspan::event::{
        Algorithm, At, Attrs, CallId, CallKind, Digest, Event, Given, Input, Key, KeyIdentity, Kind, Opened, Scope,
        Source, SpanId, SpanIds, TraceId,
    };
    let mut bytes = [7; 32];
    bytes[..8].copy_from_slice(&(rollout << 32 | number).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    let chain = Some(Digest { algorithm: Algorithm::HmacSha256, bytes });
    let id = format!("rollout-{rollout}");
    let turn = format!("turn-{number}").into();
    let scope = Arc::new(Scope { tenant: None, thread: id.as_str().into(), turn, rollout: id.into() });
    let key =
        Key { kind: CallKind::Inference, id: KeyIdentity::Call(CallId::from(u128::from(number + 1))), occurrence: 0 };
    let span = SpanIds {
        trace: TraceId::from_bytes([3; 16]).unwrap(),
        span: SpanId::from_bytes((number + 1).to_be_bytes()).unwrap(),
        parent: None,
        parent_is_remote: false,
    };
    let opened = Opened { span, attrs: Attrs::default(), links: Vec::new(), policy: None };
    let kind = Kind::Opened(opened, Given::Request(Input { chain, ..Input::default() }));
    let at = At { time_unix_nano: 1_700_000_000_000_000_000 + number, producer: None, seq: Some(number) };
    Event { scope, key, at, source: Source::Otlp, kind }
}

/// Both what a rollout holds and what it takes that there is one.
#[test]
fn what_reduction_reckons_is_what_it_holds() {
    use veilspan::reduce::{Facts, Limits, Reducer};

    for (rollouts, each) in [(1, 20_000), (5_000, 1)] {
        let (mut facts, mut reducer) = (Facts::default(), Reducer::new(Limits::default()));
        let of_facts = allocation_counter::measure(|| {
            (0..rollouts).for_each(|rollout| {
                (0..each).for_each(|number| {
                    facts.absorb(&event(rollout, number));
                })
            })
        });
        let of_reducer = allocation_counter::measure(|| {
            (0..rollouts).for_each(|rollout| {
                (0..each).for_each(|number| {
                    reducer.on(event(rollout, number), 0);
                })
            })
        });
        for (what, reckoned, held) in
            [("facts", facts.bytes(), of_facts.bytes_current), ("reducer", reducer.bytes(), of_reducer.bytes_current)]
        {
            let held = usize::try_from(held).unwrap();
            // What a table has made room for ahead of time may be as much again.
            assert!(held <= 2 * reckoned, "{what} of {rollouts} rollouts: {held} bytes, reckoned as {reckoned}");
            assert!(reckoned <= 2 * held, "{what} of {rollouts} rollouts: {held} bytes, reckoned as {reckoned}");
        }
    }
}
