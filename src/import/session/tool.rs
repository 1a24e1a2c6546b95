//! Tools of a thread.

use std::borrow::Cow;

use bytestring::ByteString;
use smallvec::SmallVec;

use super::answer::Answer;
use super::desk::{Desk, moment};
use super::thread::{MAX_OPEN, Thread};
use crate::event::{
    Attrs, CallKind, CallRecord, Closed, Given, Measure, Outcome, RawText, ResultContent, Returned, SpanIds, Veiled,
};
use crate::privacy::heard::{Heard, Returning};
use crate::semconv::{END_INFERRED, Field, OPERATION_ID, TOOL_CALL_ID, TOOL_NAME, TOOL_REQUESTER};

/// The results that may wait for their calls; more of them go without.
const MAX_EARLY: usize = 64;

/// A tool that has not returned.
pub(in crate::import) struct Tool {
    pub(in crate::import) record: Box<CallRecord<Veiled>>,
    /// What is known of its end before it is told.
    pub(in crate::import) closed: Attrs,
    pub(in crate::import) outcome: Option<Outcome>,
    pub(in crate::import) error: Measure,
    /// An end that was seen beside the one that is told to the model.
    pub(in crate::import) ended: Option<u64>,
    number: u64,
}

/// What is known of the id of a call. Many of them are kept.
#[derive(Clone, Copy)]
pub(in crate::import) struct Called {
    /// How often it was used before.
    occurrence: u32,
    /// By its number in which turn it was last; and in the lowest bit whether it is told what it returned.
    turn: u32,
}

impl Called {
    const fn new(occurrence: u32, turn: u32) -> Self {
        Self { occurrence, turn: turn << 1 }
    }

    const fn is_of(self, turn: u32) -> bool {
        self.turn >> 1 == turn << 1 >> 1
    }

    const fn has_returned(self) -> bool {
        self.turn & 1 == 1
    }

    const fn returns(&mut self) {
        self.turn |= 1;
    }
}

/// What a tool returned whose call was not told yet: a file is not always written in the order of time.
pub(in crate::import) struct Early {
    id: String,
    end: ToolEnd<'static>,
    told: Measure,
    /// It becomes part of the history when its call does, or without it once another answer has ended.
    heard: Option<Heard>,
}

/// How a tool ended.
#[derive(Default)]
pub(in crate::import) struct ToolEnd<'t> {
    pub(in crate::import) at: u64,
    pub(in crate::import) outcome: Option<Outcome>,
    /// What it said went wrong.
    pub(in crate::import) error: Option<RawText>,
    pub(in crate::import) attrs: Attrs,
    pub(in crate::import) content: Option<Returning<'t>>,
}

impl Thread {
    /// A tool is called. One whose call was told already is not called again.
    pub(in crate::import) fn open_tool(
        &mut self,
        desk: &mut Desk,
        (id, name): (&str, &str),
        at: u64,
        arguments: Option<&RawText>,
        known: Attrs,
    ) -> Option<&mut Tool> {
        let turn = self.turn.as_mut()?;
        turn.last = turn.last.max(at);
        let has_room = self.tools.len() < MAX_OPEN;
        let called = self.calls.know(id);
        let occurrence = match self.calls.get_known_mut(called) {
            // Ids repeat from turn to turn; in one turn it is the same call, told twice.
            Some(called) if called.is_of(self.turns_begun) => return None,
            Some(called) if has_room => {
                *called = Called::new(called.occurrence + 1, self.turns_begun);
                called.occurrence
            }
            None if has_room => {
                self.calls.note(called, Called::new(0, self.turns_begun));
                0
            }
            _ => {
                desk.tally.over_bound += 1;
                return None;
            }
        };
        let key = if occurrence == 0 { Cow::Borrowed(id) } else { Cow::Owned(format!("{id}#{occurrence}")) };
        let mut attrs = self.labels(CallKind::Tool);
        if known.text(TOOL_NAME).is_none() {
            attrs.set(TOOL_NAME, desk.label(name));
        }
        let label = desk.label(id);
        attrs.set(TOOL_CALL_ID, label.clone());
        attrs.set(OPERATION_ID, if occurrence == 0 { label } else { desk.label_once(&key) });
        attrs.set(TOOL_REQUESTER, ByteString::from_static("model"));
        attrs.append(known);
        let turn = self.turn_span();
        let mut record = desk.open(&self.scope, (CallKind::Tool, &key), turn, at, attrs)?;
        if let Some(arguments) = arguments {
            record.given = Given::Arguments(self.talk.telling().arguments(arguments));
        }
        let number = self.tools.len() as u64;
        let (closed, error) = (Attrs::default(), Measure::default());
        let tool = Tool { record, closed, outcome: None, error, ended: None, number };
        self.tools.insert(id.to_owned(), tool);
        self.tools.get_mut(id)
    }

    /// Whether the turn that runs has called this tool already.
    pub(in crate::import) fn was_called(&self, id: &str) -> bool {
        self.turn.is_some() && self.calls.get(id).is_some_and(|called| called.is_of(self.turns_begun))
    }

    /// Whether what the tool of this id returns becomes part of the history as what comes next: it is no result that comes
    /// too early or again, and none waits for its call.
    pub(in crate::import) fn waits_for(&self, id: &str) -> bool {
        self.early.is_empty() && self.calls.get(id).is_some_and(|called| !called.has_returned())
    }

