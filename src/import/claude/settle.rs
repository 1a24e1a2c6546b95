//! Tools that have returned, with what hooks know of them.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytestring::ByteString;

use super::agents::Agents;
use super::hooks::{Hooks, ToolFacts};
use super::lane::Lane;
use super::places::Place;
use crate::event::{Attrs, CallKind, CallRecord, Closed, Given, Outcome, Returned, Scope, Veiled};
use crate::import::session::{Desk, ToolEnd, mcp_server, moment};
use crate::semconv::{
    APPROVAL_DECISION, APPROVAL_WAIT_MS, END_INFERRED, MCP_SERVER, OPERATION_ID, TOOL_CALL_ID, TOOL_EXECUTION_MS,
    TOOL_NAME, TOOL_REQUESTER, TOOL_REQUESTER_ID,
};

const MILLI: u64 = 1_000_000;

/// The tools of a lane that wait for what hooks tell of them; of more the oldest are told.
const MOST: usize = 1 << 10;

/// Tells the tools of a lane that have waited long enough.
pub(super) fn release(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, now: u64) {
    let mut more = lane.returned.len().saturating_sub(MOST);
    let due = lane.returned.extract_if(.., |(release, ..)| {
        let is_one_of_more = more > 0;
        more = more.saturating_sub(1);
        is_one_of_more || *release <= now
    });
    for (_, id, record) in due {
        let facts = agents.hooks.take_tool(&id);
        tell(desk, record, facts);
    }
}

/// Tells those of turns that have ended, since nobody may wait for them any more.
pub(super) fn release_ended(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents) {
    let running = lane.thread.running().cloned();
    let due = lane.returned.extract_if(.., |(_, _, record)| Some(&record.scope.turn) != running.as_ref());
    for (_, id, record) in due {
        let facts = agents.hooks.take_tool(&id);
        tell(desk, record, facts);
    }
}

/// Tells the tools that no transcript tells of, as far as the turns are over in which they ran. What comes late comes
/// within `grace` nanoseconds.
pub(super) fn rest_of_ended(
    desk: &mut Desk,
    agents: &mut Agents,
    (main, lanes): (&Lane, &BTreeMap<String, Lane>),
    (now, grace): (u64, u64),
) {
    let runs = |scope: &Scope| main.thread.running() == Some(&scope.turn);
    // The transcript of a sub-agent may still tell of it.
    let is_told_of = |facts: &ToolFacts| facts.agent.as_deref().is_some_and(|agent| lanes.contains_key(agent));
    let is_passed = |hooks: &Hooks, facts: &ToolFacts| {
        // Without a transcript nothing else will tell of it: neither that it never returned, nor what comes after it. As
        // long as a hook has to be told, so has the turn in which it may run.
        let is_alone = !main.has_rows && hooks.facts.is_empty();
        let is_over = |at: u64| is_alone && at.saturating_add(grace) <= now;
        match facts.post {
            Some(post) => post < main.time || is_over(post),
            None => hooks.stopped_after(facts).is_some_and(is_over),
        }
    };
    // A row has told of these, and they wait for their hooks.
    let returned = lanes.values().chain([main]).flat_map(|lane| &lane.returned);
    let waiting: HashSet<&str> = returned.map(|(_, id, _)| id.as_str()).collect();
    rest(desk, agents, |hooks, (id, facts), scope| {
        is_passed(hooks, facts) && !runs(scope) && !is_told_of(facts) && !waiting.contains(id)
    });
}

