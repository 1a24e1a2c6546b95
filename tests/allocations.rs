//! What recording costs the calling thread in memory.
#![allow(clippy::unwrap_used)]

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
