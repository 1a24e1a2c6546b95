//! What a model is answering: one inference.

use smallvec::SmallVec;

use super::desk::{Desk, moment};
use super::thread::{LABELS, Thread};
use super::usage::{Usage, UsageMissing};
use crate::event::{
    Attrs, CallKind, CallRecord, Closed, Given, Measure, Message, Outcome, Part, RawText, ResultContent, Returned,
    Role, SpanIds, Value, Veiled,
};
use crate::privacy::c1::Hashed;
use crate::privacy::heard::goes_on;
use crate::semconv::{
    ERROR_KIND, FINISH_REASONS, Field, REASONING_LEVEL, REQUEST_MODEL, RESPONSE_ID, RESPONSE_MODEL,
    UPSTREAM_REQUEST_ID, USAGE_MISSING,
};

/// An answer that is being given.
pub(in crate::import) struct Answer {
    pub(in crate::import) id: String,
    record: Box<CallRecord<Veiled>>,
    parts: Vec<Part>,
    /// Those of them that have been hashed.
    hashed: SmallVec<[Hashed; 1]>,
    /// The last of them is a text that came alone: agents write one again when it has grown.
    may_grow: bool,
    last: u64,
    pub(in crate::import) usage: Usage,
    /// The input of that was counted without what came from a cache. The sum is made of the greatest numbers, and so last.
    pub(in crate::import) is_cached_beside: bool,
    pub(in crate::import) missing: Option<UsageMissing>,
    pub(in crate::import) closed: Attrs,
    pub(in crate::import) outcome: Outcome,
    pub(in crate::import) error: Measure,
    /// On the host's clock, when something was read that comes after it.
    pub(in crate::import) ended: Option<u64>,
    /// All is known of it. It has not ended yet because what a tool returned is hashed sooner beside it.
    pub(in crate::import) is_whole: bool,
    /// It is no part of the history: a history came out of it.
    is_aside: bool,
}

impl Answer {
    /// Adds what was answered at this time.
    pub(in crate::import) fn add(&mut self, parts: Vec<Part>, at: u64) {
        self.last = self.last.max(at);
        if !parts.is_empty() {
            self.may_grow = false;
            if self.parts.is_empty() {
                self.parts = parts;
            } else {
                self.parts.extend(parts);
            }
        }
    }

    /// Adds a text; one that goes on where the one before ended, from its beginning, takes its place.
    pub(in crate::import) fn grow(&mut self, text: Part, at: u64) {
        if self.may_grow && self.parts.last().is_some_and(|before| goes_on(before, &text)) {
            self.parts.pop();
            self.hashed.clear();
        }
        self.add(vec![text], at);
        self.may_grow = true;
    }

    /// Adds a text of a row that stands twice: it takes the place of itself, or of what it was before it had grown.
    pub(in crate::import) fn say_again(&mut self, text: Part, at: u64) {
        let length = |part: &Part| if let Part::Text(text) | Part::Reasoning(text) = part { text.len() } else { 0 };
        let same = self.parts.iter_mut().filter(|before| goes_on(before, &text)).max_by_key(|before| length(before));
        match same {
            Some(before) => {
                *before = text;
                self.hashed.clear();
            }
            None => self.add(vec![text], at),
        }
    }

    /// Its parts so far, and those of them that have been hashed.
    pub(super) const fn parts(&mut self) -> (&[Part], &mut SmallVec<[Hashed; 1]>) {
        (self.parts.as_slice(), &mut self.hashed)
    }

    /// Whether it is no part of the history.
    pub(in crate::import) const fn is_aside(&self) -> bool {
        self.is_aside
    }

    /// It was given to a call of this span, and not to the turn.
    pub(in crate::import) fn is_part_of(&mut self, span: SpanIds) {
        self.record.opened.span.parent = Some(span.span);
        self.is_aside = true;
    }
}

impl Thread {
    /// A model begins to answer: the request was sent when the turn had last done something else.
    pub(in crate::import) fn begin_answer(&mut self, desk: &mut Desk, id: &str, at: u64) -> Option<&mut Answer> {
        self.end_answer(desk);
        let turn = self.turn.as_mut()?;
        turn.inferences += 1;
        let start = turn.busy_until.min(at);
        let mut attrs = self.labels(CallKind::Inference);
        if let Some(model) = &self.model {
            attrs.set(REQUEST_MODEL, model.clone());
        }
        if let Some(effort) = &self.effort {
            attrs.set(REASONING_LEVEL, effort.clone());
        }
        let turn = self.turn_span();
        let mut record = desk.open(&self.scope, (CallKind::Inference, id), turn, start, attrs)?;
        record.given = Given::Request(self.talk.request());
        self.answer = Some(Answer {
            id: id.to_owned(),
            record,
            parts: Vec::new(),
            hashed: SmallVec::new(),
            may_grow: false,
            last: at,
            usage: Usage::default(),
            is_cached_beside: false,
            missing: None,
            closed: Attrs::with_capacity(LABELS),
            outcome: Outcome::Completed,
            error: Measure::default(),
            ended: None,
            is_whole: false,
            is_aside: false,
        });
        self.answer.as_mut()
    }

