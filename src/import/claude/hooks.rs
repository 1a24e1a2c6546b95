//! What the hooks of a session told, kept until the calls are told that it belongs to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bytestring::ByteString;

use crate::event::{Arguments, Measure, Outcome, Scope, SpanIds};
use crate::import::hook::{Fact, Hook};

/// The facts that wait for their calls; of more the oldest are forgotten, and counted.
const MAX_FACTS: usize = 1 << 16;
/// The turns that are remembered for tools that come without a place.
const MAX_TURNS: usize = 1 << 12;
const MILLI: u64 = 1_000_000;

/// What hooks know of one tool.
#[derive(Clone, Debug, Default)]
pub(super) struct ToolFacts {
    pub(super) name: Option<ByteString>,
    pub(super) agent: Option<ByteString>,
    pub(super) pre: Option<u64>,
    pub(super) post: Option<u64>,
    /// When a person was asked.
    pub(super) request: Option<u64>,
    pub(super) duration_ms: Option<u64>,
    pub(super) outcome: Option<Outcome>,
    pub(super) permission: Option<ByteString>,
    pub(super) error: Option<Measure>,
    pub(super) arguments: Arguments,
    pub(super) result: Measure,
}

impl ToolFacts {
    /// From when to when it ran: what no hook told is reckoned from how long it took.
    pub(super) fn span(&self) -> (Option<u64>, Option<u64>) {
        let took = self.duration_ms.map(|millis| millis.saturating_mul(MILLI));
        let reckoned = || Some(self.post?.saturating_sub(took?));
        (self.pre.or_else(reckoned).or(self.request), self.post)
    }
}

/// A turn that hooks may still tell tools of.
#[derive(Clone)]
struct TurnPlace {
    started: u64,
    scope: Arc<Scope>,
    span: SpanIds,
}

/// What hooks told.
#[derive(Default)]
pub(super) struct Hooks {
    tools: HashMap<String, ToolFacts>,
    /// When turns ended: by agent, `None` for the session's own.
    ends: BTreeMap<(Option<String>, u64), Outcome>,
    agent_types: HashMap<String, String>,
    turns: Vec<TurnPlace>,
    /// All that was told, for a session that has no transcript.
    pub(super) facts: Vec<Fact>,
    pub(super) forgotten: u64,
}

impl Hooks {
    /// Takes what a hook told. `keep`: there may be nothing but hooks.
    pub(super) fn absorb(&mut self, fact: Fact, keep: bool) {
        if let (Some(agent), Some(kind)) = (&fact.agent, &fact.agent_type) {
            self.agent_types.insert(agent.clone(), kind.clone());
        }
        match fact.hook {
            Hook::PreToolUse | Hook::PostToolUse | Hook::PostToolUseFailure | Hook::PermissionDenied => {
                self.tool(&fact)
            }
            Hook::PermissionRequest => self.request(&fact),
            Hook::Stop => self.end(&fact, None, Outcome::Completed),
            Hook::StopFailure => self.end(&fact, None, Outcome::Failed),
            Hook::SubagentStop => self.end(&fact, fact.agent.clone(), Outcome::Completed),
            _ => {}
        }
        if !keep {
            self.facts.clear();
        } else if self.facts.len() < MAX_FACTS {
            self.facts.push(fact);
        } else {
            self.forgotten += 1;
        }
    }

