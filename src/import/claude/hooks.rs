//! What the hooks of a session told, kept until the calls are told that it belongs to.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytestring::ByteString;

use super::places::Places;
use super::requests::{Request, Requests};
use crate::event::{Arguments, Measure, Outcome};
use crate::import::hook::{Fact, Hook};
use crate::import::session::Recent;

/// The facts that wait for their calls; of more the oldest are forgotten, and counted.
const MAX_FACTS: usize = 1 << 16;
const MILLI: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;

/// The latest time that a hook's may stand for: recorders cut them to seconds.
pub(super) const fn latest(at: u64) -> u64 {
    if at.is_multiple_of(SECOND) { at.saturating_add(SECOND - 1) } else { at }
}

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

/// What hooks told.
pub(super) struct Hooks {
    tools: HashMap<String, ToolFacts>,
    /// The tools that were told: what comes of them now comes too late.
    told: Recent<()>,
    /// When turns ended: by agent, `None` for the session's own.
    ends: BTreeMap<(Option<String>, u64), Outcome>,
    /// When each agent said last that it had stopped; the session's own under no name.
    stopped: Recent<u64>,
    requests: Requests,
    /// When a person asked for something.
    prompts: BTreeSet<u64>,
    /// When the session ended, unless it began again.
    session_end: Option<u64>,
    agent_types: Recent<String>,
    pub(super) places: Places,
    /// All that was told, for a session that has no transcript.
    pub(super) facts: Vec<Fact>,
    pub(super) forgotten: u64,
}

/// The tools that are remembered once they were told, and the sub-agents whose kind is.
const REMEMBERED: usize = 1 << 11;

impl Default for Hooks {
    fn default() -> Self {
        Self {
            tools: HashMap::new(),
            told: Recent::new(REMEMBERED),
            ends: BTreeMap::new(),
            stopped: Recent::new(REMEMBERED),
            requests: Requests::default(),
            prompts: BTreeSet::new(),
            session_end: None,
            agent_types: Recent::new(REMEMBERED),
            places: Places::new(),
            facts: Vec::new(),
            forgotten: 0,
        }
    }
}

impl Hooks {
    /// Takes what a hook told. `keep`: there may be nothing but hooks.
    pub(super) fn absorb(&mut self, fact: Fact, keep: bool) {
        if let (Some(agent), Some(kind)) = (&fact.agent, &fact.agent_type) {
            self.agent_types.set(agent, kind.clone());
        }
        if let (Some(agent), Some(tool)) = (&fact.started, &fact.tool_id) {
            let began = self.tools.get(tool).and_then(|facts| facts.pre);
            self.places.spawned(agent, tool, began.unwrap_or(fact.time_unix_nano));
        }
        match fact.hook {
            Hook::PreToolUse | Hook::PostToolUse | Hook::PostToolUseFailure | Hook::PermissionDenied => {
                self.tool(&fact)
            }
            Hook::PermissionRequest => self.request(&fact),
            Hook::Stop => self.end(&fact, None, Outcome::Completed),
            Hook::StopFailure => self.end(&fact, None, Outcome::Failed),
            Hook::SubagentStop => self.end(&fact, fact.agent.clone(), Outcome::Completed),
            Hook::UserPromptSubmit => self.prompt(fact.time_unix_nano),
            Hook::SessionStart => self.session_end = None,
            Hook::SessionEnd => self.session_end = Some(fact.time_unix_nano),
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
        let Some(id) = fact.tool_id.as_ref().filter(|id| self.told.get(id).is_none()) else { return };
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
            if let Some(request) = self.requests.take(id, facts) {
                request.tell(facts);
            }
            return;
        }
        facts.post = Some(facts.post.map_or(at, |known| known.max(at)));
        facts.result = fact.result();
        if let Some(outcome) = fact.outcome() {
            facts.outcome = Some(outcome);
            facts.error = fact.error();
        }
        if fact.hook == Hook::PermissionDenied {
            facts.permission = fact.permission.clone().map(Into::into);
            facts.request = facts.request.or(facts.pre);
        }
    }

    /// It is for an open call, or for one that is told later.
    fn request(&mut self, fact: &Fact) {
        let request = Request::of(fact);
        let id = request.call(self.tools.iter(), false).map(str::to_owned);
        match id.and_then(|id| self.tools.get_mut(&id)) {
            Some(facts) => request.tell(facts),
            None => self.forgotten += self.requests.keep(request),
        }
    }

