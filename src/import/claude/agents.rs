//! Which call started which sub-agent.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::hooks::Hooks;
use super::known::Known;
use crate::event::{Scope, SpanIds};
use crate::import::session::{Desk, Origin, Recent, Thread};

/// The sub-agents that are remembered.
const REMEMBERED: usize = 1 << 14;

/// The call that started a sub-agent.
#[derive(Clone)]
pub(super) struct Started {
    pub(super) origin: Origin,
    pub(super) scope: Arc<Scope>,
    pub(super) kind: Option<String>,
}

/// The sub-agents of a session, and what its hooks told.
pub(super) struct Agents {
    known: Recent<Started>,
    /// What open calls asked their sub-agents: hashes, which never leave.
    asked: HashMap<String, u64>,
    state: RandomState,
    pub(super) hooks: Hooks,
    /// The session's turns that were sent before there was a transcript.
    pub(super) sent: Known,
}

impl Agents {
    pub(super) fn new() -> Self {
        Self {
            known: Recent::new(REMEMBERED),
            asked: HashMap::new(),
            state: RandomState::new(),
            hooks: Hooks::default(),
            sent: Known::default(),
        }
    }

    /// A call has told which sub-agent it started.
    pub(super) fn started(&mut self, agent: &str, origin: Origin, scope: &Arc<Scope>, kind: Option<&str>) {
        let kind = kind.map(str::to_owned);
        self.known.set(agent, Started { origin, scope: Arc::clone(scope), kind });
    }

    pub(super) fn get(&self, agent: &str) -> Option<&Started> {
        self.known.get(agent)
    }

    /// A call asked a sub-agent this.
    pub(super) fn asked(&mut self, id: &str, tool: &str, prompt: &str) {
        if !matches!(tool, "Task" | "Agent") {
            return;
        }
        if self.asked.len() >= REMEMBERED {
            self.asked.clear();
        }
        self.asked.insert(id.to_owned(), self.state.hash_one(prompt));
    }

    /// The call of the thread that asked this, where one is still open.
    pub(super) fn who_asked(&mut self, thread: &Thread, prompt: &str) -> Option<SpanIds> {
        let hash = self.state.hash_one(prompt);
        let open = thread.open_tools();
        let (id, _) = open.iter().find(|(id, _)| self.asked.get(*id) == Some(&hash))?;
        self.asked.remove(*id);
        thread.tool_span(id)
    }

    /// The name that a sub-agent goes by.
    pub(super) fn name(&self, desk: &Desk, agent: &str, row: Option<&str>) -> bytestring::ByteString {
        let told = self.known.get(agent).and_then(|started| started.kind.as_deref());
        desk.label(row.or(told).or(self.hooks.agent_type(agent)).unwrap_or("agent"))
    }
}