    /// The answer is whole: it becomes part of the history, and then what was said since.
    pub(in crate::import) fn end_answer(&mut self, desk: &mut Desk) {
        let Some(answer) = self.answer.take() else { return };
        let Answer {
            mut record,
            parts,
            hashed,
            last,
            usage,
            missing,
            closed: mut attrs,
            outcome,
            error,
            is_aside,
            is_cached_beside,
            ..
        } = answer;
        let usage = if is_cached_beside { usage.with_cached_input() } else { usage };
        usage.set(&mut attrs);
        if let Some(missing) = missing.filter(|_| usage.is_empty()) {
            attrs.set(USAGE_MISSING, missing.word());
        }
        if let Some(turn) = &mut self.turn {
            turn.last = turn.last.max(last);
            turn.busy_until = turn.busy_until.max(last);
        }
        let telling = self.talk.telling();
        let message = Some(Message { role: Role::Assistant, parts }).filter(|message| !message.parts.is_empty());
        let heard = message.map(|message| telling.heard_knowing(message, &hashed));
        let output = heard.as_ref().map(|heard| telling.answered(heard, &reasons(&attrs))).unwrap_or_default();
        if let (Some(turn), Some(heard), false) = (&mut self.turn, &heard, is_aside) {
            turn.answered = telling.said(heard).or(turn.answered.take());
        }
        heard.into_iter().filter(|_| !is_aside).for_each(|heard| self.talk.push(heard));
        self.waiting.drain(..).for_each(|heard| self.talk.push(heard));
        self.hear_early();
        let at = moment(last.max(record.opened_at.time_unix_nano));
        record.close(at, Closed { outcome: Some(outcome), attrs, error, links: Vec::new() }, Returned::Answer(output));
        desk.call(record);
    }

    /// An answer of which all is known ends.
    pub(in crate::import) fn end_whole_answer(&mut self, desk: &mut Desk) {
        if self.has_whole_answer() {
            self.end_answer(desk);
        }
    }

    pub(in crate::import) fn has_whole_answer(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.is_whole)
    }

    /// The answer is none: an agent wrote an error in its place, which the model did not say and is not shown again.
    pub(in crate::import) fn write_error(&mut self, text: RawText) {
        let error = self.talk.telling().text(&[Field::Errors], &ResultContent::Text(text));
        if let Some(answer) = &mut self.answer {
            answer.error = error;
        }
    }

    /// An attempt of which nothing came but an error.
    pub(in crate::import) fn failed_attempt(
        &mut self,
        desk: &mut Desk,
        id: &str,
        at: u64,
        mut attrs: Attrs,
        kind: &str,
    ) {
        self.end_answer(desk);
        attrs.set(ERROR_KIND, desk.reason(kind));
        if let Some(answer) = self.begin_answer(desk, id, at) {
            answer.outcome = Outcome::Failed;
            answer.closed = attrs;
        }
        self.end_answer(desk);
    }
}

/// Why an answer ended.
fn reasons(closed: &Attrs) -> SmallVec<[&str; 4]> {
    match closed.value(FINISH_REASONS.id()) {
        Some(Value::Texts(reasons)) => reasons.iter().map(|reason| &**reason).collect(),
        _ => SmallVec::new(),
    }
}

/// What a response says of itself.
pub(in crate::import) fn response(
    desk: &Desk,
    attrs: &mut Attrs,
    (id, model, request, reason): (Option<&str>, Option<&str>, Option<&str>, Option<&str>),
) {
    for (attr, value) in [(RESPONSE_ID, id), (RESPONSE_MODEL, model), (UPSTREAM_REQUEST_ID, request)] {
        if let Some(value) = value {
            attrs.set(attr, desk.label(value));
        }
    }
    if let Some(reason) = reason {
        attrs.set(FINISH_REASONS, vec![desk.reason(reason)]);
    }
}