    /// A tool that has not returned.
    pub(in crate::import) fn tool_mut(&mut self, id: &str) -> Option<&mut Tool> {
        self.tools.get_mut(id)
    }

    /// The span of a tool that has not returned.
    pub(in crate::import) fn tool_span(&self, id: &str) -> Option<SpanIds> {
        Some(self.tools.get(id)?.record.opened.span)
    }

    pub(in crate::import) fn has_open_tools(&self) -> bool {
        !self.tools.is_empty()
    }

    /// The tools that have not returned, the newest last.
    pub(in crate::import) fn open_tools(&self) -> Vec<(&str, &Tool)> {
        let mut open: Vec<_> = self.tools.iter().map(|(id, tool)| (id.as_str(), tool)).collect();
        open.sort_by_key(|(id, tool)| (tool.record.opened_at.time_unix_nano, tool.number, *id));
        open
    }

    /// A tool returned: what it returned becomes part of the history. Gives the call back for what else is known of it. What
    /// is told twice is told once, and what is told before its call waits for it.
    pub(in crate::import) fn close_tool(&mut self, id: &str, end: ToolEnd<'_>) -> Option<Box<CallRecord<Veiled>>> {
        let ToolEnd { at, outcome, error, attrs, content } = end;
        let end = ToolEnd { at, outcome, error, attrs, content: None };
        let Some(content) = content else { return self.end_tool(id, end, Measure::default()) };
        let is_early = match self.calls.get_mut(id) {
            // In another turn the id may be used again.
            Some(called) if called.has_returned() => {
                if called.is_of(self.turns_begun) || self.turn.is_none() {
                    return None;
                }
                true
            }
            Some(called) => {
                called.returns();
                false
            }
            None => true,
        };
        if is_early && self.early.iter().any(|early| early.id == id) {
            return None;
        }
        let mut nothing = SmallVec::new();
        let answer = self.answer.as_mut().map_or((&[][..], &mut nothing), Answer::parts);
        let (told, heard) = self.talk.telling().returned_by(id, content, answer);
        if is_early && self.turn.is_some() && self.early.len() < MAX_EARLY {
            self.early.push(Early { id: id.to_owned(), end, told, heard: Some(heard) });
            return None;
        }
        self.has_heard(heard);
        self.end_tool(id, end, told)
    }

    /// A tool was called of which it was told before that it has returned.
    pub(in crate::import) fn returned_early(&mut self, id: &str) -> Option<Box<CallRecord<Veiled>>> {
        let place = self.early.iter().position(|early| early.id == id)?;
        let Early { end, told, heard, .. } = self.early.remove(place);
        if let Some(called) = self.calls.get_mut(id) {
            called.returns();
        }
        heard.into_iter().for_each(|heard| self.has_heard(heard));
        self.end_tool(id, end, told)
    }

    /// What was told too early becomes part of the history: an answer has ended, and it was not that of its call.
    pub(super) fn hear_early(&mut self) {
        let heard: Vec<Heard> = self.early.iter_mut().filter_map(|early| early.heard.take()).collect();
        heard.into_iter().for_each(|heard| self.talk.push(heard));
    }

    fn end_tool(&mut self, id: &str, end: ToolEnd<'_>, told: Measure) -> Option<Box<CallRecord<Veiled>>> {
        let ToolEnd { at, outcome, error, attrs, .. } = end;
        let mut tool = self.tools.remove(id)?;
        let error = match error {
            Some(error) => self.talk.telling().text(&[Field::Errors], &ResultContent::Text(error)),
            None => tool.error,
        };
        for (id, value) in attrs.iter() {
            tool.closed.insert(id, value.clone());
        }
        let outcome = tool.outcome.or(outcome).unwrap_or(Outcome::Completed);
        let at = at.max(tool.record.opened_at.time_unix_nano);
        if let Some(turn) = &mut self.turn {
            turn.last = turn.last.max(at);
            turn.busy_until = turn.busy_until.max(at);
        }
        let closed = Closed { outcome: Some(outcome), attrs: tool.closed, error, links: Vec::new() };
        tool.record.close(moment(at), closed, Returned::Result(told));
        Some(tool.record)
    }

    /// The turn ended with tools that nobody told the end of.
    pub(in crate::import) fn abandon_tools(&mut self, desk: &mut Desk, at: u64, turn: Option<Outcome>) {
        let open: Vec<String> = self.open_tools().into_iter().map(|(id, _)| id.to_owned()).collect();
        for id in open {
            if let Some(record) = self.give_up_tool(&id, at, turn) {
                desk.call(record);
            }
        }
    }

    /// The turn ended so at this time, and nobody told the end of its tool.
    pub(in crate::import) fn give_up_tool(
        &mut self,
        id: &str,
        at: u64,
        turn: Option<Outcome>,
    ) -> Option<Box<CallRecord<Veiled>>> {
        let tool = self.tools.get(id)?;
        let (known, ended) = (tool.outcome, tool.ended);
        let mut attrs = Attrs::default();
        if ended.is_none() {
            attrs.set(END_INFERRED, true);
        }
        let outcome = match (known, turn) {
            (None, Some(Outcome::Cancelled)) => Outcome::Cancelled,
            (None, _) if ended.is_some() => Outcome::Completed,
            (None, _) => Outcome::Abandoned,
            (Some(outcome), _) => outcome,
        };
        let end = ToolEnd { at: ended.unwrap_or(at), outcome: Some(outcome), attrs, ..ToolEnd::default() };
        self.close_tool(id, end)
    }
}
