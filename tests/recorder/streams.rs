//! Streamed answers.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use serde_json::{Value, json};
use veilspan::event::{ManualClock, MarkKind, Outcome};
use veilspan::record::Fault;
use veilspan::testing::MemorySink;
use veilspan::{Recorder, semconv};

use super::common::*;

/// Gives one item each time, and lets 10 ms pass before it.
struct Chunks(VecDeque<Result<&'static str, Fault>>, Arc<ManualClock>);

impl Stream for Chunks {
    type Item = Result<&'static str, Fault>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.1.advance(Duration::from_millis(10));
        Poll::Ready(self.0.pop_front())
    }
}

fn streaming() -> (Recorder, Arc<MemorySink>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(1_000_000_000));
    let sink = Arc::new(MemorySink::default());
    (Recorder::builder().sink(sink.clone()).policy(unkeyed()).clock(clock.clone()).build(), sink, clock)
}

async fn read(mut stream: impl Stream<Item = Result<&'static str, Fault>> + Unpin, at_most: usize) -> usize {
    let mut count = 0;
    while count < at_most && std::future::poll_fn(|task| Pin::new(&mut stream).poll_next(task)).await.is_some() {
        count += 1;
    }
    count
}

#[tokio::test]
async fn a_stream_tells_how_fast_it_came_and_the_answer_as_a_whole() {
    let (recorder, sink, clock) = streaming();
    let chunks = Chunks(["hi ", "the", "re"].map(Ok).into(), clock);
    let call = recorder.inference("openai", "m").streaming().start();
    assert_eq!(read(call.stream(chunks), 9).await, 3);
    recorder.inference("openai", "m").start().finish_with::<_, std::io::Error>(&Ok("hi there".to_owned()));
    let calls = calls(&recorder, &sink);
    let (call, attrs) = (&calls[0], &calls[0].closed.attrs);
    assert_eq!(call.closed.outcome, Some(Outcome::Completed));
    assert_eq!(inference(call).1, inference(&calls[1]).1);
    assert_eq!(attrs.get(semconv::OUTPUT_CHUNKS), Some(3));
    assert_eq!(attrs.get(semconv::TIME_TO_FIRST_CHUNK), Some(0.01));
    assert_eq!(attrs.get(semconv::TIME_PER_CHUNK), Some(0.01));
    assert_eq!(call.marks.len(), 1);
    assert_eq!(call.marks[0].mark.kind, MarkKind::FirstChunk);
    assert_eq!(call.marks[0].at.time_unix_nano, call.opened_at.time_unix_nano + 10_000_000);
}

#[tokio::test]
async fn a_stream_that_is_dropped_is_cancelled_and_one_that_fails_has_failed_with_what_came() {
    let (recorder, sink, clock) = streaming();
    let chunks = || ["par", "tial"].map(Ok);
    let dropped = recorder.inference("openai", "m").start().stream(Chunks(chunks().into(), clock.clone()));
    assert_eq!(read(dropped, 1).await, 1);
    let failing = chunks().into_iter().chain([Err(Fault::new("overloaded").retryable(true))]).collect();
    let failing = recorder.inference("openai", "m").start().stream(Chunks(failing, clock));
    assert_eq!(read(failing, 9).await, 3);
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].closed.outcome, Some(Outcome::Cancelled));
    assert_eq!(inference(&calls[0]).1.items[0].length, Some(3));
    assert_eq!(calls[1].closed.outcome, Some(Outcome::Failed));
    assert_eq!(calls[1].closed.attrs.text(semconv::ERROR_KIND), Some("overloaded"));
    assert_eq!(inference(&calls[1]).1.items[0].length, Some(7));
}

#[test]
fn a_streamed_text_over_four_mebibytes_is_told_by_its_length_alone() {
    let (recorder, sink, _clock) = streaming();
    let mut call = recorder.inference("openai", "m").start();
    let chunk = "x".repeat(1 << 20);
    (0..5).for_each(|_| {
        call.chunk(&chunk);
    });
    call.finish();
    let call = calls(&recorder, &sink).remove(0);
    let answer = inference(&call).1;
    assert_eq!((answer.items[0].length, answer.items[0].digest), (Some(5 << 20), None));
}

/// The answer that a stream of events tells, beside the same one told whole.
fn streamed_and_whole(
    events: &[serde_json::Value],
    whole: &serde_json::Value,
) -> [veilspan::event::CallRecord<veilspan::event::Veiled>; 2] {
    let (recorder, sink, _clock) = streaming();
    let mut call = recorder.inference("p", "m").start();
    events.iter().for_each(|event| {
        call.chunk(event);
    });
    call.finish();
    recorder.inference("p", "m").start().finish_with::<_, std::io::Error>(&Ok(whole));
    calls(&recorder, &sink).try_into().unwrap()
}