    fn end(&mut self, fact: &Fact, agent: Option<String>, outcome: Outcome) {
        if self.ends.len() >= MAX_FACTS {
            self.ends.pop_first();
            self.forgotten += 1;
        }
        let name = agent.as_deref().unwrap_or_default();
        let before = self.stopped.get(name).copied().unwrap_or(0);
        self.stopped.set(name, fact.time_unix_nano.max(before));
        self.ends.insert((agent, fact.time_unix_nano), outcome);
    }

    fn prompt(&mut self, at: u64) {
        if self.prompts.len() >= MAX_FACTS {
            self.prompts.pop_first();
        }
        self.prompts.insert(at);
    }

    /// The last end that was told of a turn that started then, before the `next` one began.
    pub(super) fn end_of(&self, agent: Option<&str>, started: u64, next: u64) -> Option<(u64, Outcome)> {
        // Its own prompt may be told a little later than the turn begins.
        let prompt = || self.prompts.range(started.saturating_add(SECOND)..).next().copied();
        let next = if next == u64::MAX { prompt().filter(|_| agent.is_none()).unwrap_or(next) } else { next };
        let from = started.saturating_sub(SECOND);
        if next <= from {
            return None;
        }
        let agent = agent.map(str::to_owned);
        let mut found = self.ends.range((agent.clone(), from)..(agent, next)).rev();
        found.find(|((_, at), _)| latest(*at) >= started).map(|((_, at), outcome)| (*at, *outcome))
    }

    /// The turn before `next` is over: no later one ended then.
    pub(super) fn forget_ends(&mut self, agent: Option<&str>, next: u64) {
        let agent = agent.map(str::to_owned);
        self.ends.retain(|(of, at), _| *of != agent || *at >= next);
    }

    /// When the agent of a tool said last that it had stopped, where that was after the tool began: none of its own tools
    /// ran any more.
    pub(super) fn stopped_after(&self, facts: &ToolFacts) -> Option<u64> {
        let stopped = self.stopped.get(facts.agent.as_deref().unwrap_or_default()).copied();
        stopped.zip(facts.pre).filter(|(at, pre)| *at > latest(*pre)).map(|(at, _)| at)
    }

    /// Whether the session has ended, and nothing was made in it since this time.
    pub(super) fn session_has_ended(&self, last: u64) -> bool {
        self.session_end.is_some_and(|end| latest(end) >= last)
    }

    pub(super) fn agent_type(&self, agent: &str) -> Option<&str> {
        self.agent_types.get(agent).map(String::as_str)
    }

    pub(super) fn take_tool(&mut self, id: &str) -> Option<ToolFacts> {
        self.told.set(id, ());
        // No call will come any more that a request for other arguments fits better.
        let Self { tools, requests, .. } = self;
        if let Some(facts) = tools.get(id)
            && let Some(request) =
                requests.take_likely(id, facts, |request| request.call(tools.iter(), true) == Some(id))
            && let Some(facts) = tools.get_mut(id)
        {
            request.tell(facts);
        }
        tools.remove(id)
    }

    /// The ids, in their order, of the tools that are due.
    pub(super) fn due(&self, is_due: impl Fn(&str, &ToolFacts) -> bool) -> Vec<String> {
        let due = self.tools.iter().filter(|(id, facts)| is_due(id, facts));
        let mut due: Vec<String> = due.map(|(id, _)| id.clone()).collect();
        due.sort();
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_so_many_agents_are_remembered_and_hardly_more() {
        let (mut hooks, agents) = (Hooks::default(), 8 * REMEMBERED);
        for agent in 0..agents {
            let mut fact = Fact::default();
            (fact.agent, fact.agent_type) = (Some(agent.to_string()), Some("Explore".to_owned()));
            hooks.absorb(fact, false);
        }
        let known = (0..agents).filter(|agent| hooks.agent_type(&agent.to_string()).is_some()).count();
        assert!((REMEMBERED..=2 * REMEMBERED).contains(&known), "{known}");
        assert_eq!(hooks.agent_type(&(agents - 1).to_string()), Some("Explore"));
    }
}