/// The turn of a lane is over: of its tools that no row tells the end of, hooks may know it. Gives those that had to wait
/// for a person, who never answered.
pub(super) fn known_to_hooks(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents) -> Vec<(String, ToolFacts)> {
    let open: Vec<String> = lane.thread.open_tools().into_iter().map(|(id, _)| id.to_owned()).collect();
    let mut unanswered = Vec::new();
    for id in open {
        let Some(facts) = agents.hooks.take_tool(&id) else { continue };
        if let Some(post) = facts.post {
            let end = ToolEnd { at: post, outcome: facts.outcome, ..ToolEnd::default() };
            if let Some(mut record) = lane.thread.close_tool(&id, end) {
                lane.note_starter(&id, &record);
                record.returned = Returned::Result(facts.result.clone());
                tell(desk, record, Some(facts));
            }
        } else if let (Some(pre), Some(turn)) = (facts.pre, &mut lane.thread.turn) {
            turn.last = turn.last.max(pre).max(facts.request.unwrap_or(0));
            if let Some(tool) = lane.thread.tool_mut(&id) {
                tool.record.opened_at = moment(pre);
            }
            if facts.request.is_some() {
                unanswered.push((id, facts));
            }
        }
    }
    unanswered
}

/// Tells the tools that waited for a person until their turn ended so.
pub(super) fn never_answered(
    lane: &mut Lane,
    desk: &mut Desk,
    how: Option<(Outcome, u64)>,
    unanswered: Vec<(String, ToolFacts)>,
) {
    let Some((outcome, at)) = lane.thread.end_of_turn(how) else { return };
    for (id, facts) in unanswered {
        if let Some(record) = lane.thread.give_up_tool(&id, at, outcome) {
            tell(desk, record, Some(facts));
        }
    }
}

/// Tells the tools that no transcript tells of and that are due, under the call that started their sub-agent.
pub(super) fn rest(desk: &mut Desk, agents: &mut Agents, is_due: impl Fn(&Hooks, (&str, &ToolFacts), &Scope) -> bool) {
    let place = |agents: &Agents, facts: &ToolFacts| {
        let agent = facts.agent.as_deref();
        let by_row = agent.and_then(|agent| agents.get(agent)).map(|started| {
            let (scope, span) = (Arc::clone(&started.scope), started.origin.span);
            Place { scope, span, ended: None }
        });
        let by_hook = || agents.hooks.places.call_of(agent?);
        // It belongs to the turn that called it, whichever runs when it returns.
        let by_time = || agents.hooks.places.turn_at(facts.pre.or(facts.post)?);
        by_row.or_else(by_hook).or_else(by_time)
    };
    let is_due = |id: &str, facts: &ToolFacts| {
        place(agents, facts).is_some_and(|place| is_due(&agents.hooks, (id, facts), &place.scope))
    };
    let due = agents.hooks.due(is_due);
    for id in due {
        let Some(facts) = agents.hooks.take_tool(&id) else { continue };
        let Some(place) = place(agents, &facts) else { continue };
        if let Some(record) = alone(desk, &place, &id, &facts) {
            tell(desk, record, Some(facts));
        }
    }
}

/// Tells a tool, and the wait for a person before it.
pub(super) fn tell(desk: &mut Desk, mut record: Box<CallRecord<Veiled>>, facts: Option<ToolFacts>) {
    if let Some(approval) = facts.and_then(|facts| merge(desk, &mut record, &facts)) {
        desk.call(approval);
    }
    desk.call(record);
}

/// Adds to a tool what hooks know of it; gives the wait for a person's permission.
fn merge(desk: &Desk, record: &mut CallRecord<Veiled>, facts: &ToolFacts) -> Option<Box<CallRecord<Veiled>>> {
    let (start, end) = facts.span();
    if let Some(end) = end {
        record.closed_at = moment(end.max(start.unwrap_or(0)));
    }
    if let Some(start) = start {
        record.opened_at = moment(start.min(record.closed_at.time_unix_nano));
    }
    if let Some(outcome) = facts.outcome {
        record.closed.outcome = Some(outcome);
        record.closed.attrs.remove(END_INFERRED.id());
    }
    if let Some(error) = &facts.error {
        record.closed.error = error.clone();
    }
    if let Some(duration) = facts.duration_ms {
        record.closed.attrs.set(TOOL_EXECUTION_MS, i64::try_from(duration).unwrap_or(i64::MAX));
    }
    approval(desk, record, facts)
}

