//! The one path on which every kind of call closes: exactly once.

use std::future::Future;
use std::sync::Arc;

use bytestring::ByteString;

use crate::event::{Closed, Event, Kind, Mark, Outcome, Raw, RawAttrs, Returned, Source};
use crate::intake::Desk;
use crate::semconv::{Attr, ERROR_KIND, ERROR_RETRYABLE, ERROR_TYPE};

/// A call that has started. Dropped without an outcome it is `abandoned`, or `failed` where its thread panics.
pub(super) struct Handle {
    running: Option<Running>,
}

struct Running {
    desk: Arc<Desk>,
    /// The event that will close the call; only its time and its order are still wrong.
    event: Box<Event<Raw>>,
    on_drop: Outcome,
}

impl Handle {
    /// The handle of a call that nothing is told of: the recorder is disabled, or had no room for it.
    pub(super) const fn disabled() -> Self {
        Self { running: None }
    }

    /// `event` will close the call.
    pub(super) const fn new(desk: Arc<Desk>, event: Box<Event<Raw>>) -> Self {
        Self { running: Some(Running { desk, event, on_drop: Outcome::Abandoned }) }
    }

    /// Whether there is anybody to tell something to.
    pub(super) const fn is_recording(&self) -> bool {
        self.running.is_some()
    }

    /// What the call has returned so far.
    pub(super) fn returned(&mut self) -> Option<&mut Returned<Raw>> {
        match &mut self.running.as_mut()?.event.kind {
            Kind::Closed(_, returned) => Some(returned),
            _ => None,
        }
    }

    fn closed(&mut self) -> Option<&mut Closed<Raw>> {
        match &mut self.running.as_mut()?.event.kind {
            Kind::Closed(closed, _) => Some(closed),
            _ => None,
        }
    }

    pub(super) fn attrs(&mut self, set: impl FnOnce(&mut RawAttrs)) {
        if let Some(closed) = self.closed() {
            set(&mut closed.attrs);
        }
    }

    /// Tells something of the call at once.
    pub(super) fn mark(&self, mark: Mark<Raw>) {
        let Some(Running { desk, event, .. }) = &self.running else { return };
        let (scope, key, at) = (Arc::clone(&event.scope), event.key, desk.at(desk.now()));
        desk.mark(Box::new(Event { scope, key, at, source: Source::Recorder, kind: Kind::Marked(mark) }));
    }

    pub(super) fn text(&mut self, attr: Attr<ByteString>, value: &str) {
        self.attrs(|attrs| attrs.text(attr, value));
    }

    /// Marks the call as failed. That sticks: a result that comes after it does not take it back.
    pub(super) fn mark_failed(&mut self, kind: &str, retryable: Option<bool>) {
        self.settle(Outcome::Failed);
        self.attrs(|attrs| {
            attrs.text(ERROR_TYPE, kind);
            attrs.text(ERROR_KIND, kind);
            if let Some(retryable) = retryable {
                attrs.bool(ERROR_RETRYABLE, retryable);
            }
        });
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
        let Some(Running { desk, mut event, .. }) = self.running.take() else { return };
        event.at = desk.at(desk.now());
        desk.close(event);
    }

    /// Runs a future on behalf of the call: dropped before it is done, the call is `cancelled` and not `abandoned`.
    pub(super) async fn observe<F: Future>(&mut self, future: F) -> F::Output {
        let mut guard = CancelOnDrop(Some(self));
        let output = future.await;
        guard.0 = None;
        output
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if self.running.is_none() {
            return;
        }
        if std::thread::panicking() {
            self.mark_failed("panic", None);
        } else if let Some(outcome) = self.running.as_ref().map(|running| running.on_drop) {
            self.settle(outcome);
        }
        self.send();
    }
}

struct CancelOnDrop<'a>(Option<&'a mut Handle>);

impl Drop for CancelOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(running) = self.0.as_mut().and_then(|handle| handle.running.as_mut()) {
            running.on_drop = Outcome::Cancelled;
        }
    }
}
