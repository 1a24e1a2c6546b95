//! How turns end: by a row, by a hook, or by what comes after.

use super::agents::Agents;
use super::lane::Lane;
use crate::event::Outcome;
use crate::import::session::{Desk, Surety};

/// The turn is over: another begins at `next`, or nothing comes any more.
pub(super) fn end_turn(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, next: u64) {
    let begins = next.min(lane.held.began());
    let unanswered = super::settle::known_to_hooks(lane, desk, agents);
    let how = how(lane, agents, begins);
    note_end(lane, agents, how);
    super::settle::never_answered(lane, desk, how, unanswered);
    lane.install(desk, None);
    lane.note_answer();
    // Where another turn begins, hooks may still tell of the tools of this one.
    let until = if next == u64::MAX { u64::MAX } else { desk.clock };
    super::settle::release(lane, desk, agents, until);
    lane.thread.end_turn(desk, how);
    lane.prompt.clear();
    agents.hooks.forget_ends(of_agent(lane), begins);
}

/// Notes when the turn ends, for the tools that no row tells of.
fn note_end(lane: &Lane, agents: &mut Agents, how: Option<(Outcome, u64)>) {
    if let Some(turn) = &lane.thread.turn {
        agents.hooks.places.turn_ended(turn.record.opened.span, how.map_or(turn.last, |(_, at)| at));
    }
}

/// What hooks say of the end of the turn.
fn how(lane: &Lane, agents: &Agents, next: u64) -> Option<(Outcome, u64)> {
    let turn = lane.thread.turn.as_ref()?;
    let (at, told) = agents.hooks.end_of(of_agent(lane), turn.started, next)?;
    let known = turn.ended.map(|end| end.outcome).filter(|outcome| *outcome != Outcome::Completed);
    Some((known.unwrap_or(told), at.max(turn.last)))
}

fn of_agent(lane: &Lane) -> Option<&str> {
    lane.thread.who.parent.as_ref().map(|_| &*lane.thread.who.thread)
}

/// Notes that a hook has said that the turn is over.
pub(super) fn notice(lane: &mut Lane, desk: &Desk, agents: &Agents) {
    let Some(turn) = lane.thread.turn.as_ref().filter(|turn| turn.ended.is_none()) else { return };
    let Some((at, outcome)) = agents.hooks.end_of(of_agent(lane), turn.started, lane.held.began()) else { return };
    // An agent that was told to go on when it wanted to stop will stop once more.
    let surety = if super::hooks::latest(at) >= turn.last { Surety::Said } else { Surety::Guessed };
    lane.thread.note_end(desk, outcome, surety, at);
}

/// Nothing more is there for now: tells the turn if nothing can come any more. Whether it is left open.
pub(super) fn leave(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, now: u64, grace: u64) -> bool {
    super::late::take_due(lane, desk, agents, now, grace);
    notice(lane, desk, agents);
    let is_whole = lane.thread.is_whole(now, grace);
    if is_whole {
        end_turn(lane, desk, agents, u64::MAX);
    } else {
        super::settle::release_ended(lane, desk, agents);
    }
    !is_whole || !lane.held.is_empty()
}

/// Tells what seems to have ended so long ago that nothing comes late any more.
pub(super) fn tick(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents) {
    let (now, grace) = (desk.clock, desk.set.grace);
    super::late::take_due(lane, desk, agents, now, grace);
    notice(lane, desk, agents);
    super::settle::release(lane, desk, agents, now);
    let before = lane.thread.answer.as_ref().map(|answer| answer.id.clone());
    let is_over = lane.thread.turn_is_over(desk);
    let unanswered = if is_over { super::settle::known_to_hooks(lane, desk, agents) } else { Vec::new() };
    let how = how(lane, agents, lane.held.began());
    if is_over {
        note_end(lane, agents, how);
        super::settle::never_answered(lane, desk, how, unanswered);
    }
    lane.thread.settle(desk, how);
    if let Some(id) = before.filter(|_| lane.thread.answer.is_none()) {
        lane.answers.set(&id, ());
    }
}
