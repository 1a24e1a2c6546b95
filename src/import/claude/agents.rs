//! Which call started which sub-agent.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::hooks::Hooks;
use super::known::Known;
use super::lane::{Lane, Starter, is_starter};
use super::row::Row;
use crate::event::{Scope, SpanIds};
use crate::import::session::{Desk, Origin, Recent, Who, unix_nanos};

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
    /// The spans of the calls that told which one they started.
    named: Recent<()>,
    /// What calls asked their sub-agents: hashes, which never leave.
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
            named: Recent::new(REMEMBERED),
            asked: HashMap::new(),
            state: RandomState::new(),
            hooks: Hooks::default(),
            sent: Known::default(),
        }
    }

    /// A call has told which sub-agent it started.
    pub(super) fn started(&mut self, agent: &str, origin: Origin, scope: &Arc<Scope>, kind: Option<&str>) {
        let kind = kind.map(str::to_owned);
        self.named.set(&origin.span.span.to_string(), ());
        self.known.set(agent, Started { origin, scope: Arc::clone(scope), kind });
    }

    pub(super) fn get(&self, agent: &str) -> Option<&Started> {
        self.known.get(agent)
    }

    /// A call asked a sub-agent this.
    pub(super) fn asked(&mut self, id: &str, tool: &str, prompt: &str) {
        if !is_starter(tool) {
            return;
        }
        if self.asked.len() >= REMEMBERED {
            self.asked.clear();
        }
        self.asked.insert(id.to_owned(), self.state.hash_one(prompt));
    }

    /// The call that started a sub-agent, as hooks name it, where one of these lanes has it.
    pub(super) fn by_hook<'l>(&self, agent: &str, mut lanes: impl Iterator<Item = &'l Lane>) -> Option<SpanIds> {
        let tool = self.hooks.places.tool_of(agent)?;
        lanes.find_map(|lane| lane.starter(tool))
    }

    /// The call that asked this before `at`, which no row and no hook names: an open one, or else the only one that has
    /// returned.
    pub(super) fn by_prompt<'l>(
        &mut self,
        prompt: &str,
        at: Option<u64>,
        lanes: impl Iterator<Item = &'l Lane> + Clone,
    ) -> Option<SpanIds> {
        let hash = self.state.hash_one(prompt);
        let asked = |id: &str| self.asked.get(id) == Some(&hash) && !self.hooks.places.has_spawned(id);
        let open = lanes.clone().find_map(|lane| {
            let (id, _) = lane.thread.open_tools().into_iter().find(|(id, _)| asked(id))?;
            Some((id.to_owned(), lane.thread.tool_span(id)?))
        });
        let returned = || {
            let is_named = |span: SpanIds| self.named.get(&span.span.to_string()).is_some();
            let starters = lanes.flat_map(|lane| &lane.starters).filter(|starter| asked(&starter.id));
            let mut found: Vec<&Starter> = starters.filter(|starter| !is_named(starter.span)).collect();
            if let Some(at) = at {
                found.retain(|starter| starter.ran.0 <= at);
                if found.len() > 1 {
                    found.retain(|starter| at <= starter.ran.1);
                }
            }
            if let [one] = found[..] { Some((one.id.clone(), one.span)) } else { None }
        };
        let (id, span) = open.or_else(returned)?;
        self.asked.remove(&id);
        Some(span)
    }

    /// The name that a sub-agent goes by.
    pub(super) fn name(&self, desk: &Desk, agent: &str, row: Option<&str>) -> bytestring::ByteString {
        let told = self.known.get(agent).and_then(|started| started.kind.as_deref());
        desk.label(row.or(told).or(self.hooks.agent_type(agent)).unwrap_or("agent"))
    }
}

/// The thread of a sub-agent, under the call that started it where that is known.
pub(super) fn side_lane(
    desk: &Desk,
    (main, lanes): (&Lane, &BTreeMap<String, Lane>),
    agents: &mut Agents,
    agent: &str,
    row: &Row<'_>,
) -> Lane {
    let name = agents.name(desk, agent, row.agent_type);
    let who = Who {
        rollout: main.thread.who.rollout.clone(),
        thread: desk.label(agent),
        agent: name,
        provider: main.thread.who.provider.clone(),
        parent: Some(main.thread.who.thread.clone()),
        file: None,
    };
    let mut lane = Lane::new(desk, who);
    let lanes = std::iter::once(main).chain(lanes.values());
    let known = agents.get(agent).map(|started| started.origin.span).or_else(|| agents.by_hook(agent, lanes.clone()));
    let prompt = row.content.and_then(crate::json::Node::as_str);
    let span = known.or_else(|| agents.by_prompt(prompt?, unix_nanos(row.timestamp), lanes));
    lane.thread.origin = span.map(|span| Origin { span });
    lane
}
