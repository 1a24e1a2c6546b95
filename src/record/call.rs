//! A call that runs: what every kind has in common.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use super::ambient::{Context, Instrumented, ToolId};
use super::answer::Failure;
use super::handle::Handle;
use super::mark::{Checkpoint, Decision, Installed};
use super::place::{CallRef, LentOrigin, Origin};
use super::tool::IntoResult;
use crate::event::{CallKind, EdgeKind, Mark, MarkKind, Noted, Outcome, RawAttrs, RawText, Scope, TraceId};
use crate::semconv::{CANCEL_REASON, IMPORTANCE};

/// A kind of call. Sealed: each is a type of [`kind`](super::kind).
pub trait CallType: sealed::Sealed {
    /// Which kind it is.
    const KIND: CallKind;
}

pub(super) mod sealed {
    pub trait Sealed {}
}

/// A call that runs. Finish it, or say how it failed; dropped it is `abandoned`.
///
/// Whatever of its methods comes later, and whatever happens to it: it is closed exactly once, and nothing that is said of
/// it can make it fail.
#[must_use = "a call that is dropped at once is recorded as abandoned"]
pub struct Call<K: CallType> {
    pub(super) handle: Handle,
    /// Of a turn: its part between waits.
    segment: u32,
    /// Of a tool call: by what an MCP client may know it.
    tool: Option<Arc<ToolId>>,
    kind: PhantomData<fn() -> K>,
}

impl<K: CallType> Call<K> {
    pub(super) fn new(handle: Handle, segment: u32, tool: Option<Arc<ToolId>>) -> Self {
        Self { handle, segment, tool, kind: PhantomData }
    }

    /// Where the calls that are part of it belong; nothing where the recorder is disabled.
    pub(super) fn lent(&self) -> Option<LentOrigin<'_>> {
        self.handle.lent()
    }

    /// The same to keep.
    pub(super) fn origin(&self) -> Option<Origin> {
        self.lent().map(LentOrigin::to_origin)
    }

    /// Where this call stands.
    pub fn reference(&self) -> CallRef {
        CallRef { place: self.origin().and_then(|origin| origin.parent), segment: self.segment }
    }

    /// The identity path; nothing where the recorder is disabled.
    pub fn scope(&self) -> Option<Scope> {
        self.reference().scope().cloned()
    }

    /// The trace that it is part of; nothing where the recorder is disabled.
    pub fn trace(&self) -> Option<TraceId> {
        Some(self.lent()?.parent?.trace)
    }

    /// What an agent decided to do.
    pub fn decision(&self, action: impl IntoResult) -> Decision<'_> {
        Decision::new(&self.handle, action)
    }

    /// An agent's state was kept under this id (`veilspan.checkpoint.id`).
    pub fn checkpoint(&self, id: &str) -> Checkpoint<'_> {
        Checkpoint::new(&self.handle, id)
    }

    /// A shorter history took the place of the one before, by the compaction of this id (`veilspan.compaction.id`).
    pub fn compaction_installed(&self, id: &str) -> Installed<'_> {
        Installed::new(&self.handle, id)
    }

    /// How much it matters, from 0 to 1 (`veilspan.importance`), where that is known only now.
    pub fn importance(&self, importance: f64) {
        self.mark(MarkKind::Importance, |attrs| attrs.double(IMPORTANCE, importance));
    }

    /// It noticed that it should stop. `reason` is a class of a few words, never a text (`veilspan.cancel.reason`).
    pub fn cancel_observed(&self, reason: &str) {
        self.mark(MarkKind::CancelObserved, |attrs| attrs.text(CANCEL_REASON, reason));
    }

    pub(super) fn mark(&self, kind: MarkKind, set: impl FnOnce(&mut RawAttrs)) {
        if self.handle.is_recording() {
            let mut attrs = RawAttrs::default();
            set(&mut attrs);
            self.handle.mark(Mark { kind, attrs, noted: Noted::Nothing });
        }
    }

    /// A call that something passed from, on to this one, where that is known only now.
    pub fn follows(&mut self, call: &CallRef, edge: EdgeKind) -> &mut Self {
        if let Some(place) = &call.place {
            self.handle.link(place.trace, place.span, edge);
        }
        self
    }

    /// Marks it as failed although it goes on or returns normally. That sticks. `kind` is the class of the error
    /// (`veilspan.error.kind`), never its text.
    pub fn mark_failed(&mut self, kind: &str) -> &mut Self {
        self.handle.mark_failed(kind, None);
        self
    }

    /// The same with this error.
    pub(super) fn mark_failed_with(&mut self, error: &(impl Failure + ?Sized)) {
        self.handle.mark_failed(&error.kind(), error.retryable());
    }

    /// What an error said of itself: content, of which the policy lets leave what it lets leave of errors.
    pub fn error_text(&mut self, text: impl Into<RawText>) -> &mut Self {
        self.handle.error_text(|| text.into());
        self
    }

    /// Runs a future on behalf of the call: calls that it makes are part of this one, and where it is dropped before it is
    /// done, this one is `cancelled` and not `abandoned`.
    pub fn observe<F: Future>(&mut self, future: F) -> impl Future<Output = F::Output> {
        let future = self.context().instrument(future);
        self.handle.observe(future)
    }

    /// What runs around a call that is part of this one.
    pub fn context(&self) -> Context {
        Context::of_call(self.origin(), self.handle.key(), self.tool.as_ref().map(Arc::downgrade).unwrap_or_default())
    }

    /// Runs a closure whose calls are part of this one.
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.context().in_scope(run)
    }

    /// A future whose calls are part of this one, wherever it is polled and however long it lives.
    pub fn instrument<F: Future>(&self, future: F) -> Instrumented<F> {
        self.context().instrument(future)
    }

    /// It did what it was to do, with all that has been told before.
    pub fn finish(self) {
        self.handle.close(Outcome::Completed);
    }

    /// It failed. `kind` is the class of the error (`veilspan.error.kind`), never its text.
    pub fn fail(mut self, kind: &str) {
        self.handle.mark_failed(kind, None);
        self.handle.close(Outcome::Failed);
    }

    /// It failed with this error.
    pub fn fail_with(mut self, error: &(impl Failure + ?Sized)) {
        self.mark_failed_with(error);
        self.handle.close(Outcome::Failed);
    }

    /// The outcome is the result's.
    pub(super) fn settle_with<T, E: Failure>(self, result: &Result<T, E>) {
        match result {
            Ok(_) => self.finish(),
            Err(error) => self.fail_with(error),
        }
    }

    /// It was stopped on purpose.
    pub fn cancel(self) {
        self.handle.close(Outcome::Cancelled);
    }

    /// A person refused it.
    pub fn deny(self) {
        self.handle.close(Outcome::Denied);
    }

    /// It ran out of time.
    pub fn time_out(self) {
        self.handle.close(Outcome::Timeout);
    }

    /// Its peer went away.
    pub fn disconnect(self) {
        self.handle.close(Outcome::Disconnected);
    }
}

impl<K: CallType> fmt::Debug for Call<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("kind", &K::KIND).finish_non_exhaustive()
    }
}