#[test]
fn a_streamed_answer_is_the_same_as_a_whole_one_whoever_streams_it() {
    let chat_whole = json!({ "id": "c1", "model": "m-1", "choices": [{ "finish_reason": "tool_calls", "message": {
        "role": "assistant", "content": "let me see", "tool_calls": [
            { "id": "a", "function": { "name": "add", "arguments": "{\"a\":1}" } },
            { "id": "b", "function": { "name": "sub", "arguments": "{}" } }] } }],
        "usage": { "prompt_tokens": 7, "completion_tokens": 3 } });
    let delta = |delta: Value| json!({ "id": "c1", "model": "m-1", "choices": [{ "index": 0, "delta": delta }] });
    let chat = [
        delta(json!({ "role": "assistant", "content": "" })),
        delta(json!({ "content": "let me" })),
        delta(json!({ "content": " see" })),
        delta(json!({ "tool_calls": [{ "index": 0, "id": "a", "function": { "name": "add", "arguments": "" } }] })),
        delta(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": "{\"a\"" } }] })),
        delta(json!({ "tool_calls": [{ "index": 1, "id": "b", "function": { "name": "sub", "arguments": "{}" } }] })),
        delta(json!({ "tool_calls": [{ "index": 0, "function": { "arguments": ":1}" } }] })),
        json!({ "id": "c1", "model": "m-1", "choices": [{ "index": 0, "delta": {}, "finish_reason": "tool_calls" }] }),
        json!({ "id": "c1", "model": "m-1", "choices": [], "usage": { "prompt_tokens": 7, "completion_tokens": 3 } }),
    ];
    let messages_whole = json!({ "id": "m1", "model": "m-1", "role": "assistant", "stop_reason": "tool_use", "content": [
        { "type": "thinking", "thinking": "easy" }, { "type": "text", "text": "let me see" },
        { "type": "tool_use", "id": "a", "name": "add", "input": { "a": 1 } },
        { "type": "tool_use", "id": "b", "name": "sub", "input": {} }],
        "usage": { "input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 3 } });
    let block = |kind: &str, text: &str| json!({ "type": "content_block_delta", "delta": { kind: text } });
    let tool = |id: &str, name: &str| json!({ "type": "content_block_start", "content_block": { "type": "tool_use", "id": id, "name": name } });
    let messages = [
        json!({ "type": "message_start", "message": { "id": "m1", "model": "m-1", "usage": { "input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 1 } } }),
        json!({ "type": "ping" }),
        block("thinking", "ea"),
        block("thinking", "sy"),
        block("text", "let me"),
        block("text", " see"),
        tool("a", "add"),
        block("partial_json", "{\"a\""),
        block("partial_json", ":1}"),
        json!({ "type": "content_block_stop" }),
        tool("b", "sub"),
        json!({ "type": "content_block_stop" }),
        json!({ "type": "message_delta", "delta": { "stop_reason": "tool_use" }, "usage": { "output_tokens": 3 } }),
        json!({ "type": "message_stop" }),
    ];
    for (events, whole) in [(&chat[..], chat_whole), (&messages[..], messages_whole)] {
        let [streamed, whole] = streamed_and_whole(events, &whole);
        assert_eq!(inference(&streamed).1, inference(&whole).1);
        for attr in [semconv::INPUT_TOKENS, semconv::OUTPUT_TOKENS, semconv::CACHE_READ_TOKENS] {
            assert_eq!(streamed.closed.attrs.get(attr), whole.closed.attrs.get(attr), "{}", attr.key());
        }
        for attr in [semconv::RESPONSE_ID, semconv::RESPONSE_MODEL] {
            assert_eq!(streamed.closed.attrs.get(attr), whole.closed.attrs.get(attr), "{}", attr.key());
        }
        let reasons = |call: &veilspan::event::CallRecord<veilspan::event::Veiled>| {
            call.closed.attrs.get(semconv::FINISH_REASONS)
        };
        assert_eq!(reasons(&streamed), reasons(&whole));
    }
}

#[test]
fn nonsense_in_a_stream_is_a_chunk_and_no_more() {
    let (recorder, sink, _clock) = streaming();
    let mut call = recorder.inference("p", "m").start();
    for event in [
        json!(null),
        json!(7),
        json!({ "type": 3 }),
        json!({ "choices": {} }),
        json!({ "choices": [{ "delta": { "tool_calls": [{ "index": 9, "function": { "arguments": "x" } }] } }] }),
    ] {
        call.chunk(&event);
    }
    call.finish();
    let call = calls(&recorder, &sink).remove(0);
    assert_eq!(call.closed.attrs.get(semconv::OUTPUT_CHUNKS), Some(5));
    assert!(inference(&call).1.items.iter().all(|item| item.length == Some(0)));
}
