//! The one path on which every kind of call is marked and closes: exactly once.

use std::future::Future;
use std::sync::Arc;

use bytestring::ByteString;

use super::place::{Origin, Place};
use super::stream::Progress;
use crate::event::{
    Closed, EdgeKind, Event, Key, Kind, Link, Mark, Outcome, Raw, RawAttrs, RawText, RawValue, ResultContent, Returned,
    SpanId, TraceId,
};
use crate::intake::Desk;
use crate::semconv::{Attr, ERROR_HANDLED, ERROR_KIND, ERROR_RETRYABLE, ERROR_TYPE};

/// A call that has started. Dropped without an outcome it is `abandoned`, or `failed` where its thread panics.
pub(super) struct Handle(State);

enum State {
    /// The recorder records nothing.
    Disabled,
    /// Nothing is told of this call: its rollout is not sampled, or there was no room. What is part of it still belongs
    /// where it does.
    Untaken(Box<Origin>),
    Running(Running),
}

struct Running {
    desk: Arc<Desk>,
    trace: TraceId,
    span: SpanId,
    opened_unix_nano: u64,
    /// The event that will close the call; only its time and its order are still wrong.
    event: Box<Event<Raw>>,
    /// Of a streamed answer.
    progress: Option<Box<Progress>>,
    on_drop: Outcome,
}

impl Handle {
    /// The handle of a call of a recorder that records nothing.
    pub(super) const fn disabled() -> Self {
        Self(State::Disabled)
    }

    pub(super) fn untaken(origin: Origin) -> Self {
        Self(State::Untaken(Box::new(origin)))
    }

    /// `event` will close the call, whose opening has been taken; its time is that of the opening.
    pub(super) const fn running(desk: Arc<Desk>, trace: TraceId, span: SpanId, event: Box<Event<Raw>>) -> Self {
        let opened_unix_nano = event.at.time_unix_nano;
        Self(State::Running(Running {
            desk,
            trace,
            span,
            opened_unix_nano,
            event,
            progress: None,
            on_drop: Outcome::Abandoned,
        }))
    }

