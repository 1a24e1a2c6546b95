//! One file of rows, or one side chain of rows in it: a thread and the tree of its rows.

use std::collections::VecDeque;

use super::late::Held;
use super::row::Row;
use crate::event::{CallRecord, Link, Message, SpanIds, Veiled};
use crate::import::session::{Desk, Known, Newest, Recent, Thread, Who, unix_nanos};
use crate::privacy::conversation::Place;
use crate::semconv::TOOL_NAME;

/// The rows whose places are remembered, so that a branch goes on where it left.
const REMEMBERED: usize = 1 << 12;
/// The answers that were told and are remembered: their rows may come late.
const ANSWERS: usize = 1 << 11;

/// The calls that may have started sub-agents and are remembered once they have returned; of more the oldest are forgotten.
const STARTERS: usize = 1 << 10;

/// Whether a tool of this name starts sub-agents.
pub(super) fn is_starter(tool: &str) -> bool {
    matches!(tool, "Task" | "Agent")
}

/// A call that may have started a sub-agent, and has returned.
pub(super) struct Starter {
    pub(super) id: String,
    pub(super) span: SpanIds,
    /// From when to when it ran.
    pub(super) ran: (u64, u64),
}

/// A thread and its rows.
pub(super) struct Lane {
    pub(super) thread: Thread,
    /// Where the history stood after each row, and which turn came before.
    pub(super) rows: Recent<RowPlace>,
    /// The answers that have been told.
    pub(super) answers: Recent<()>,
    /// The prompt of the turn that runs.
    pub(super) prompt: String,
    /// What a person typed that is no prompt unless a model answers it.
    pub(super) candidate: Option<Candidate>,
    /// A history that was replaced, whose summary is still to come.
    pub(super) compaction: Option<Box<CallRecord<Veiled>>>,
    /// The latest time that a row had.
    pub(super) time: u64,
    /// Tools that have returned, with the time on the host's clock from which on they are told.
    pub(super) returned: Vec<(u64, String, Box<CallRecord<Veiled>>)>,
    /// What comes after a turn, or after its history, that something late may still come before.
    pub(super) held: Held,
    pub(super) starters: VecDeque<Starter>,
    pub(super) has_rows: bool,
    /// Rows name the one before them: one that says there is none begins anew.
    has_tree: bool,
    /// Rows of an answer that has not ended: they stand after it.
    unplaced: Vec<Known>,
    /// The rows since the history was replaced.
    pub(super) newest: Newest,
}

/// Where a row stands in the history.
#[derive(Clone, Copy)]
pub(super) struct RowPlace {
    pub(super) place: Place,
    pub(super) before: Option<Link>,
}

/// What may turn out to be a prompt.
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) at: u64,
}

impl Lane {
    pub(super) fn new(desk: &Desk, who: Who) -> Self {
        Self {
            thread: Thread::new(desk, who),
            rows: Recent::new(REMEMBERED),
            answers: Recent::new(ANSWERS),
            prompt: String::new(),
            candidate: None,
            compaction: None,
            time: 0,
            returned: Vec::new(),
            held: Held::default(),
            starters: VecDeque::new(),
            has_rows: false,
            has_tree: false,
            unplaced: Vec::new(),
            newest: Newest::default(),
        }
    }

    /// When a row was made: one without a time, when the one before it was.
    pub(super) fn time_of(&mut self, row: &Row<'_>) -> u64 {
        let at = unix_nanos(row.timestamp).unwrap_or(self.time);
        // A clock that runs backwards takes no call with it.
        self.time = self.time.max(at);
        at
    }

    /// Whether a row stands here a second time. After a history was replaced it may be meant to.
    pub(super) fn is_again(&mut self, row: &Row<'_>) -> bool {
        let Some(uuid) = row.uuid else { return false };
        // One may tell of an attempt that failed, and then of the next.
        let is_attempt = row.attempt != 0;
        let attempt = is_attempt.then(|| format!("{uuid}#{}", row.attempt));
        self.newest.is_again(self.rows.know(attempt.as_deref().unwrap_or(uuid)))
    }

    /// Notes that the answer that is open is told now: what comes of it later begins no other one.
    pub(super) fn note_answer(&mut self) {
        if let Some(answer) = &self.thread.answer {
            self.answers.set(&answer.id, ());
        }
    }

    /// A tool has returned: it is told once hooks have had the time to tell what they know of it.
    pub(super) fn has_returned(&mut self, desk: &Desk, id: &str, record: Box<CallRecord<Veiled>>) {
        self.note_starter(id, &record);
        self.returned.push((desk.clock.saturating_add(desk.set.grace), id.to_owned(), record));
    }

    /// Remembers a call that has returned, where it may have started a sub-agent whose rows are still to come.
    pub(super) fn note_starter(&mut self, id: &str, record: &CallRecord<Veiled>) {
        if !record.opened.attrs.text(TOOL_NAME).is_some_and(is_starter) {
            return;
        }
        if self.starters.len() >= STARTERS {
            self.starters.pop_front();
        }
        let ran = (record.opened_at.time_unix_nano, record.closed_at.time_unix_nano);
        self.starters.push_back(Starter { id: id.to_owned(), span: record.opened.span, ran });
    }

    /// A call of this id that is open, or has returned and may have started a sub-agent.
    pub(super) fn starter(&self, id: &str) -> Option<SpanIds> {
        let returned = || self.starters.iter().rev().find(|starter| starter.id == id).map(|starter| starter.span);
        self.thread.tool_span(id).or_else(returned)
    }

    /// Notes where a row stands, after the one that it names as its parent.
    pub(super) fn note(&mut self, uuid: &str, parent: Option<&str>) {
        const MOST: usize = 1024;
        self.has_tree |= parent.is_some();
        if !uuid.is_empty() && self.unplaced.len() < MOST {
            self.unplaced.push(self.rows.know(uuid));
        }
        self.place_rows();
    }

    /// Notes where the rows stand whose answer has ended. One that says that the history was replaced stands in the new one.
    pub(super) fn place_rows(&mut self) {
        if self.thread.answer.is_some() || self.compaction.is_some() {
            return;
        }
        let place = RowPlace { place: self.thread.place(), before: self.thread.before };
        for uuid in self.unplaced.drain(..) {
            self.rows.note(uuid, place);
        }
    }

    /// Where a row branches off, if it does not follow the last one.
    pub(super) fn branch(&self, parent: Option<&str>, is_root: bool) -> Option<RowPlace> {
        let known = parent.and_then(|parent| self.rows.get(parent)).copied();
        let anew = || RowPlace { place: self.thread.beginning(), before: None };
        known.or_else(|| (is_root && self.has_tree).then(anew)).filter(|row| row.place != self.thread.place())
    }

    /// The summary of a history that was replaced, or nothing where it never came.
    pub(super) fn install(&mut self, desk: &mut Desk, summary: Option<Message>) {
        let Some(record) = self.compaction.take() else { return };
        super::system::install(self, desk, record, summary.into_iter().collect());
    }
}
