//! Streamed answers.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
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
