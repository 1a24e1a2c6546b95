//! What the policy does to one event.

use std::sync::Arc;

use bytestring::ByteString;
use smallvec::SmallVec;

use super::c1::{Hasher, Made, digest};
use super::history::History;
use super::known::Known;
use super::label::{is_policy, is_safe_label};
use super::measure::{self, Telling};
use super::policy::{OTHER, Policy, replaced_label};
use super::tally::Tally;
use crate::event::{
    Attrs, CallKind, CallRecord, Closed, Event, Given, Histories, Input, Kind, Mark, MarkKind, Measure, Message, Noted,
    Opened, Output, Raw, RawAttrs, RawValue, Request, ResultContent, Returned, Scope, SpanIds, Value, Veiled,
};
use crate::semconv::{Class, FINISH_REASONS, Field, KeyId};

/// What became of labels.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Labels {
    pub(super) replaced: u64,
    pub(super) left_out: u64,
}

/// One event on its way through. What was said is only looked at: whoever has it wipes it.
pub(crate) struct Pass<'a> {
    pub(super) hasher: Option<&'a Hasher>,
    pub(super) policy: &'a Policy,
    pub(super) known: &'a mut Known,
    pub(super) labels: &'a mut Labels,
    pub(super) tally: &'a Tally,
    pub(super) history: &'a mut History,
    /// Digests of some of what was said that are made already.
    pub(super) made: Made<'a>,
}

