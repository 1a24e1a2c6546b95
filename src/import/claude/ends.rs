//! How turns end: by a row, by a hook, or by what comes after.

use super::agents::Agents;
use super::lane::Lane;
use crate::event::Outcome;
use crate::import::session::Desk;

/// Hooks may be recorded to the second.
pub(super) const SLACK: u64 = 1_000_000_000;

/// The turn is over: another begins at `next`, or nothing comes any more.
pub(super) fn end_turn(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, next: u64) {
    let how = how(lane, agents, next);
    lane.install(desk, None);
    if let Some(answer) = &lane.thread.answer {
        let id = answer.id.clone();
        lane.answers.set(&id, ());
    }
    super::settle::release(lane, desk, agents, u64::MAX);
    lane.thread.end_turn(desk, how);
    lane.prompt.clear();
}

/// What hooks say of the end of the turn.
fn how(lane: &Lane, agents: &Agents, next: u64) -> Option<(Outcome, u64)> {
    let turn = lane.thread.turn.as_ref()?;
    let of_agent = lane.thread.who.parent.as_ref().map(|_| &*lane.thread.who.thread);
    let (at, told) = agents.hooks.end_of(of_agent, turn.started.saturating_sub(SLACK), next)?;
    let known = turn.ended.map(|(outcome, _)| outcome).filter(|outcome| *outcome != Outcome::Completed);
    Some((known.unwrap_or(told), at.max(turn.last)))
}

/// Notes on the host's clock that a hook has said that the turn is over.
pub(super) fn notice(lane: &mut Lane, desk: &Desk, agents: &Agents) {
    if let Some((outcome, _)) = how(lane, agents, u64::MAX)
        && lane.thread.turn.as_ref().is_some_and(|turn| turn.ended.is_none())
    {
        lane.thread.note_end(desk, outcome);
    }
}

/// Tells what seems to have ended so long ago that nothing comes late any more.
pub(super) fn tick(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents) {
    notice(lane, desk, agents);
    let now = desk.clock;
    super::settle::release(lane, desk, agents, now);
    let before = lane.thread.answer.as_ref().map(|answer| answer.id.clone());
    let how = how(lane, agents, u64::MAX);
    lane.thread.settle(desk, how);
    if let Some(id) = before.filter(|_| lane.thread.answer.is_none()) {
        lane.answers.set(&id, ());
    }
}
