//! Where the calls belong that no transcript tells of: the turns that ran, and the calls that started sub-agents.

use std::collections::VecDeque;
use std::sync::Arc;

use super::hooks::latest;
use crate::event::{CallKind, Scope, SpanIds};
use crate::import::ids;
use crate::import::session::Recent;

/// The turns that are remembered for calls that come without a place.
const MAX_TURNS: usize = 1 << 9;
/// The sub-agents that are remembered.
const REMEMBERED: usize = 1 << 13;

/// A call or a turn that others are told under.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) scope: Arc<Scope>,
    pub(super) span: SpanIds,
    /// When the turn ended, where it has.
    pub(super) ended: Option<u64>,
}

/// The call that started a sub-agent, as hooks name it.
struct Spawn {
    tool: String,
    at: u64,
}

/// What is known of places.
pub(super) struct Places {
    /// With the times when they started.
    turns: VecDeque<(u64, Place)>,
    spawns: Recent<Spawn>,
    /// The calls of these.
    spawning: Recent<()>,
}

impl Places {
    pub(super) fn new() -> Self {
        Self { turns: VecDeque::new(), spawns: Recent::new(REMEMBERED), spawning: Recent::new(REMEMBERED) }
    }

    /// A turn of the session's own thread began.
    pub(super) fn turn_began(&mut self, started: u64, scope: &Arc<Scope>, span: SpanIds) {
        if self.turns.len() >= MAX_TURNS {
            self.turns.pop_front();
        }
        self.turns.push_back((started, Place { scope: Arc::clone(scope), span, ended: None }));
    }

    /// It ended.
    pub(super) fn turn_ended(&mut self, span: SpanIds, at: u64) {
        let turn = self.turns.iter_mut().rev().find(|(_, turn)| turn.span.span == span.span);
        if let Some((_, turn)) = turn {
            turn.ended = Some(at);
        }
    }

    /// A call that began at this time has told which sub-agent it started.
    pub(super) fn spawned(&mut self, agent: &str, tool: &str, at: u64) {
        self.spawning.set(tool, ());
        self.spawns.set(agent, Spawn { tool: tool.to_owned(), at });
    }

    /// The id of the call that started a sub-agent.
    pub(super) fn tool_of(&self, agent: &str) -> Option<&str> {
        self.spawns.get(agent).map(|spawn| spawn.tool.as_str())
    }

    /// Whether a call has told which sub-agent it started.
    pub(super) fn has_spawned(&self, tool: &str) -> bool {
        self.spawning.get(tool).is_some()
    }

    /// The turn that ran at this time.
    pub(super) fn turn_at(&self, at: u64) -> Option<Place> {
        let ran = self.turns.iter().rev().find(|(started, _)| *started <= latest(at));
        ran.or(self.turns.front()).map(|(_, turn)| turn.clone())
    }

    /// The call that started a sub-agent.
    pub(super) fn call_of(&self, agent: &str) -> Option<Place> {
        let spawn = self.spawns.get(agent)?;
        let turn = self.turn_at(spawn.at)?;
        let span = ids::span_under(turn.span, ids::key(&turn.scope, CallKind::Tool, &spawn.tool))?;
        Some(Place { span, ..turn })
    }
}
