//! Turns: activations of an agent.

use std::future::Future;
use std::sync::Arc;

use super::builder::{Draft, Parent};
use super::handle::Handle;
use super::inference::InferenceBuilder;
use super::mark::{Checkpoint, Decision, Installed};
use super::tool::{IntoResult, ToolBuilder};
use crate::event::{CallKind, EdgeKind, Outcome, Scope, SpanId, TraceId};
use crate::intake::Desk;
use crate::semconv::{AGENT_ID, AGENT_NAME, AGENT_VERSION, CONVERSATION_ID, OPERATION_NAME, ROLLOUT_END, SEGMENT};

/// A turn that has not started.
#[must_use = "a turn is recorded from `start` on"]
pub struct TurnBuilder {
    draft: Option<Draft>,
}

impl TurnBuilder {
    pub(super) fn new(desk: Option<&Arc<Desk>>, agent: &str) -> Self {
        Self { draft: desk.map(|desk| named(desk, None, agent)) }
    }

    /// A turn of another agent, started by the call at `parent`: same rollout, a thread of its own.
    pub(super) fn below(desk: Option<&Arc<Desk>>, parent: Option<&Parent>, agent: &str) -> Self {
        let draft = desk.zip(parent).map(|(desk, parent)| {
            let mut draft = named(desk, Some(parent), agent);
            draft.set_own_turn();
            draft
        });
        Self { draft }
    }

    fn with(mut self, set: impl FnOnce(&mut Draft)) -> Self {
        if let Some(draft) = &mut self.draft {
            set(draft);
        }
        self
    }

    /// Whose data this is (`veilspan.tenant.id`): its digests get a key of their own.
    pub fn tenant(self, id: &str) -> Self {
        self.with(|draft| draft.identity().tenant = Some(id.into()))
    }

    /// The agent run that this turn belongs to (`veilspan.rollout.id`), where it is not the first turn of a new one.
    pub fn rollout(self, id: &str) -> Self {
        self.with(|draft| draft.identity().rollout = Some(id.into()))
    }

    /// The message history that this turn belongs to (`veilspan.thread.id`).
    pub fn thread(self, id: &str) -> Self {
        self.with(|draft| draft.identity().thread = Some(id.into()))
    }

    /// The id of the turn itself (`veilspan.turn.id`), to go on with it after a wait.
    pub fn id(self, id: &str) -> Self {
        self.with(|draft| draft.identity().turn = Some(id.into()))
    }

    /// Which part of the turn this is, counted by the waits for a person before it (`veilspan.segment`).
    pub fn segment(self, segment: u32) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.int(SEGMENT, i64::from(segment))))
    }

    /// What the user would call the chat (`gen_ai.conversation.id`). Never invent one.
    pub fn conversation(self, id: &str) -> Self {
        self.with(|draft| draft.text(CONVERSATION_ID, id))
    }

    /// `gen_ai.agent.id`
    pub fn agent_id(self, id: &str) -> Self {
        self.with(|draft| draft.text(AGENT_ID, id))
    }

    /// `gen_ai.agent.version`
    pub fn agent_version(self, version: &str) -> Self {
        self.with(|draft| draft.text(AGENT_VERSION, version))
    }

    /// The turn before this one in the same thread: same rollout, same thread, linked.
    pub fn after(self, turn: &TurnRef) -> Self {
        self.with(|draft| {
            let Some(place) = &turn.place else { return };
            let Scope { tenant, rollout, thread, .. } = &*place.scope;
            let identity = draft.identity();
            identity.tenant = identity.tenant.take().or_else(|| tenant.clone());
            identity.rollout = Some(rollout.clone());
            identity.thread = Some(thread.clone());
            draft.link(place.trace, place.span, EdgeKind::Turn);
        })
    }

    /// A span of another process that this turn is part of, as W3C Trace Context names it.
    pub fn parent(self, trace: TraceId, span: SpanId) -> Self {
        self.with(|draft| draft.set_remote_parent(trace, span))
    }

    /// Starts it.
    pub fn start(self) -> Turn {
        let Some(draft) = self.draft else { return Turn { desk: None, place: None, handle: Handle::disabled() } };
        let desk = draft.desk();
        let (handle, place) = draft.start_as_parent();
        Turn { desk: Some(desk), place, handle }
    }
}

