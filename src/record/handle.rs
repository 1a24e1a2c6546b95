//! The one path on which every kind of call is marked and closes: exactly once.

use std::future::Future;

use bytestring::ByteString;

use super::place::{LentOrigin, LentPlace, Origin};
use super::sheet::{Kept, Sheet};
use crate::event::{
    Closed, EdgeKind, Event, Key, Kind, Link, Mark, Outcome, Raw, RawAttrs, RawText, RawValue, ResultContent, Returned,
    SpanId, TraceId,
};
use crate::intake::closing;
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

/// A call whose opening has been taken. Only the time and the order of the event that will close it are still wrong.
pub(super) struct Running(Kept);

impl Running {
    /// A call of which all is known but its end.
    pub(super) const fn new(sheet: Kept) -> Self {
        Self(sheet)
    }

    #[inline]
    fn closing(&mut self) -> &mut Event<Raw> {
        let sheet = &mut *self.0;
        let key = sheet.key();
        let Sheet { event, scope, .. } = sheet;
        event.get_or_insert_with(|| closing(scope, key))
    }

    /// What is known of its end.
    #[inline]
    fn closed(&mut self) -> Option<&mut Closed<Raw>> {
        match &mut self.closing().kind {
            Kind::Closed(closed, _) => Some(closed),
            // The constructor makes no other.
            _ => None,
        }
    }

    fn send(mut self) {
        if let Some(progress) = self.0.progress.take()
            && let Some(closed) = self.closed()
        {
            progress.tell(&mut closed.attrs);
        }
        let sheet = &mut *self.0;
        if let Some(desk) = &sheet.desk {
            let mut event = sheet.event.take().unwrap_or_else(|| closing(&sheet.scope, sheet.key()));
            // A call that was opened by another clock's time must not end before it began.
            event.at = desk.at(desk.now().max(sheet.opened_unix_nano));
            desk.close(event);
        }
        self.0.give_back();
    }
}

impl Handle {
    /// The handle of a call of a recorder that records nothing.
    pub(super) const fn disabled() -> Self {
        Self(State::Disabled)
    }

    pub(super) fn untaken(origin: Origin) -> Self {
        Self(State::Untaken(Box::new(origin)))
    }

    pub(super) const fn running(running: Running) -> Self {
        Self(State::Running(running))
    }

    fn sheet(&self) -> Option<&Sheet> {
        match &self.0 {
            State::Running(Running(sheet)) => Some(sheet),
            _ => None,
        }
    }

    #[inline]
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
    pub(super) fn lent(&self) -> Option<LentOrigin<'_>> {
        match &self.0 {
            State::Disabled => None,
            State::Untaken(origin) => Some(origin.lend()),
            State::Running(Running(sheet)) => {
                let place = LentPlace { scope: &sheet.scope, trace: sheet.trace, span: sheet.span, is_remote: false };
                Some(LentOrigin { desk: sheet.desk.as_ref()?, parent: Some(place), remote: None })
            }
        }
    }

    /// The call's key, where it is recorded.
    pub(super) fn key(&self) -> Option<Key> {
        self.sheet().map(Sheet::key)
    }

    /// Nanoseconds since the call opened; nothing where it is not recorded.
    pub(super) fn elapsed(&self) -> Option<u64> {
        let sheet = self.sheet()?;
        Some(sheet.desk.as_ref()?.now().saturating_sub(sheet.opened_unix_nano))
    }

    /// What the call has returned so far.
    pub(super) fn returned(&mut self) -> Option<&mut Returned<Raw>> {
        match &mut self.as_running_mut()?.closing().kind {
            Kind::Closed(_, returned) => Some(returned),
            _ => None,
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
        self.as_running_mut().is_some_and(|running| running.0.progress.get_or_insert_default().chunk(elapsed))
    }

    #[inline]
    fn closed(&mut self) -> Option<&mut Closed<Raw>> {
        self.as_running_mut()?.closed()
    }

    #[inline]
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
        if let Some(sheet) = self.sheet()
            && let Some(desk) = &sheet.desk
        {
            desk.mark(&sheet.scope, sheet.key(), mark);
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
    pub(super) fn has_failed(&mut self) -> bool {
        self.closed().is_some_and(|closed| closed.outcome.is_some())
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
            running.send();
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
    pub(super) fn cancel_on_drop(&mut self, cancel: bool) {
        if let Some(running) = self.as_running_mut() {
            running.0.on_drop = if cancel { Outcome::Cancelled } else { Outcome::Abandoned };
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
        let Some(on_drop) = self.sheet().map(|sheet| sheet.on_drop) else { return };
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
