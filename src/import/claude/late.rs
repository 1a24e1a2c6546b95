//! Rows that come late: after the next prompt, or after the history was replaced.
//!
//! A file is not always written in the order of time. What begins anew while an answer or a tool is open is held until a
//! model answers it, so that late rows still find theirs. What is held is in memory, within a bound: beyond it nothing is
//! held, and what comes late then is too late.

use super::agents::Agents;
use super::lane::Lane;
use super::row::{ESCAPES, Row};
use super::{session, users};
use crate::event::wipe;
use crate::import::session::{Desk, read_line};
use crate::json::{Node, Tape};

const MAX_LINES: usize = 256;
const MAX_BYTES: usize = 4 << 20;

/// Lines that are taken later, oldest first.
#[derive(Default)]
pub(super) struct Held {
    /// With whether this session made them.
    lines: Vec<(Vec<u8>, bool)>,
    bytes: usize,
    /// When the first one was made.
    began: u64,
    /// When the last one was read.
    since: u64,
}

impl Held {
    pub(super) const fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// When what is held begins; never, if nothing is.
    pub(super) const fn began(&self) -> u64 {
        if self.is_empty() { u64::MAX } else { self.began }
    }

    const fn has_room(&self, line: &[u8]) -> bool {
        self.lines.len() < MAX_LINES && self.bytes.saturating_add(line.len()) <= MAX_BYTES
    }

    fn push(&mut self, line: &[u8], is_own: bool, (at, since): (u64, u64)) {
        if self.is_empty() {
            self.began = at;
        }
        self.since = since;
        self.bytes += line.len();
        self.lines.push((line.to_vec(), is_own));
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lines.iter_mut().for_each(|(line, _)| wipe(line));
    }
}

/// Holds a row if something late may come before it; else takes what is held, unless the row itself is late. Whether the
/// row is held.
pub(super) fn hold(
    lane: &mut Lane,
    desk: &mut Desk,
    agents: &mut Agents,
    (row, line, at): (&Row<'_>, &[u8], u64),
    is_own: bool,
) -> bool {
    let is_to_be_held = if lane.held.is_empty() {
        is_own && begins_anew(lane, row) && is_any_open(lane)
    } else if is_late(lane, row, at) {
        return false;
    } else {
        row.kind != "assistant"
    };
    if is_to_be_held && lane.held.has_room(line) {
        lane.held.push(line, is_own, (at, desk.since(at)));
        return true;
    }
    take(lane, desk, agents);
    false
}

/// Takes what is held.
pub(super) fn take(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents) {
    let held = std::mem::take(&mut lane.held);
    if held.is_empty() {
        return;
    }
    let mut tape = Tape::default();
    for (line, is_own) in &held.lines {
        // It could be read before.
        _ = read_line(&mut tape, line, ESCAPES, |row| {
            let row = Row::of(row);
            let at = lane.time_of(&row);
            session::take(lane, desk, agents, &row, (at, *is_own));
        });
    }
}

/// Takes what was held so long that nothing comes late any more. A tool may take its time.
pub(super) fn take_due(lane: &mut Lane, desk: &mut Desk, agents: &mut Agents, now: u64, grace: u64) {
    if now.saturating_sub(lane.held.since) >= grace && !lane.thread.has_open_tools() {
        take(lane, desk, agents);
    }
}

fn begins_anew(lane: &Lane, row: &Row<'_>) -> bool {
    match row.kind {
        "user" => users::begins_turn(lane, row),
        "system" => row.subtype == "compact_boundary",
        _ => false,
    }
}

fn is_any_open(lane: &Lane) -> bool {
    lane.thread.answer.is_some() || lane.thread.has_open_tools()
}

/// Whether a row tells more of what is open, or of an answer that was told. A tool may return after the next prompt; an
/// answer that goes on after it is another one, whatever its id.
fn is_late(lane: &Lane, row: &Row<'_>, at: u64) -> bool {
    match row.kind {
        "assistant" if at > lane.held.began() => false,
        "assistant" => {
            let id = row.answer_id();
            let is_open = |id| lane.thread.answer.as_ref().is_some_and(|answer| answer.id == id);
            id.is_some_and(|id| is_open(id) || lane.answers.get(id).is_some())
        }
        "user" => row.content.into_iter().flat_map(Node::elements).any(|block| returns_open(lane, block)),
        _ => false,
    }
}

fn returns_open(lane: &Lane, block: Node<'_>) -> bool {
    let id = block.word("tool_use_id").filter(|_| users::is_result(block));
    id.is_some_and(|id| lane.thread.tool_span(id).is_some())
}