impl Pass<'_> {
    /// The event, as much as may leave of it.
    pub(super) fn event(&mut self, event: &Event<Raw>) -> Event<Veiled> {
        let Event { scope, key, at, source, kind } = event;
        let own = match kind {
            Kind::Opened(opened, _) => Some(&opened.span),
            _ => None,
        };
        let scope = self.scope(scope, own);
        let kind = match kind {
            Kind::Opened(opened, given) => {
                Kind::Opened(self.opened(opened), self.given(key.kind, &scope, &opened.span, given))
            }
            Kind::Marked(mark) => Kind::Marked(self.mark(&scope, mark)),
            Kind::Closed(closed, returned) => {
                let closed = self.closed(closed);
                let returned = self.returned(key.kind, &closed, returned);
                Kind::Closed(closed, returned)
            }
            Kind::Learned(attrs) => Kind::Learned(self.attrs(attrs)),
            Kind::Stated { subject, statement, attrs } => {
                Kind::Stated { subject: *subject, statement: *statement, attrs: self.attrs(attrs) }
            }
            Kind::Quarantined { place, reason } => {
                Kind::Quarantined { place: self.label(place), reason: self.label(reason) }
            }
            Kind::Tick => Kind::Tick,
            Kind::Unknown { name } => Kind::Unknown { name: self.label(name) },
        };
        Event { scope, key: *key, at: *at, source: *source, kind }
    }

    /// All events of a call carry its scope: what is replaced in it is counted with the first, which knows its `own` ids.
    pub(crate) fn scope(&mut self, scope: &Arc<Scope>, own: Option<&SpanIds>) -> Arc<Scope> {
        if self.known.scope(self.policy.detectors(), scope, own) {
            return Arc::clone(scope);
        }
        let before = *self.labels;
        let veiled = Scope {
            tenant: scope.tenant.as_ref().map(|id| self.label(id)),
            rollout: self.label(&scope.rollout),
            thread: self.label(&scope.thread),
            turn: self.label(&scope.turn),
        };
        if own.is_none() {
            *self.labels = before;
        }
        Arc::new(veiled)
    }

    /// What is known of a call when it opens.
    pub(crate) fn opened(&mut self, opened: &Opened<Raw>) -> Opened<Veiled> {
        let (attrs, policy) = (self.opening(&opened.attrs), self.known.snapshot(self.policy));
        Opened { span: opened.span, attrs, links: opened.links.clone(), policy: Some(policy) }
    }

    /// What is known of a call when it closes.
    pub(crate) fn closed(&mut self, closed: &Closed<Raw>) -> Closed<Veiled> {
        let error = self.payload(&[Field::Errors], closed.error.as_ref());
        Closed { outcome: closed.outcome, attrs: self.attrs(&closed.attrs), error, links: closed.links.clone() }
    }

    /// Folds the end of a call into its record, of whose end there is nothing yet: what is told is written where it stays.
    pub(crate) fn close(&mut self, record: &mut CallRecord<Veiled>, closed: &Closed<Raw>, returned: &Returned<Raw>) {
        record.opened.links.extend_from_slice(&closed.links);
        record.closed.outcome = closed.outcome;
        self.attrs_into(&closed.attrs, &mut record.closed.attrs);
        if let Some(error) = &closed.error {
            record.closed.error = self.telling().text(&[Field::Errors], error);
        }
        if !returned.is_nothing() {
            record.returned = self.returned(record.kind, &record.closed, returned);
        }
    }

    /// What was observed inside of a call.
    pub(crate) fn mark(&mut self, scope: &Scope, mark: &Mark<Raw>) -> Mark<Veiled> {
        if mark.kind == MarkKind::CompactionInstalled {
            self.history.replaced(scope);
        }
        let noted = match &mark.noted {
            Noted::Nothing => Noted::Nothing,
            Noted::Decision { action, alternatives } => {
                let action = self.payload(&[Field::Completions], action.as_ref());
                Noted::Decision {
                    action,
                    alternatives: self.telling().all_measured(&[Field::Completions], alternatives),
                }
            }
            Noted::State(state) => {
                let told = state.as_ref().map(|state| self.telling().state(state));
                Noted::State(told.unwrap_or_default())
            }
            Noted::Message(message) => {
                let classes = [Field::Prompts, Field::Completions];
                let told = message.as_ref().map(|message| self.telling().measured(&classes, message));
                Noted::Message(told.unwrap_or_default())
            }
            Noted::Histories(histories) => Noted::Histories(Box::new(Histories {
                replaced: self.messages(histories.replaced.as_deref()),
                replacement: self.messages(histories.replacement.as_deref()),
            })),
        };
        Mark { kind: mark.kind, attrs: self.attrs(&mark.attrs), noted }
    }

    /// What a call in this scope was given, whose span is this.
    pub(crate) fn given(&mut self, kind: CallKind, scope: &Scope, span: &SpanIds, given: &Given<Raw>) -> Given<Veiled> {
        match given {
            Given::Request(request) if kind == CallKind::Inference => {
                Given::Request(self.request(scope, span, request.as_deref()))
            }
            // Nothing builds on it, so it is told whole.
            Given::Request(request) => Given::Request(self.keyframe(request.as_deref())),
            Given::Arguments(arguments) => {
                let told = arguments.as_ref().map(|arguments| self.telling().arguments(arguments));
                Given::Arguments(told.unwrap_or_default())
            }
            Given::Texts(texts) => Given::Texts(self.telling().given(kind, texts)),
        }
    }

    /// What a call returned that closes so.
    pub(crate) fn returned(
        &self,
        kind: CallKind,
        closed: &Closed<Veiled>,
        returned: &Returned<Raw>,
    ) -> Returned<Veiled> {
        match returned {
            Returned::Answer(answer) => Returned::Answer(self.answer(closed, answer)),
            Returned::Result(result) => {
                let told = result.as_ref().map(|result| self.telling().result(result));
                Returned::Result(told.unwrap_or_default())
            }
            Returned::Texts(texts) => Returned::Texts(self.telling().returned(kind, texts)),
        }
    }

    /// The same as [`attrs`](Self::attrs) of what comes again and again.
    fn opening(&mut self, raw: &RawAttrs) -> Attrs {
        // What was left out of one is to be counted each time.
        if raw.left_out() > 0 {
            return self.attrs(raw);
        }
        if let Some(attrs) = self.known.openings.known(raw) {
            return attrs;
        }
        let before = *self.labels;
        let mut attrs = self.attrs(raw);
        if *self.labels == before {
            self.known.openings.learn(raw, &mut attrs);
        }
        attrs
    }

    /// Names, numbers and labels.
    pub(crate) fn attrs(&mut self, raw: &RawAttrs) -> Attrs {
        let mut attrs = Attrs::default();
        self.attrs_into(raw, &mut attrs);
        attrs
    }

    /// The same, into what is empty.
    fn attrs_into(&mut self, raw: &RawAttrs, attrs: &mut Attrs) {
        attrs.reserve(raw.len());
        self.labels.left_out += u64::from(raw.left_out());
        for (id, value) in raw.iter() {
            if let RawValue::Text(text) | RawValue::Element(text) = value
                && let Some(label) = self.known.for_good(id, text)
            {
                let label = ByteString::from_static(label);
                match value {
                    RawValue::Element(_) => self.element(attrs, id, label),
                    _ => attrs.insert(id, Value::Text(label)),
                }
                continue;
            }
            match value {
                RawValue::Text(text) if id.name().class == Class::Digest => {
                    if let Some(digest) = self.digest(text) {
                        attrs.insert(id, Value::Text(digest));
                    }
                }
                RawValue::Text(text) => attrs.insert(id, Value::Text(self.text(id, text))),
                RawValue::Element(text) => {
                    let label = self.text(id, text);
                    self.element(attrs, id, label);
                }
                RawValue::Int(number) => attrs.insert(id, Value::Int(number)),
                RawValue::Double(number) => attrs.insert(id, Value::Double(number)),
                RawValue::Bool(flag) => attrs.insert(id, Value::Bool(flag)),
            }
        }
    }

    fn element(&mut self, attrs: &mut Attrs, id: KeyId, label: ByteString) {
        self.labels.left_out += u64::from(!attrs.push_text(id, label));
    }

    /// `text` is UTF-8.
    fn text(&mut self, id: KeyId, text: &[u8]) -> ByteString {
        if let Some(label) = self.known.label(self.policy.detectors(), id, text) {
            return label;
        }
        match id.name().class {
            Class::Policy => match std::str::from_utf8(text).ok().filter(|text| is_policy(text)) {
                Some(pairs) => ByteString::from(pairs),
                None => self.replaced(std::str::from_utf8(text).unwrap_or_default()),
            },
            Class::Reason | Class::Constant => {
                self.labels.replaced += 1;
                OTHER
            }
            _ => self.replaced(std::str::from_utf8(text).unwrap_or_default()),
        }
    }

    /// Of a parameter that was written by somebody: what it is made of stays here.
    fn digest(&self, json: &[u8]) -> Option<ByteString> {
        let json = std::str::from_utf8(json).ok()?;
        Some(digest::other(self.hasher?, json).to_string().into())
    }

    fn label(&mut self, text: &ByteString) -> ByteString {
        if is_safe_label(self.policy.detectors(), text) { text.clone() } else { self.replaced(text) }
    }

    fn replaced(&mut self, text: &str) -> ByteString {
        self.labels.replaced += 1;
        replaced_label(self.hasher, text)
    }

    fn request(&mut self, scope: &Scope, span: &SpanIds, request: Option<&Request>) -> Input {
        let Some(request) = request else { return Input::default() };
        let digests = self.telling().digests(request);
        // In a thread of its own nothing was told before, and nothing but its own inside comes after.
        let is_one_of_many = measure::whole_chain(&digests).is_some() && !span.is_own_id(&scope.thread);
        let known = if is_one_of_many { self.history.known_prefix(scope, &digests.heads) } else { None };
        self.telling().shown_input(request, measure::told(digests, known))
    }

    fn keyframe(&self, request: Option<&Request>) -> Input {
        request.map_or_else(Input::default, |request| self.telling().keyframe(request))
    }

    /// Messages alone: what stands apart from them is no part of a history that was replaced. They are measured, not shown.
    fn messages(&self, request: Option<&Request>) -> Input {
        let Some(request) = request else { return Input::default() };
        let Input { chain, items, omitted, blobs, .. } = measure::told(self.telling().digests(request), None);
        Input { chain, items, omitted, blobs, ..Input::default() }
    }

    fn answer(&self, closed: &Closed<Veiled>, answer: &[Message]) -> Output {
        if answer.is_empty() {
            return Output::default();
        }
        let reasons = match closed.attrs.value(FINISH_REASONS.id()) {
            Some(Value::Texts(reasons)) => reasons.as_slice(),
            _ => &[],
        };
        let reasons: SmallVec<[&str; 4]> = reasons.iter().map(|reason| &**reason).collect();
        self.telling().answer(answer, &reasons)
    }

    fn payload(&self, classes: &[Field], payload: Option<&ResultContent>) -> Measure {
        payload.map_or_else(Measure::default, |payload| self.telling().text(classes, payload))
    }

    const fn telling(&self) -> Telling<'_> {
        Telling { policy: self.policy, hasher: self.hasher, tally: self.tally, made: self.made }
    }
}
