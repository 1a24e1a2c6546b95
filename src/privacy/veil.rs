//! From content as it was said to what may leave.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;
use smallvec::SmallVec;

use super::c1::{Hasher, digest};
use super::history::History;
use super::known::Known;
use super::label::{is_policy, is_safe_label};
use super::measure::{self, Telling};
use super::policy::{OTHER, Policy, replaced_label};
use super::tally::Tally;
use crate::event::{
    Attrs, CallKind, Closed, Digest, Event, Given, Histories, Input, Kind, Mark, MarkKind, Measure, Message, Noted,
    Opened, Output, Raw, RawAttrs, RawValue, Request, ResultContent, Returned, Scope, SpanIds, Value, Veiled,
};
use crate::semconv::{Class, FINISH_REASONS, Field, KeyId};

/// The tenants whose keys are kept ready.
const TENANTS: usize = 1024;

/// Applies a [`Policy`] to events.
///
/// Holds what has been told of each thread, so the events of one producer must all pass through one.
#[allow(missing_debug_implementations)]
pub struct Veil {
    policy: Policy,
    history: History,
    tenants: HashMap<ByteString, Hasher>,
    known: Known,
    labels: Labels,
    tally: Tally,
}

/// What became of labels.
#[derive(Clone, Copy, Default)]
struct Labels {
    replaced: u64,
    left_out: u64,
}

/// What a [`Veil`] has changed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VeilCounts {
    /// Labels that did not look like one and left as a digest or as `_OTHER`.
    pub labels_replaced: u64,
    /// Labels that were not taken, since there were too many of one call.
    pub labels_left_out: u64,
    /// Whole contents that did not fit into their attribute and were cut.
    pub texts_cut: u64,
    /// Texts that left with something masked in them, a preview and the whole each for itself.
    pub texts_masked: u64,
}

impl Veil {
    /// A veil of this policy, for one producer.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            history: History::default(),
            tenants: HashMap::new(),
            known: Known::default(),
            labels: Labels::default(),
            tally: Tally::default(),
        }
    }

    /// The policy that it applies.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it has changed so far.
    pub fn counts(&self) -> VeilCounts {
        let (texts_cut, texts_masked) = self.tally.read();
        let Labels { replaced, left_out } = self.labels;
        VeilCounts { labels_replaced: replaced, labels_left_out: left_out, texts_cut, texts_masked }
    }

    /// From now on it applies this one.
    pub fn set_policy(&mut self, policy: Policy) {
        if policy.is(&self.policy) {
            return;
        }
        self.policy = policy;
        // All of these were made under the other one.
        self.tenants.clear();
        self.known = Known::default();
        self.history.forget();
    }

    /// The event, as much as may leave of it. What was said is wiped.
    pub fn event(&mut self, event: Event<Raw>) -> Event<Veiled> {
        let hasher = hasher_of(&self.policy, &mut self.tenants, event.scope.tenant.as_ref());
        let pass =
            Pass { hasher, policy: &self.policy, known: &mut self.known, labels: &mut self.labels, tally: &self.tally };
        pass.event(event, &mut self.history)
    }

    /// The same under the policy under which its call opened.
    pub(crate) fn event_under(&mut self, policy: &Policy, event: Event<Raw>) -> Event<Veiled> {
        let tenant = event.scope.tenant.as_deref();
        let hasher = policy.hasher().map(|hasher| hasher.for_tenant(tenant));
        let mut known = Known::default();
        let pass =
            Pass { hasher: hasher.as_ref(), policy, known: &mut known, labels: &mut self.labels, tally: &self.tally };
        pass.event(event, &mut self.history)
    }

    /// A call that this veil has passed was accepted for export: the next inference of its thread may build on it.
    pub fn accepted(&mut self, scope: &Scope, kind: CallKind, chain: Option<Digest>) {
        if let (CallKind::Inference, Some(chain)) = (kind, chain) {
            self.history.told(scope, chain);
        }
    }

    /// A call that this veil has passed was lost: every thread tells its history anew.
    pub fn lost(&mut self) {
        self.history.forget();
    }
}

/// The function of one tenant, borrowed: it is too large to be copied for each event.
fn hasher_of<'h>(
    policy: &'h Policy,
    tenants: &'h mut HashMap<ByteString, Hasher>,
    tenant: Option<&ByteString>,
) -> Option<&'h Hasher> {
    let base = policy.hasher()?;
    let Some(tenant) = tenant else { return Some(base) };
    if !tenants.contains_key(tenant) {
        if tenants.len() >= TENANTS {
            tenants.clear();
        }
        tenants.insert(tenant.clone(), base.for_tenant(Some(tenant)));
    }
    tenants.get(tenant)
}

/// One event on its way through.
struct Pass<'a> {
    hasher: Option<&'a Hasher>,
    policy: &'a Policy,
    known: &'a mut Known,
    labels: &'a mut Labels,
    tally: &'a Tally,
}

