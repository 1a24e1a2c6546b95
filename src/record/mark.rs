//! Marks: what is told of a call while it runs, each at its own point of time.

use bytestring::ByteString;

use super::handle::Handle;
use super::tool::IntoResult;
use crate::event::{Mark, MarkKind, Message, Noted, Raw, RawAttrs, Request};
use crate::semconv::{
    Attr, CHECKPOINT_CUT, CHECKPOINT_FRAMEWORK, CHECKPOINT_ID, CHECKPOINT_LABEL, COMPACTION_ID, COMPACTION_REPLACED,
    COMPACTION_TRIGGER, DECISION_CONFIDENCE, IMPORTANCE,
};

/// A mark under construction; nothing where nobody listens.
struct Draft<'a> {
    handle: &'a Handle,
    mark: Option<Mark<Raw>>,
}

impl<'a> Draft<'a> {
    fn new(handle: &'a Handle, kind: MarkKind) -> Self {
        let mark = || Mark { kind, attrs: RawAttrs::default(), noted: Noted::empty(kind) };
        Self { handle, mark: handle.is_recording().then(mark) }
    }

    fn attrs(mut self, set: impl FnOnce(&mut RawAttrs)) -> Self {
        if let Some(mark) = &mut self.mark {
            set(&mut mark.attrs);
        }
        self
    }

    fn text(self, attr: Attr<ByteString>, value: &str) -> Self {
        self.attrs(|attrs| attrs.text(attr, value))
    }

    fn importance(self, importance: f64) -> Self {
        self.attrs(|attrs| attrs.double(IMPORTANCE, importance))
    }

    fn noted(&mut self) -> Option<&mut Noted<Raw>> {
        self.mark.as_mut().map(|mark| &mut mark.noted)
    }

    fn record(self) {
        if let Some(mark) = self.mark {
            self.handle.mark(mark);
        }
    }
}

/// What an agent decided to do. Told by [`record`](Self::record).
#[must_use = "a decision is told by `record`"]
pub struct Decision<'a>(Draft<'a>);

impl<'a> Decision<'a> {
    pub(super) fn new(handle: &'a Handle, action: impl IntoResult) -> Self {
        let mut draft = Draft::new(handle, MarkKind::Decision);
        if let Some(Noted::Decision { action: told, .. }) = draft.noted() {
            *told = Some(action.into_result());
        }
        Self(draft)
    }

    /// How sure it was, from 0 to 1 (`veilspan.decision.confidence`).
    pub fn confidence(self, confidence: f64) -> Self {
        Self(self.0.attrs(|attrs| attrs.double(DECISION_CONFIDENCE, confidence)))
    }

    /// Something else that it could have done.
    pub fn alternative(mut self, alternative: impl IntoResult) -> Self {
        if let Some(Noted::Decision { alternatives, .. }) = self.0.noted() {
            alternatives.push(alternative.into_result());
        }
        self
    }

    /// How much it matters, from 0 to 1 (`veilspan.importance`).
    pub fn importance(self, importance: f64) -> Self {
        Self(self.0.importance(importance))
    }

    /// Tells of it.
    pub fn record(self) {
        self.0.record();
    }
}

/// A state that was kept, for a run to go on from. Told by [`record`](Self::record).
#[must_use = "a checkpoint is told by `record`"]
pub struct Checkpoint<'a>(Draft<'a>);

impl<'a> Checkpoint<'a> {
    pub(super) fn new(handle: &'a Handle, id: &str) -> Self {
        Self(Draft::new(handle, MarkKind::Checkpoint).text(CHECKPOINT_ID, id))
    }

    /// What made the state (`veilspan.checkpoint.framework`): `langchain`, `rig`, …
    pub fn framework(self, framework: &str) -> Self {
        Self(self.0.text(CHECKPOINT_FRAMEWORK, framework))
    }

    /// A name for people (`veilspan.checkpoint.label`).
    pub fn label(self, label: &str) -> Self {
        Self(self.0.text(CHECKPOINT_LABEL, label))
    }

    /// Up to where the state reaches (`veilspan.checkpoint.cut`): `<producer>=<seq>` pairs, joined by `;`. Without one it
    /// reaches up to the mark itself.
    pub fn cut(self, cut: &str) -> Self {
        Self(self.0.text(CHECKPOINT_CUT, cut))
    }

    /// The state.
    pub fn state(mut self, state: impl IntoResult) -> Self {
        if let Some(Noted::State(told)) = self.0.noted() {
            *told = Some(state.into_result());
        }
        self
    }

    /// How much it matters, from 0 to 1 (`veilspan.importance`).
    pub fn importance(self, importance: f64) -> Self {
        Self(self.0.importance(importance))
    }

    /// Tells of it.
    pub fn record(self) {
        self.0.record();
    }
}

/// A shorter history that took the place of the one before. Told by [`record`](Self::record).
#[must_use = "a compaction is told by `record`"]
pub struct Installed<'a>(Draft<'a>);

impl<'a> Installed<'a> {
    pub(super) fn new(handle: &'a Handle, id: &str) -> Self {
        Self(Draft::new(handle, MarkKind::CompactionInstalled).text(COMPACTION_ID, id))
    }

    /// What led to it (`veilspan.compaction.trigger`).
    pub fn trigger(self, trigger: &str) -> Self {
        Self(self.0.text(COMPACTION_TRIGGER, trigger))
    }

    /// The history that was replaced. Their number is told as `veilspan.compaction.replaced`.
    pub fn replaced(mut self, messages: Vec<Message>) -> Self {
        let count = i64::try_from(messages.len()).unwrap_or(i64::MAX);
        if let Some(Noted::Histories(histories)) = self.0.noted() {
            histories.replaced = Some(Box::new(Request { messages, ..Request::default() }));
        }
        Self(self.0.attrs(|attrs| attrs.int(COMPACTION_REPLACED, count)))
    }

    /// The history that took its place.
    pub fn replacement(mut self, messages: Vec<Message>) -> Self {
        if let Some(Noted::Histories(histories)) = self.0.noted() {
            histories.replacement = Some(Box::new(Request { messages, ..Request::default() }));
        }
        self
    }

    /// Tells of it.
    pub fn record(self) {
        self.0.record();
    }
}

macro_rules! debug_without_content {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}

debug_without_content!(Decision, Checkpoint, Installed);
