//! Turns of a thread.

use std::sync::Arc;

use bytestring::ByteString;

use super::desk::{Desk, moment};
use super::thread::Thread;
use crate::event::{
    Attrs, CallKind, CallRecord, Closed, EdgeKind, Given, Link, Measure, Message, Outcome, RawText, ResultContent,
    Returned, Scope, SpanIds, Veiled,
};
use crate::import::ids;
use crate::semconv::{END_INFERRED, Field};

/// A turn that runs.
pub(in crate::import) struct Turn {
    pub(in crate::import) record: Box<CallRecord<Veiled>>,
    pub(in crate::import) started: u64,
    /// The latest time that was seen in it.
    pub(in crate::import) last: u64,
    /// Until when it did something that the next inference had to wait for.
    pub(in crate::import) busy_until: u64,
    prompts: Vec<Measure>,
    pub(super) answered: Option<Measure>,
    pub(super) inferences: u64,
    /// How it ended, where something has said that it did.
    pub(in crate::import) ended: Option<End>,
    /// It was told; what comes now comes late.
    is_told: bool,
}

/// How a turn seems to have ended.
#[derive(Clone, Copy)]
pub(in crate::import) struct End {
    pub(in crate::import) outcome: Outcome,
    /// When that was read, on the clock of [`Desk::since`].
    pub(in crate::import) since: u64,
    surety: Surety,
}

/// How sure it is that a turn has ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::import) enum Surety {
    /// Something else that says so will follow.
    Guessed,
    /// It was said, and what belongs to it may still come late.
    Said,
    /// Nothing belongs to it any more.
    Final,
}

/// The prompts of one turn that are told; of more the first ones.
const MAX_PROMPTS: usize = 64;

impl Thread {
    /// Opens a turn; one that is open ends before it. One that has been told already is not opened again.
    pub(in crate::import) fn open_turn(&mut self, desk: &mut Desk, id: &str, at: u64, mut attrs: Attrs) -> bool {
        self.end_turn(desk, None);
        if !self.turns.set(id, ()) {
            return false;
        }
        let id = desk.label(id);
        let scope = Arc::new(self.scope_of_turn(id.clone()));
        self.label_turn(&mut attrs);
        let origin = self.origin.map(|origin| origin.span);
        let Some(mut record) = desk.open(&scope, (CallKind::Turn, &id), origin, at, attrs) else {
            return false;
        };
        self.turns_begun += 1;
        record.opened.links.extend(self.before);
        let span = record.opened.span;
        self.before = Some(Link { trace: span.trace, span: span.span, kind: Some(EdgeKind::Turn) });
        self.scope = scope;
        self.turn = Some(Turn {
            record,
            started: at,
            last: at,
            busy_until: at,
            prompts: Vec::new(),
            answered: None,
            inferences: 0,
            ended: None,
            is_told: false,
        });
        true
    }

    /// Whether a turn of this id has begun.
    pub(in crate::import) fn has_begun(&self, id: &str) -> bool {
        self.turns.get(id).is_some()
    }

    /// The span that a turn of this id has, where no call started the thread.
    pub(in crate::import) fn span_of_turn(&self, desk: &Desk, id: &str) -> Option<SpanIds> {
        let scope = self.scope_of_turn(desk.label(id));
        let key = ids::key(&scope, CallKind::Turn, &scope.turn);
        ids::span(&scope, key, None, desk.set.per)
    }

    fn scope_of_turn(&self, turn: ByteString) -> Scope {
        let Scope { tenant, rollout, thread, .. } = &*self.scope;
        Scope { tenant: tenant.clone(), rollout: rollout.clone(), thread: thread.clone(), turn }
    }

    /// A prompt, as a hook measures it.
    pub(in crate::import) fn measured_prompt(&self, prompt: &str) -> Measure {
        self.talk.telling().measured(&[Field::Prompts], &ResultContent::Text(RawText::from(prompt)))
    }

    /// What the turn was asked. It becomes part of the history, unless it `is_known`: that was told already.
    pub(in crate::import) fn asked(&mut self, message: Message, is_known: bool) {
        let heard = self.talk.telling().heard(message);
        if let Some(turn) = &mut self.turn {
            let room = MAX_PROMPTS.saturating_sub(turn.prompts.len());
            turn.prompts.extend(self.talk.telling().asked(&heard).into_iter().take(room));
        }
        if !is_known {
            self.has_heard(heard);
        }
    }

    /// What the turn was asked, as somebody has measured it.
    pub(in crate::import) fn asked_as(&mut self, prompt: Measure) {
        if let Some(turn) = self.turn.as_mut().filter(|turn| turn.prompts.len() < MAX_PROMPTS) {
            turn.prompts.push(prompt);
        }
    }

    /// What the turn answered, as somebody has measured it.
    pub(in crate::import) fn answered_as(&mut self, answer: Measure) {
        if let Some(turn) = &mut self.turn {
            turn.answered = Some(answer).filter(|answer| *answer != Measure::default());
        }
    }

    /// A row of the turn was made at this time.
    pub(in crate::import) fn saw(&mut self, desk: &Desk, at: u64) {
        if let Some(turn) = &mut self.turn {
            turn.last = turn.last.max(at);
            if let Some(end) = &mut turn.ended {
                end.since = desk.since(at);
            }
        }
    }