impl Pass<'_> {
    fn event(mut self, event: Event<Raw>, history: &mut History) -> Event<Veiled> {
        let Event { scope, key, at, source, kind } = event;
        let own = match &kind {
            Kind::Opened(opened, _) => Some(&opened.span),
            _ => None,
        };
        let scope = self.scope(scope, own);
        let kind = match kind {
            Kind::Opened(opened, given) => {
                let opened = self.opened(opened);
                Kind::Opened(opened, self.given(key.kind, &scope, given, history))
            }
            Kind::Marked(mark) => {
                if mark.kind == MarkKind::CompactionInstalled {
                    history.replaced(&scope);
                }
                Kind::Marked(self.mark(mark))
            }
            Kind::Closed(closed, returned) => {
                let closed = self.closed(closed);
                let returned = self.returned(key.kind, &closed, returned);
                Kind::Closed(closed, returned)
            }
            Kind::Learned(attrs) => Kind::Learned(self.attrs(&attrs)),
            Kind::Stated { subject, statement, attrs } => {
                Kind::Stated { subject, statement, attrs: self.attrs(&attrs) }
            }
            Kind::Quarantined { place, reason } => {
                Kind::Quarantined { place: self.label(&place), reason: self.label(&reason) }
            }
            Kind::Tick => Kind::Tick,
            Kind::Unknown { name } => Kind::Unknown { name: self.label(&name) },
        };
        Event { scope, key, at, source, kind }
    }

    /// All events of a call carry its scope: what is replaced in it is counted with the first, which knows its `own` ids.
    fn scope(&mut self, scope: Arc<Scope>, own: Option<&SpanIds>) -> Arc<Scope> {
        if self.known.scope(self.policy.detectors(), &scope, own) {
            return scope;
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

    fn opened(&mut self, opened: Opened<Raw>) -> Opened<Veiled> {
        let (attrs, policy) = (self.attrs(&opened.attrs), self.policy.snapshot().clone());
        Opened { span: opened.span, attrs, links: opened.links, policy: Some(policy) }
    }

    fn closed(&mut self, closed: Closed<Raw>) -> Closed<Veiled> {
        let error = self.payload(&[Field::Errors], closed.error.as_ref());
        Closed { outcome: closed.outcome, attrs: self.attrs(&closed.attrs), error, links: closed.links }
    }

    fn mark(&mut self, mark: Mark<Raw>) -> Mark<Veiled> {
        let noted = match mark.noted {
            Noted::Nothing => Noted::Nothing,
            Noted::Decision { action, alternatives } => {
                let action = self.payload(&[Field::Completions], action.as_ref());
                Noted::Decision {
                    action,
                    alternatives: self.telling().all_measured(&[Field::Completions], &alternatives),
                }
            }
            Noted::State(state) => {
                let told = state.map(|state| self.telling().measured(&Field::ALL, &state));
                Noted::State(told.unwrap_or_default())
            }
            Noted::Message(message) => {
                let classes = [Field::Prompts, Field::Completions];
                let told = message.map(|message| self.telling().measured(&classes, &message));
                Noted::Message(told.unwrap_or_default())
            }
            Noted::Histories(histories) => Noted::Histories(Box::new(Histories {
                replaced: self.messages(histories.replaced.as_deref()),
                replacement: self.messages(histories.replacement.as_deref()),
            })),
        };
        Mark { kind: mark.kind, attrs: self.attrs(&mark.attrs), noted }
    }

    fn given(&mut self, kind: CallKind, scope: &Scope, given: Given<Raw>, history: &mut History) -> Given<Veiled> {
        match given {
            Given::Request(request) if kind == CallKind::Inference => {
                Given::Request(self.request(scope, request.as_deref(), history))
            }
            // Nothing builds on it, so it is told whole.
            Given::Request(request) => Given::Request(self.keyframe(request.as_deref())),
            Given::Arguments(arguments) => {
                let told = arguments.map(|arguments| self.telling().arguments(&arguments));
                Given::Arguments(told.unwrap_or_default())
            }
            Given::Texts(texts) => Given::Texts(self.telling().given(kind, &texts)),
        }
    }

    fn returned(&self, kind: CallKind, closed: &Closed<Veiled>, returned: Returned<Raw>) -> Returned<Veiled> {
        match returned {
            Returned::Answer(answer) => Returned::Answer(self.answer(closed, &answer)),
            Returned::Result(result) => {
                let told = result.map(|result| self.telling().result(&result));
                Returned::Result(told.unwrap_or_default())
            }
            Returned::Texts(texts) => Returned::Texts(self.telling().returned(kind, &texts)),
        }
    }

    fn attrs(&mut self, raw: &RawAttrs) -> Attrs {
        let mut attrs = Attrs::with_capacity(raw.len());
        self.labels.left_out += u64::from(raw.left_out());
        for (id, value) in raw.iter() {
            match value {
                RawValue::Text(text) if id.name().class == Class::Digest => {
                    if let Some(digest) = self.digest(text) {
                        attrs.insert(id, Value::Text(digest));
                    }
                }
                RawValue::Text(text) => attrs.insert(id, Value::Text(self.text(id, text))),
                RawValue::Element(text) => attrs.push_text(id, self.text(id, text)),
                RawValue::Int(number) => attrs.insert(id, Value::Int(number)),
                RawValue::Double(number) => attrs.insert(id, Value::Double(number)),
                RawValue::Bool(flag) => attrs.insert(id, Value::Bool(flag)),
            }
        }
        attrs
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

    fn request(&mut self, scope: &Scope, request: Option<&Request>, history: &mut History) -> Input {
        let Some(request) = request else { return Input::default() };
        let telling = self.telling();
        let digests = telling.digests(request);
        let known = measure::whole_chain(&digests).and_then(|_| history.known_prefix(scope, &digests.heads));
        telling.shown_input(request, measure::told(digests, known))
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
        Telling { policy: self.policy, hasher: self.hasher, tally: self.tally }
    }
}
