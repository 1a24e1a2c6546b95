//! An answer on its way from the upstream to the client, and what is recorded of it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_core::Stream;
use http::StatusCode;
use http_body::Body;
use hyper::body::Incoming;
use serde_json::Value;

use super::MAX_BODY;
use crate::event::wipe;
use crate::record::{Chunk, Fault, Inference};
use crate::replay::{Api, Gathered, Gathering};

/// The body of an answer. Each chunk goes on when it comes.
pub(super) struct Passing {
    body: Incoming,
    kept: Kept,
    /// Until it is known what came of it.
    call: Option<Inference>,
}

/// What is kept of a body.
enum Kept {
    Stream(Box<Gathering>),
    Whole(Vec<u8>),
    /// An error's, which is told by its status alone.
    Failure(StatusCode),
}

/// The upstream broke off.
#[derive(Debug, thiserror::Error)]
#[error("the upstream broke off")]
pub(super) struct Broken;

/// A chunk of which only that it came is told: what it holds is gathered.
struct Came;

impl Chunk for Came {
    fn record(&self, _: &mut Inference) {}
}

impl Passing {
    pub(super) fn new(api: Api, status: StatusCode, is_stream: bool, body: Incoming, call: Inference) -> Self {
        let kept = match is_stream {
            _ if !status.is_success() => Kept::Failure(status),
            true => Kept::Stream(Box::new(Gathering::new(api))),
            false => Kept::Whole(Vec::new()),
        };
        Self { body, kept, call: Some(call) }
    }

    fn take(&mut self, bytes: &Bytes) {
        match &mut self.kept {
            Kept::Stream(gathering) => {
                gathering.take(bytes);
                if let Some(call) = &mut self.call {
                    call.chunk(&Came);
                }
            }
            // One byte more says that it was too long.
            Kept::Whole(whole) => {
                let room = (MAX_BODY + 1).saturating_sub(whole.len());
                whole.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
            }
            Kept::Failure(_) => {}
        }
    }

    /// Tells what came, and says whether that is all of it.
    fn tell(&mut self, call: &mut Inference) -> Result<(), Fault> {
        match std::mem::replace(&mut self.kept, Kept::Whole(Vec::new())) {
            Kept::Stream(gathering) => {
                let Gathered { body, is_whole } = gathering.finish();
                if let Some(body) = &body {
                    call.answer(body);
                }
                if is_whole { Ok(()) } else { Err(Fault::new("stream_broken")) }
            }
            Kept::Whole(mut whole) => {
                let read = if whole.len() > MAX_BODY { None } else { serde_json::from_slice::<Value>(&whole).ok() };
                wipe(&mut whole);
                call.answer(&read.ok_or_else(|| Fault::new("unreadable_answer"))?);
                Ok(())
            }
            Kept::Failure(status) => {
                let again = status == StatusCode::REQUEST_TIMEOUT
                    || status == StatusCode::CONFLICT
                    || status == StatusCode::TOO_MANY_REQUESTS
                    || status.is_server_error();
                Err(Fault::new(status.as_u16().to_string()).retryable(again))
            }
        }
    }

    fn ended(&mut self) {
        let Some(mut call) = self.call.take() else { return };
        match self.tell(&mut call) {
            Ok(()) => call.finish(),
            Err(fault) => call.fail_with(&fault),
        }
    }

    fn broke_off(&mut self) {
        let Some(mut call) = self.call.take() else { return };
        // What came is told all the same.
        let _ = self.tell(&mut call);
        call.disconnect();
    }
}

impl Stream for Passing {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(task) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(frame))) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.take(&bytes);
                        return Poll::Ready(Some(Ok(bytes)));
                    }
                }
                Poll::Ready(Some(Err(_))) => {
                    self.broke_off();
                    return Poll::Ready(Some(Err(Broken)));
                }
                Poll::Ready(None) => {
                    self.ended();
                    return Poll::Ready(None);
                }
            }
        }
    }
}

impl Drop for Passing {
    /// The client does not want the rest. Where that is only the end of what it has already, all of it came.
    fn drop(&mut self) {
        let is_failure = matches!(self.kept, Kept::Failure(_));
        let Some(mut call) = self.call.take() else { return };
        match self.tell(&mut call) {
            Ok(()) => call.finish(),
            Err(fault) if is_failure => call.fail_with(&fault),
            Err(_) => call.cancel(),
        }
    }
}
