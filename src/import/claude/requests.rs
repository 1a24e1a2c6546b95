//! Requests for permission. They name no call, and may be told before the call is that each is for.

use super::hooks::{ToolFacts, latest};
use crate::event::Arguments;
use crate::import::hook::Fact;

/// The requests that wait for their calls; of more the oldest are forgotten, and counted.
const MOST: usize = 1 << 10;

/// A person was asked whether a tool may run.
pub(super) struct Request {
    at: u64,
    id: Option<String>,
    tool: Option<String>,
    agent: Option<String>,
    arguments: Arguments,
    permission: Option<String>,
}

impl Request {
    pub(super) fn of(fact: &Fact) -> Self {
        Self {
            at: fact.time_unix_nano,
            id: fact.tool_id.clone(),
            tool: fact.tool.clone(),
            agent: fact.agent.clone(),
            arguments: fact.arguments(),
            permission: fact.permission.clone(),
        }
    }

    /// Whether the call may be the one: it ran then, and waits for no other request.
    fn may_be_for(&self, id: &str, facts: &ToolFacts) -> bool {
        if let Some(named) = &self.id {
            return named == id;
        }
        let ran = facts.pre.is_some_and(|pre| pre <= latest(self.at)) && facts.post.is_none_or(|post| self.at < post);
        ran && facts.request.is_none() && facts.name.as_deref() == self.tool.as_deref()
    }

    /// Whether it is the one: nothing that is known of it is another.
    fn is_for(&self, id: &str, facts: &ToolFacts) -> bool {
        let none = Arguments::default();
        let has_other = self.arguments != facts.arguments && self.arguments != none && facts.arguments != none;
        let is_named = self.id.is_some();
        self.may_be_for(id, facts) && (is_named || !has_other && facts.agent.as_deref() == self.agent.as_deref())
    }

    /// Among these calls the one that it is for, or that it is `likely` for: the newest that has not returned.
    pub(super) fn call<'t>(
        &self,
        tools: impl Iterator<Item = (&'t String, &'t ToolFacts)>,
        likely: bool,
    ) -> Option<&'t str> {
        let fits =
            |id: &str, facts: &ToolFacts| if likely { self.may_be_for(id, facts) } else { self.is_for(id, facts) };
        let key = |id: &'t str, facts: &ToolFacts| {
            let is_of_agent = facts.agent.as_deref() == self.agent.as_deref();
            (is_of_agent, facts.arguments == self.arguments, facts.post.is_none(), facts.pre, id)
        };
        let fitting = tools.filter(|(id, facts)| fits(id, facts));
        fitting.max_by_key(|(id, facts)| key(id, facts)).map(|(id, _)| id.as_str())
    }

    /// The call waited for it.
    pub(super) fn tell(self, facts: &mut ToolFacts) {
        facts.request = Some(self.at);
        facts.permission = self.permission.map(Into::into);
    }
}

/// Those whose call is not known yet.
#[derive(Default)]
pub(super) struct Requests(Vec<Request>);

impl Requests {
    /// Keeps one; gives how many were forgotten for it.
    pub(super) fn keep(&mut self, request: Request) -> u64 {
        let is_full = self.0.len() >= MOST;
        if is_full {
            self.0.remove(0);
        }
        self.0.push(request);
        u64::from(is_full)
    }

    /// The one that is for this call.
    pub(super) fn take(&mut self, id: &str, facts: &ToolFacts) -> Option<Request> {
        let place = self.0.iter().position(|request| request.is_for(id, facts))?;
        Some(self.0.remove(place))
    }

    /// The newest one that may be for this call, and as `is_likely` says for no other.
    pub(super) fn take_likely(
        &mut self,
        id: &str,
        facts: &ToolFacts,
        is_likely: impl Fn(&Request) -> bool,
    ) -> Option<Request> {
        let place = self.0.iter().rposition(|request| request.may_be_for(id, facts) && is_likely(request))?;
        Some(self.0.remove(place))
    }
}