fn named(desk: &Arc<Desk>, parent: Option<&Parent>, agent: &str) -> Draft {
    let mut draft = Draft::new(desk, parent, CallKind::Turn);
    draft.text(OPERATION_NAME, "invoke_agent");
    draft.text(AGENT_NAME, agent);
    draft
}

/// A turn that runs. Finish it, or say how it failed; dropped it is `abandoned`.
#[must_use = "a turn that is dropped at once is recorded as abandoned"]
pub struct Turn {
    desk: Option<Arc<Desk>>,
    /// Where the calls that are part of this one belong.
    place: Option<Parent>,
    handle: Handle,
}

/// Where a turn stands, for a later turn to follow it.
#[derive(Clone, Default)]
pub struct TurnRef {
    place: Option<Parent>,
}

impl Turn {
    /// A model request of this turn. `provider` is a value of `gen_ai.provider.name`.
    pub fn inference(&self, provider: &str, model: &str) -> InferenceBuilder {
        InferenceBuilder::new(self.desk.as_ref(), self.place.as_ref(), provider, model)
    }

    /// A tool execution of this turn.
    pub fn tool(&self, name: &str) -> ToolBuilder {
        ToolBuilder::new(self.desk.as_ref(), self.place.as_ref(), name)
    }

    /// Where this turn stands, for a later turn to follow it.
    pub fn reference(&self) -> TurnRef {
        TurnRef { place: self.place.clone() }
    }

    /// The identity path; nothing where the recorder is disabled.
    pub fn scope(&self) -> Option<&Scope> {
        self.place.as_ref().map(|place| &*place.scope)
    }

    /// The trace that this turn is part of; nothing where the recorder is disabled.
    pub fn trace(&self) -> Option<TraceId> {
        self.place.as_ref().map(|place| place.trace)
    }

    /// What the agent decided to do.
    pub fn decision(&self, action: impl IntoResult) -> Decision<'_> {
        Decision::new(&self.handle, action)
    }

    /// The agent's state was kept under this id (`veilspan.checkpoint.id`).
    pub fn checkpoint(&self, id: &str) -> Checkpoint<'_> {
        Checkpoint::new(&self.handle, id)
    }

    /// A shorter history took the place of the one before, by the compaction of this id (`veilspan.compaction.id`).
    pub fn compaction_installed(&self, id: &str) -> Installed<'_> {
        Installed::new(&self.handle, id)
    }

    /// Says that the rollout ends with this turn (`veilspan.rollout.end`).
    pub fn ends_rollout(&mut self) {
        self.handle.attrs(|attrs| attrs.bool(ROLLOUT_END, true));
    }

    /// Runs a future on behalf of the turn: dropped before it is done, the turn is `cancelled` and not `abandoned`.
    pub fn observe<F: Future>(&mut self, future: F) -> impl Future<Output = F::Output> {
        self.handle.observe(future)
    }

    /// It came to its answer.
    pub fn finish(self) {
        self.handle.close(Outcome::Completed);
    }

    /// Its segment ends in a wait for a person: the turn has no outcome yet, and goes on in another segment
    /// ([`TurnBuilder::id`], [`TurnBuilder::segment`]).
    pub fn wait(self) {
        self.handle.close_open_ended();
    }

    /// It failed. `kind` is the class of the error (`veilspan.error.kind`), never its text.
    pub fn fail(mut self, kind: &str) {
        self.handle.mark_failed(kind, None);
        self.handle.close(Outcome::Failed);
    }

    /// It was stopped on purpose.
    pub fn cancel(self) {
        self.handle.close(Outcome::Cancelled);
    }
}

macro_rules! debug_without_content {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
pub(super) use debug_without_content;

debug_without_content!(TurnBuilder, Turn, TurnRef);