    const fn as_running(&self) -> Option<&Running> {
        match &self.0 {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    const fn as_running_mut(&mut self) -> Option<&mut Running> {
        match &mut self.0 {
            State::Running(running) => Some(running),
            _ => None,
        }
    }

    /// Whether there is anybody to tell something to.
    pub(super) const fn is_recording(&self) -> bool {
        matches!(self.0, State::Running(_))
    }

    /// Where the calls that are part of this one belong; nothing where the recorder is disabled.
    pub(super) fn origin(&self) -> Option<Origin> {
        match &self.0 {
            State::Disabled => None,
            State::Untaken(origin) => Some((**origin).clone()),
            State::Running(Running { desk, trace, span, event, .. }) => {
                let place = Place { scope: Arc::clone(&event.scope), trace: *trace, span: *span, is_remote: false };
                Some(Origin { desk: Arc::clone(desk), parent: Some(place), remote: None })
            }
        }
    }

    /// The call's key, where it is recorded.
    pub(super) fn key(&self) -> Option<Key> {
        self.as_running().map(|running| running.event.key)
    }

    /// Nanoseconds since the call opened; nothing where it is not recorded.
    pub(super) fn elapsed(&self) -> Option<u64> {
        self.as_running().map(|running| running.desk.now().saturating_sub(running.opened_unix_nano))
    }

    /// What the call has returned so far.
    pub(super) const fn returned(&mut self) -> Option<&mut Returned<Raw>> {
        match self.as_running_mut() {
            Some(running) => match &mut running.event.kind {
                Kind::Closed(_, returned) => Some(returned),
                _ => None,
            },
            None => None,
        }
    }

    /// Several texts that the call has returned, where its kind returns such.
    pub(super) fn add_text(&mut self, text: impl FnOnce() -> ResultContent) {
        if let Some(Returned::Texts(texts)) = self.returned() {
            texts.push(text());
        }
    }

    /// A chunk of a streamed answer has come. `true`: it was the first.
    pub(super) fn chunk(&mut self) -> bool {
        let Some(elapsed) = self.elapsed() else { return false };
        self.as_running_mut().is_some_and(|running| running.progress.get_or_insert_default().chunk(elapsed))
    }

    const fn closed(&mut self) -> Option<&mut Closed<Raw>> {
        match self.as_running_mut() {
            Some(running) => match &mut running.event.kind {
                Kind::Closed(closed, _) => Some(closed),
                _ => None,
            },
            None => None,
        }
    }

    pub(super) fn attrs(&mut self, set: impl FnOnce(&mut RawAttrs)) {
        if let Some(closed) = self.closed() {
            set(&mut closed.attrs);
        }
    }

    /// Whether it has been told before.
    pub(super) fn tells(&mut self, attr: Attr<ByteString>) -> bool {
        self.closed().is_some_and(|closed| closed.attrs.iter().any(|(id, _)| id == attr.id()))
    }

    pub(super) fn text(&mut self, attr: Attr<ByteString>, value: &str) {
        self.attrs(|attrs| attrs.text(attr, value));
    }

    /// A count beyond what the wire can hold is the largest that it can.
    pub(super) fn count(&mut self, attr: Attr<i64>, count: u64) {
        self.attrs(|attrs| attrs.int(attr, i64::try_from(count).unwrap_or(i64::MAX)));
    }

    pub(super) fn link(&mut self, trace: TraceId, span: SpanId, kind: EdgeKind) {
        if let Some(closed) = self.closed() {
            closed.links.push(Link { trace, span, kind: Some(kind) });
        }
    }

    /// Tells something of the call at once.
    pub(super) fn mark(&self, mark: Mark<Raw>) {
        if let Some(Running { desk, event, .. }) = self.as_running() {
            desk.mark(&event.scope, event.key, mark);
        }
    }

    /// Marks the call as failed. That sticks: a result that comes after it does not take it back. Of several errors the
    /// last one counts, and the one before it is kept as handled.
    pub(super) fn mark_failed(&mut self, kind: &str, retryable: Option<bool>) {
        self.settle(Outcome::Failed);
        self.attrs(|attrs| {
            if let Some(before) = last_text(attrs, ERROR_KIND) {
                attrs.text(ERROR_HANDLED, &before);
            }
            attrs.text(ERROR_TYPE, kind);
            attrs.text(ERROR_KIND, kind);
            if let Some(retryable) = retryable {
                attrs.bool(ERROR_RETRYABLE, retryable);
            }
        });
    }

    /// Whether it has been marked as failed.
    pub(super) const fn has_failed(&mut self) -> bool {
        match self.closed() {
            Some(closed) => closed.outcome.is_some(),
            None => false,
        }
    }

    /// What an error said of itself.
    pub(super) fn error_text(&mut self, text: impl FnOnce() -> RawText) {
        if let Some(closed) = self.closed() {
            closed.error = Some(ResultContent::Text(text()));
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        if let Some(closed) = self.closed() {
            closed.outcome.get_or_insert(outcome);
        }
    }

    /// Closes the call with this outcome, unless it has one already.
    pub(super) fn close(mut self, outcome: Outcome) {
        self.settle(outcome);
        self.send();
    }

    /// Closes the call without an outcome: it goes on elsewhere.
    pub(super) fn close_open_ended(mut self) {
        self.send();
    }

    fn send(&mut self) {
        if let State::Running(running) = std::mem::replace(&mut self.0, State::Disabled) {
            let Running { desk, mut event, opened_unix_nano, progress, .. } = running;
            if let (Some(progress), Kind::Closed(closed, _)) = (progress, &mut event.kind) {
                progress.tell(&mut closed.attrs);
            }
            // A call that was opened by another clock's time must not end before it began.
            event.at = desk.at(desk.now().max(opened_unix_nano));
            desk.close(event);
        }
    }

    /// Runs a future on behalf of the call: dropped before it is done, the call is `cancelled` and not `abandoned`.
    pub(super) async fn observe<F: Future>(&mut self, future: F) -> F::Output {
        let mut guard = CancelOnDrop(Some(self));
        let output = future.await;
        guard.0 = None;
        output
    }

    /// From now on the call is `cancelled` where it is dropped, or is `abandoned` again.
    pub(super) const fn cancel_on_drop(&mut self, cancel: bool) {
        if let Some(running) = self.as_running_mut() {
            running.on_drop = if cancel { Outcome::Cancelled } else { Outcome::Abandoned };
        }
    }
}

fn last_text(attrs: &RawAttrs, attr: Attr<ByteString>) -> Option<String> {
    let texts = attrs.iter().filter(|(id, _)| *id == attr.id()).filter_map(|(_, value)| match value {
        RawValue::Text(text) => std::str::from_utf8(text).ok(),
        _ => None,
    });
    texts.last().map(str::to_owned)
}

impl Drop for Handle {
    fn drop(&mut self) {
        let Some(on_drop) = self.as_running().map(|running| running.on_drop) else { return };
        if std::thread::panicking() {
            self.mark_failed("panic", None);
        } else {
            self.settle(on_drop);
        }
        self.send();
    }
}

struct CancelOnDrop<'a>(Option<&'a mut Handle>);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(handle) = self.0.as_mut() {
            handle.cancel_on_drop(true);
        }
    }
}