fn approval(desk: &Desk, record: &mut CallRecord<Veiled>, facts: &ToolFacts) -> Option<Box<CallRecord<Veiled>>> {
    if facts.request.is_none() && facts.outcome != Some(Outcome::Denied) {
        return None;
    }
    let is_denied = record.closed.outcome == Some(Outcome::Denied);
    let (decision, outcome) = match () {
        () if is_denied => ("denied", Outcome::Denied),
        // It never ran: its end is that of its turn.
        () if facts.post.is_none() && record.closed.attrs.get(END_INFERRED) == Some(true) => {
            ("cancelled", Outcome::Cancelled)
        }
        () => ("approved", Outcome::Completed),
    };
    let end = record.closed_at.time_unix_nano;
    let from = facts.request.unwrap_or(end).min(end);
    let executed = facts.duration_ms.filter(|_| !is_denied).unwrap_or(0).saturating_mul(MILLI);
    let until = end.saturating_sub(executed).max(from);
    let wait = i64::try_from((until - from) / MILLI).unwrap_or(i64::MAX);
    record.closed.attrs.set(APPROVAL_WAIT_MS, wait);
    let id = record.opened.attrs.get(OPERATION_ID).unwrap_or_default();
    let mut attrs = Attrs::default();
    for attr in [TOOL_CALL_ID, TOOL_NAME] {
        if let Some(label) = record.opened.attrs.get(attr) {
            attrs.set(attr, label);
        }
    }
    let mut approval = desk.open(&record.scope, (CallKind::Approval, &id), Some(record.opened.span), from, attrs)?;
    if let Some(permission) = &facts.permission {
        approval.opened.attrs.set(OPERATION_ID, permission.clone());
    }
    let mut attrs = Attrs::default();
    attrs.set(APPROVAL_DECISION, ByteString::from_static(decision));
    attrs.set(APPROVAL_WAIT_MS, wait);
    let closed = Closed { outcome: Some(outcome), attrs, ..Closed::default() };
    approval.close(moment(until), closed, Returned::empty(CallKind::Approval));
    Some(approval)
}

/// A tool of which hooks alone tell, under a call or a turn of this scope.
pub(super) fn alone(desk: &Desk, place: &Place, id: &str, facts: &ToolFacts) -> Option<Box<CallRecord<Veiled>>> {
    let (start, end) = facts.span();
    // One that never returned was given up when its turn ended.
    let end = end.or(place.ended).or(start)?;
    let start = start.unwrap_or(end);
    let name = facts.name.clone().unwrap_or_default();
    let mut attrs = Attrs::default();
    attrs.set(TOOL_CALL_ID, desk.label(id));
    attrs.set(TOOL_REQUESTER, ByteString::from_static("model"));
    if let Some(server) = mcp_server(&name) {
        attrs.set(MCP_SERVER, desk.label(server));
    }
    attrs.set(TOOL_NAME, name);
    if let Some(agent) = &facts.agent {
        attrs.set(TOOL_REQUESTER_ID, agent.clone());
    }
    let mut record = desk.open(&place.scope, (CallKind::Tool, id), Some(place.span), start, attrs)?;
    record.given = Given::Arguments(facts.arguments.clone());
    let mut attrs = Attrs::default();
    let outcome =
        facts.outcome.unwrap_or_else(|| if facts.post.is_some() { Outcome::Completed } else { Outcome::Abandoned });
    if outcome == Outcome::Abandoned {
        attrs.set(END_INFERRED, true);
    }
    let closed = Closed { outcome: Some(outcome), attrs, ..Closed::default() };
    record.close(moment(end.max(start)), closed, Returned::Result(facts.result.clone()));
    Some(record)
}
