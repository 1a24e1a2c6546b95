//! Streamed answers: how fast they come, and a stream that tells of itself.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use pin_project_lite::pin_project;

use super::answer::Failure;
use super::inference::Inference;
use crate::event::RawAttrs;
use crate::semconv::{OUTPUT_CHUNKS, TIME_PER_CHUNK, TIME_TO_FIRST_CHUNK};

/// How far a streamed answer is.
#[derive(Default)]
pub(super) struct Progress {
    chunks: u64,
    /// Nanoseconds from the call's opening.
    first: u64,
    last: u64,
}

impl Progress {
    /// Whether it was the first.
    pub(super) fn chunk(&mut self, elapsed: u64) -> bool {
        let is_first = self.chunks == 0;
        if is_first {
            self.first = elapsed;
        }
        // On another thread time may be some nanoseconds behind.
        self.last = self.last.max(elapsed);
        self.chunks = self.chunks.saturating_add(1);
        is_first
    }

    pub(super) fn tell(&self, attrs: &mut RawAttrs) {
        let seconds = |nanos: u64| nanos as f64 / 1e9;
        attrs.int(OUTPUT_CHUNKS, i64::try_from(self.chunks).unwrap_or(i64::MAX));
        attrs.double(TIME_TO_FIRST_CHUNK, seconds(self.first));
        if self.chunks > 1 {
            attrs.double(TIME_PER_CHUNK, seconds(self.last - self.first) / (self.chunks - 1) as f64);
        }
    }
}

/// A chunk of a streamed answer.
pub trait Chunk {
    /// Tells what it holds. That a chunk has come is told before.
    fn record(&self, inference: &mut Inference);
}

/// More of the answer's text.
impl Chunk for str {
    fn record(&self, inference: &mut Inference) {
        inference.output_more(self);
    }
}

/// More of the answer's text.
impl Chunk for String {
    fn record(&self, inference: &mut Inference) {
        inference.output_more(self);
    }
}

impl<C: Chunk + ?Sized> Chunk for &C {
    fn record(&self, inference: &mut Inference) {
        (**self).record(inference);
    }
}

impl Inference {
    /// A chunk of the answer has come: its time and number are told (`gen_ai.response.time_to_first_chunk`,
    /// `veilspan.output.chunks`, `veilspan.output.time_per_chunk`), and what it holds.
    pub fn chunk(&mut self, chunk: &(impl Chunk + ?Sized)) -> &mut Self {
        if self.handle.is_recording() {
            if self.handle.chunk() {
                self.mark(crate::event::MarkKind::FirstChunk, |_| {});
            }
            chunk.record(self);
        }
        self
    }

    /// The stream of the answer, which tells of itself: it completes the call with its end, fails it with an error, and
    /// cancels it where it is dropped before.
    pub fn stream<S>(mut self, stream: S) -> Streamed<S> {
        self.handle.cancel_on_drop(true);
        Streamed { stream, inference: Some(self) }
    }
}

pin_project! {
    /// A stream of a model's answer that tells of itself. See [`Inference::stream`].
    #[must_use = "a stream does nothing until it is polled"]
    pub struct Streamed<S> {
        #[pin]
        stream: S,
        inference: Option<Inference>,
    }
}

impl<S, T, E> Stream for Streamed<S>
where
    S: Stream<Item = Result<T, E>>,
    T: Chunk,
    E: Failure,
{
    type Item = Result<T, E>;

    fn poll_next(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.project();
        let polled = match this.inference.as_ref() {
            Some(inference) => inference.context().in_scope(|| this.stream.poll_next(task)),
            None => this.stream.poll_next(task),
        };
        if let (Poll::Ready(item), Some(inference)) = (&polled, this.inference.as_mut()) {
            match item {
                Some(Ok(chunk)) => drop(inference.chunk(chunk)),
                Some(Err(error)) => inference.mark_failed_with(error),
                None => {
                    if let Some(inference) = this.inference.take() {
                        inference.finish();
                    }
                }
            }
        }
        polled
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.stream.size_hint()
    }
}

impl<S> fmt::Debug for Streamed<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streamed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunk_that_another_thread_saw_earlier_takes_no_time_away() {
        let (mut progress, mut attrs) = (Progress::default(), RawAttrs::default());
        assert!([5_000, 4_990, 4_000].map(|elapsed| progress.chunk(elapsed)) == [true, false, false]);
        progress.tell(&mut attrs);
        let per_chunk = attrs.iter().find(|(id, _)| *id == TIME_PER_CHUNK.id());
        assert!(matches!(per_chunk, Some((_, crate::event::RawValue::Double(0.0)))));
    }
}