    /// Notes that something of this time says how the turn ended. The turn stays open for what comes late.
    pub(in crate::import) fn note_end(&mut self, desk: &Desk, outcome: Outcome, surety: Surety, at: u64) {
        let Some(turn) = &mut self.turn else { return };
        let known = turn.ended.filter(|end| end.outcome != Outcome::Completed);
        let surety = turn.ended.map_or(surety, |end| end.surety.max(surety));
        let outcome = known.map_or(outcome, |end| end.outcome);
        turn.ended = Some(End { outcome, since: desk.since(at), surety });
    }

    /// The model goes on: what seemed to be the end of the turn was none.
    pub(in crate::import) fn goes_on(&mut self) {
        if let Some(turn) = self.turn.as_mut().filter(|turn| !turn.is_told) {
            let kept = turn.ended.filter(|end| end.outcome != Outcome::Completed);
            turn.ended = kept.map(|end| End { surety: Surety::Guessed, ..end });
        }
    }

    /// Whether it was said that the turn ended, however late something of it may still come.
    pub(in crate::import) fn has_said_its_end(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.ended.is_some_and(|end| end.surety >= Surety::Said))
    }

    /// Whether nothing belongs to a turn any more.
    pub(in crate::import) fn is_final(&self) -> bool {
        self.turn.as_ref().is_none_or(|turn| turn.is_told || turn.ended.is_some_and(|end| end.surety == Surety::Final))
    }

    /// Whether nothing of the turn comes any more, where that was said so long ago.
    pub(in crate::import) fn is_whole(&self, now: u64, grace: u64) -> bool {
        let is_over = |end: End| end.surety >= Surety::Said && now.saturating_sub(end.since) >= grace;
        self.is_final() || self.turn.as_ref().is_some_and(|turn| turn.ended.is_some_and(is_over))
    }

    /// The turn that runs and was not told yet.
    pub(in crate::import) fn running(&self) -> Option<&ByteString> {
        self.turn.as_ref().filter(|turn| !turn.is_told).map(|turn| &turn.record.scope.turn)
    }

    /// Ends the turn: as `how` says, else as a row has said, else nobody knows.
    pub(in crate::import) fn end_turn(&mut self, desk: &mut Desk, how: Option<(Outcome, u64)>) {
        self.tell_turn(desk, how);
        self.early.clear();
        self.turn = None;
    }

    /// How and when the turn ends: as `how` says, else as a row has said.
    pub(in crate::import) fn end_of_turn(&self, how: Option<(Outcome, u64)>) -> Option<(Option<Outcome>, u64)> {
        let turn = self.turn.as_ref()?;
        let end = how.map_or(turn.last, |(_, at)| at.max(turn.started));
        Some((how.map(|(outcome, _)| outcome).or(turn.ended.map(|end| end.outcome)), end))
    }

    /// Ends the turn, and keeps its place for what comes late.
    pub(in crate::import) fn tell_turn(&mut self, desk: &mut Desk, how: Option<(Outcome, u64)>) {
        self.end_answer(desk);
        self.hear_early();
        let Some((outcome, end)) = self.end_of_turn(how) else { return };
        self.abandon_tools(desk, end, outcome);
        let Some(turn) = self.turn.as_mut().filter(|turn| !turn.is_told) else { return };
        turn.is_told = true;
        let mut record = turn.record.clone();
        let mut attrs = std::mem::take(&mut record.closed.attrs);
        if outcome.is_none() {
            attrs.set(END_INFERRED, true);
        }
        record.given = Given::Texts(std::mem::take(&mut turn.prompts));
        let outcome = outcome.unwrap_or(Outcome::Abandoned);
        let error = std::mem::take(&mut record.closed.error);
        let closed = Closed { outcome: Some(outcome), attrs, error, links: Vec::new() };
        record.close(moment(end), closed, Returned::Texts(turn.answered.take().into_iter().collect()));
        desk.call(record);
    }

    /// Tells what seems to have ended so long ago that nothing comes late any more.
    pub(in crate::import) fn settle(&mut self, desk: &mut Desk, how: Option<(Outcome, u64)>) {
        if self.turn_is_over(desk) {
            return self.tell_turn(desk, how);
        }
        let is_over = |since: u64| desk.clock.saturating_sub(since) >= desk.set.grace;
        if self.answer.as_ref().is_some_and(|answer| answer.ended.is_some_and(is_over)) {
            self.end_answer(desk);
        }
    }

    /// Whether it was said that the turn ended, so long ago that nothing of it comes late any more.
    pub(in crate::import) fn turn_is_over(&self, desk: &Desk) -> bool {
        let is_over = |end: End| end.surety >= Surety::Said && desk.clock.saturating_sub(end.since) >= desk.set.grace;
        self.turn.as_ref().is_some_and(|turn| turn.ended.is_some_and(is_over))
    }

    /// The number of the inference that begins next in the turn.
    pub(in crate::import) fn next_inference(&self) -> u64 {
        self.turn.as_ref().map_or(0, |turn| turn.inferences)
    }
}
