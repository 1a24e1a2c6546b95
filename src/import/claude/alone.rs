//! A session of which hooks alone tell.

use super::agents::Agents;
use super::hooks::ToolFacts;
use super::lane::Lane;
use super::{ends, settle};
use crate::event::{Attrs, Outcome};
use crate::import::hook::{Fact, Hook};
use crate::import::session::Desk;

/// Tells the turns and the tools of a session whose transcript is not there.
pub(super) fn tell(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents) {
    let mut facts = std::mem::take(&mut agents.hooks.facts);
    facts.sort_by_key(|fact| fact.time_unix_nano);
    let mut turns = 0u64;
    let mut nameless = 0u64;
    for fact in &facts {
        let at = fact.time_unix_nano;
        lane.thread.begin(desk, at, Vec::new());
        lane.time = at;
        match fact.hook {
            Hook::UserPromptSubmit => {
                turns += 1;
                let id = fact.turn.clone().unwrap_or_else(|| format!("turn-{turns}"));
                open(lane, desk, agents, &id, at);
                lane.thread.asked_as(fact.prompt());
            }
            Hook::Stop | Hook::StopFailure => {
                let outcome = if fact.hook == Hook::Stop { Outcome::Completed } else { Outcome::Failed };
                lane.thread.answered_as(fact.answered());
                lane.thread.saw(desk, at);
                lane.thread.note_end(desk, outcome);
            }
            Hook::PostToolUse | Hook::PostToolUseFailure if fact.tool_id.is_none() => {
                nameless += 1;
                tool_without_id(lane, desk, fact, nameless);
            }
            _ => lane.thread.saw(desk, at),
        }
    }
    ends::end_turn(lane, desk, agents, u64::MAX);
}

fn open(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, id: &str, at: u64) {
    ends::end_turn(lane, desk, agents, at);
    if lane.thread.open_turn(desk, id, at, Attrs::default())
        && let Some(span) = lane.thread.turn_span()
    {
        agents.hooks.turn_began(at, lane.thread.scope(), span, true);
    }
}

/// A call that nobody gave an id is known by its place among those.
fn tool_without_id(lane: &mut Lane, desk: &mut Desk, fact: &Fact, number: u64) {
    let Some(span) = lane.thread.turn_span() else { return };
    let failed = fact.hook == Hook::PostToolUseFailure;
    let facts = ToolFacts {
        name: fact.tool.clone().map(Into::into),
        agent: fact.agent.clone().map(Into::into),
        post: Some(fact.time_unix_nano),
        duration_ms: fact.duration_ms,
        outcome: failed.then_some(if fact.is_interrupt { Outcome::Cancelled } else { Outcome::Failed }),
        error: failed.then(|| fact.error()),
        arguments: fact.arguments(),
        result: fact.result(),
        ..ToolFacts::default()
    };
    let id = format!("{}-{number}", fact.tool.as_deref().unwrap_or("tool"));
    if let Some(record) = settle::alone(desk, (lane.thread.scope(), span), &id, &facts) {
        settle::tell(desk, record, Some(facts));
    }
    lane.thread.saw(desk, fact.time_unix_nano);
}
