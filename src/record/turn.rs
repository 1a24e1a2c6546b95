//! Turns: activations of an agent.

use super::approval::Ticket;
use super::builder::Builder;
use super::call::Call;
use super::kind;
use super::place::{CallRef, LentOrigin};
use crate::event::{EdgeKind, Scope};
use crate::semconv::{AGENT_ID, AGENT_NAME, AGENT_VERSION, CANCEL_REASON, ROLLOUT_END, SEGMENT};

/// A turn that has not started.
pub type TurnBuilder = Builder<kind::Turn>;

/// A turn that runs.
pub type Turn = Call<kind::Turn>;

impl TurnBuilder {
    pub(super) fn begin(origin: Option<LentOrigin<'_>>, agent: &str) -> Self {
        Self::new(origin).with(super::builder::Draft::set_own_turn).text(AGENT_NAME, agent)
    }

    /// Which part of the turn this is, counted by the waits for a person before it (`veilspan.segment`).
    pub fn segment(mut self, segment: u32) -> Self {
        self.segment = segment;
        self.int(SEGMENT, segment)
    }

    /// `gen_ai.agent.id`
    pub fn agent_id(self, id: &str) -> Self {
        self.text(AGENT_ID, id)
    }

    /// `gen_ai.agent.version`
    pub fn agent_version(self, version: &str) -> Self {
        self.text(AGENT_VERSION, version)
    }

    /// The turn before this one in the same thread: same rollout, same thread, linked.
    pub fn after(self, turn: &CallRef) -> Self {
        let told = self.with(|draft| {
            let Some(place) = &turn.place else { return };
            let Scope { tenant, rollout, thread, .. } = &*place.scope;
            let identity = draft.identity();
            identity.tenant = identity.tenant.take().or_else(|| tenant.clone());
            identity.rollout = Some(rollout.clone());
            identity.thread = Some(thread.clone());
        });
        told.follows(turn, EdgeKind::Turn)
    }

    /// The turn of an input that was admitted: its identity is the admission's.
    pub fn admitted(self, admission: &CallRef) -> Self {
        self.with(|draft| {
            if let Some(place) = &admission.place {
                draft.forget_identity();
                draft.set_scope(&place.scope);
            }
        })
    }

    /// The same turn goes on after a wait: its next segment, linked to the one that waited.
    pub fn resume(self, turn: &CallRef) -> Self {
        let told = self.with(|draft| {
            if let Some(place) = &turn.place {
                draft.forget_identity();
                draft.set_scope(&place.scope);
            }
        });
        told.segment(turn.segment.saturating_add(1)).follows(turn, EdgeKind::Resume)
    }

    /// The same after an approval that was asked for in the turn.
    pub fn resume_after(self, ticket: &Ticket) -> Self {
        self.resume(&ticket.turn)
    }
}

impl Turn {
    /// Says that the rollout ends with this turn (`veilspan.rollout.end`).
    pub fn ends_rollout(&mut self) {
        self.handle.attrs(|attrs| attrs.bool(ROLLOUT_END, true));
    }

    /// Asks it to stop: see [`Recorder::request_cancel`](super::Recorder::request_cancel).
    pub fn request_cancel(&self, reason: &str) {
        Builder::<kind::Cancel>::new(self.lent()).text(CANCEL_REASON, reason).start().finish();
    }

    /// Its segment ends in a wait for a person: the turn has no outcome yet, and goes on in another segment
    /// ([`TurnBuilder::resume`]).
    pub fn wait(self) {
        self.handle.close_open_ended();
    }

    /// It came to its answer, or failed: the outcome is the result's.
    pub fn finish_with<T, E: super::Failure>(self, result: &Result<T, E>) {
        self.settle_with(result);
    }
}
