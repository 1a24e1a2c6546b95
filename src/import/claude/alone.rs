//! A session of which hooks alone tell.

use std::sync::Arc;

use super::agents::Agents;
use super::ends;
use super::hooks::ToolFacts;
use super::lane::Lane;
use super::places::Place;
use super::settle;
use crate::event::{Attrs, Outcome};
use crate::import::hook::{Fact, Hook};
use crate::import::session::{Desk, Surety};

/// What was counted so far, for what nobody gave an id.
#[derive(Default)]
pub(super) struct Alone {
    turns: u64,
    tools: u64,
}

/// The turns that these hooks tell of, each with the name that it has as long as there is no transcript.
pub(super) fn turns(facts: &[Fact]) -> impl Iterator<Item = (String, &Fact)> {
    let prompts = facts.iter().filter(|fact| fact.hook == Hook::UserPromptSubmit);
    prompts.zip(1u64..).map(|(fact, place)| (name(fact, place), fact))
}

/// When the turn began of whose prompt these hooks do not tell, where there is one: they were set up in the middle of it.
pub(super) fn unprompted(facts: &[Fact]) -> Option<u64> {
    let before = facts.iter().take_while(|fact| fact.hook != Hook::UserPromptSubmit);
    before.into_iter().find(|fact| is_of_tool(fact)).map(began)
}

/// The name of that turn.
pub(super) const UNPROMPTED: &str = "turn-0";

const fn is_of_tool(fact: &Fact) -> bool {
    fact.tool.is_some() || fact.tool_id.is_some()
}

/// When a tool began of which this is told.
fn began(fact: &Fact) -> u64 {
    fact.time_unix_nano.saturating_sub(fact.duration_ms.unwrap_or(0).saturating_mul(1_000_000))
}

fn name(fact: &Fact, place: u64) -> String {
    fact.turn.clone().unwrap_or_else(|| format!("turn-{place}"))
}

/// Tells the turns and the tools of a session whose transcript is not there, as far as its hooks have come.
pub(super) fn tell(alone: &mut Alone, lane: &mut Lane, desk: &mut Desk, agents: &mut Agents) {
    for fact in &std::mem::take(&mut agents.hooks.facts) {
        let at = fact.time_unix_nano;
        let is_of_tool = is_of_tool(fact);
        if is_of_tool && alone.turns == 0 && lane.thread.turn.is_none() {
            open(lane, desk, agents, UNPROMPTED, began(fact));
        }
        lane.thread.begin(desk, at, Vec::new());
        lane.time = lane.time.max(at);
        match fact.hook {
            Hook::UserPromptSubmit => {
                alone.turns += 1;
                open(lane, desk, agents, &name(fact, alone.turns), at);
                lane.thread.asked_as(fact.prompt());
            }
            Hook::Stop | Hook::StopFailure => {
                let outcome = if fact.hook == Hook::Stop { Outcome::Completed } else { Outcome::Failed };
                lane.thread.answered_as(fact.answered());
                lane.thread.saw(desk, at);
                lane.thread.note_end(desk, outcome, Surety::Said, at);
            }
            // A notice that the agent waits is no part of a turn.
            Hook::SessionStart | Hook::SessionEnd | Hook::Other => {}
            Hook::PostToolUse | Hook::PostToolUseFailure if fact.tool_id.is_none() => {
                alone.tools += 1;
                tool_without_id(lane, desk, agents, fact, alone.tools);
            }
            // A sub-agent in the background, and a compaction, may outlast the turn.
            _ if fact.agent.is_some() || !is_of_tool => {
                if !lane.thread.has_said_its_end() {
                    lane.thread.saw(desk, at);
                }
            }
            _ => {
                lane.thread.goes_on();
                lane.thread.saw(desk, at);
            }
        }
    }
}

fn open(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, id: &str, at: u64) {
    ends::end_turn(lane, desk, agents, at);
    if lane.thread.open_turn(desk, id, at, Attrs::default())
        && let Some(span) = lane.thread.turn_span()
    {
        agents.hooks.places.turn_began(at, lane.thread.scope(), span);
    }
}

/// A call that nobody gave an id is known by its place among those.
fn tool_without_id(lane: &mut Lane, desk: &mut Desk, agents: &Agents, fact: &Fact, number: u64) {
    let running =
        lane.thread.turn_span().map(|span| Place { scope: Arc::clone(lane.thread.scope()), span, ended: None });
    let Some(place) = running.or_else(|| agents.hooks.places.turn_at(fact.time_unix_nano)) else { return };
    let facts = ToolFacts {
        name: fact.tool.clone().map(Into::into),
        agent: fact.agent.clone().map(Into::into),
        post: Some(fact.time_unix_nano),
        duration_ms: fact.duration_ms,
        outcome: fact.outcome(),
        error: fact.error(),
        arguments: fact.arguments(),
        result: fact.result(),
        ..ToolFacts::default()
    };
    let id = format!("{}-{number}", fact.tool.as_deref().unwrap_or("tool"));
    if let Some(record) = settle::alone(desk, &place, &id, &facts) {
        settle::tell(desk, record, Some(facts));
    }
    lane.thread.saw(desk, fact.time_unix_nano);
}