    fn tool(&mut self, fact: &Fact) {
        let Some(id) = &fact.tool_id else { return };
        if self.tools.len() >= MAX_FACTS && !self.tools.contains_key(id) {
            self.forgotten += 1;
            return;
        }
        let facts = self.tools.entry(id.clone()).or_default();
        facts.name = facts.name.take().or_else(|| fact.tool.clone().map(Into::into));
        facts.agent = facts.agent.take().or_else(|| fact.agent.clone().map(Into::into));
        facts.duration_ms = facts.duration_ms.or(fact.duration_ms);
        if facts.arguments == Arguments::default() {
            facts.arguments = fact.arguments();
        }
        let at = fact.time_unix_nano;
        if fact.hook == Hook::PreToolUse {
            facts.pre = Some(facts.pre.map_or(at, |known| known.min(at)));
            return;
        }
        facts.post = Some(facts.post.map_or(at, |known| known.max(at)));
        facts.result = fact.result();
        match fact.hook {
            Hook::PostToolUseFailure => {
                facts.outcome = Some(if fact.is_interrupt { Outcome::Cancelled } else { Outcome::Failed });
                facts.error = Some(fact.error());
            }
            Hook::PermissionDenied => {
                facts.outcome = Some(Outcome::Denied);
                facts.permission = fact.permission.clone().map(Into::into);
                facts.request = facts.request.or(facts.pre);
            }
            _ => {}
        }
    }

    /// A request for permission names no call: it is for the newest open one of its tool.
    fn request(&mut self, fact: &Fact) {
        let at = fact.time_unix_nano;
        let is_open = |facts: &ToolFacts| {
            facts.post.is_none() && facts.request.is_none() && facts.pre.is_some_and(|pre| pre <= at)
        };
        let same_tool = |facts: &ToolFacts| facts.name.as_deref() == fact.tool.as_deref();
        let by_id = fact.tool_id.as_ref().and_then(|id| self.tools.get(id).map(|_| id.clone()));
        let newest = || {
            let open = self.tools.iter().filter(|(_, facts)| is_open(facts) && same_tool(facts));
            open.max_by_key(|(id, facts)| (facts.pre, *id)).map(|(id, _)| id.clone())
        };
        if let Some(facts) = by_id.or_else(newest).and_then(|id| self.tools.get_mut(&id)) {
            facts.request = Some(at);
            facts.permission = fact.permission.clone().map(Into::into);
        }
    }

    fn end(&mut self, fact: &Fact, agent: Option<String>, outcome: Outcome) {
        if self.ends.len() >= MAX_FACTS {
            self.ends.pop_first();
            self.forgotten += 1;
        }
        self.ends.insert((agent, fact.time_unix_nano), outcome);
    }

    /// The last end that was told from `from` on and before `next`.
    pub(super) fn end_of(&self, agent: Option<&str>, from: u64, next: u64) -> Option<(u64, Outcome)> {
        if next <= from {
            return None;
        }
        let agent = agent.map(str::to_owned);
        let found = self.ends.range((agent.clone(), from)..(agent, next)).next_back()?;
        Some((found.0.1, *found.1))
    }

    pub(super) fn agent_type(&self, agent: &str) -> Option<&str> {
        self.agent_types.get(agent).map(String::as_str)
    }

    pub(super) fn take_tool(&mut self, id: &str) -> Option<ToolFacts> {
        self.tools.remove(id)
    }

    /// The tools that no transcript told of, in the order of their ids.
    pub(super) fn take_rest(&mut self) -> Vec<(String, ToolFacts)> {
        let mut rest: Vec<_> = self.tools.drain().collect();
        rest.sort_by(|(one, _), (other, _)| one.cmp(other));
        rest
    }

    pub(super) fn turn_began(&mut self, started: u64, scope: &Arc<Scope>, span: SpanIds, is_root: bool) {
        if !is_root {
            return;
        }
        if self.turns.len() >= MAX_TURNS {
            self.turns.remove(0);
        }
        self.turns.push(TurnPlace { started, scope: Arc::clone(scope), span });
    }

    /// The turn that ran at this time.
    pub(super) fn turn_at(&self, at: u64) -> Option<(Arc<Scope>, SpanIds)> {
        let until = at.saturating_add(super::ends::SLACK);
        let turn = self.turns.iter().rev().find(|turn| turn.started <= until).or(self.turns.first())?;
        Some((Arc::clone(&turn.scope), turn.span))
    }
}
