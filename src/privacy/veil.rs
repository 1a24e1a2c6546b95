//! From content as it was said to what may leave.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;

use super::c1::{self, Hasher};
use super::history::History;
use super::known::Known;
use super::label::{is_label, is_policy};
use super::level::Level;
use super::measure::{self, MAX_TOLD};
use super::policy::{OTHER, Policy, replaced_label};
use crate::event::{
    Arguments, Attrs, CallKind, Closed, Digest, Event, Given, Histories, Input, Kind, Mark, MarkKind, Measure, Message,
    Noted, Opened, Output, Raw, RawAttrs, RawText, RawValue, Request, ResultContent, Returned, Scope, Value, Veiled,
};
use crate::semconv::{Class, KeyId};

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
    counts: VeilCounts,
}

/// What a [`Veil`] has changed so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VeilCounts {
    /// Labels that did not look like one and left as a digest or as `_OTHER`.
    pub labels_replaced: u64,
}

impl Veil {
    /// A veil of this policy, for one producer.
    pub fn new(policy: Policy) -> Self {
        Self {
            policy,
            history: History::default(),
            tenants: HashMap::new(),
            known: Known::default(),
            counts: VeilCounts::default(),
        }
    }

    /// The policy that it applies.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What it has changed so far.
    pub fn counts(&self) -> VeilCounts {
        self.counts
    }

    /// The event, as much as may leave of it. What was said is wiped.
    pub fn event(&mut self, event: Event<Raw>) -> Event<Veiled> {
        let Event { scope, key, at, source, kind } = event;
        let hasher = hasher_of(&self.policy, &mut self.tenants, scope.tenant.as_ref());
        let (level, known, counts) = (self.policy.level(), &mut self.known, &mut self.counts);
        let mut pass = Pass { hasher, level, known, counts };
        let is_open = matches!(kind, Kind::Opened(..));
        let scope = pass.scope(scope, !is_open);
        let kind = match kind {
            Kind::Opened(opened, given) => {
                let opened = pass.opened(opened, self.policy.snapshot());
                Kind::Opened(opened, pass.given(key.kind, &scope, given, &mut self.history))
            }
            Kind::Marked(mark) => {
                if mark.kind == MarkKind::CompactionInstalled {
                    self.history.replaced(&scope);
                }
                Kind::Marked(pass.mark(mark))
            }
            Kind::Closed(closed, returned) => Kind::Closed(pass.closed(closed), pass.returned(returned)),
            Kind::Learned(attrs) => Kind::Learned(pass.attrs(&attrs)),
            Kind::Tick => Kind::Tick,
            Kind::Unknown { name } => Kind::Unknown { name: pass.label(&name) },
        };
        Event { scope, key, at, source, kind }
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
    level: Level,
    known: &'a mut Known,
    counts: &'a mut VeilCounts,
}

impl Pass<'_> {
    /// All events of a call carry its scope: what is replaced in it is counted with the first.
    fn scope(&mut self, scope: Arc<Scope>, was_counted: bool) -> Arc<Scope> {
        if self.known.scope(&scope) {
            return scope;
        }
        let before = *self.counts;
        let veiled = Scope {
            tenant: scope.tenant.as_ref().map(|id| self.label(id)),
            rollout: self.label(&scope.rollout),
            thread: self.label(&scope.thread),
            turn: self.label(&scope.turn),
        };
        if was_counted {
            *self.counts = before;
        }
        Arc::new(veiled)
    }

    fn opened(&mut self, opened: Opened<Raw>, policy: &ByteString) -> Opened<Veiled> {
        let attrs = self.attrs(&opened.attrs);
        Opened { span: opened.span, attrs, links: opened.links, policy: Some(policy.clone()) }
    }

    fn closed(&mut self, closed: Closed<Raw>) -> Closed<Veiled> {
        let error = self.payload(closed.error.as_ref());
        Closed { outcome: closed.outcome, attrs: self.attrs(&closed.attrs), error, links: closed.links }
    }

    fn mark(&mut self, mark: Mark<Raw>) -> Mark<Veiled> {
        let noted = match mark.noted {
            Noted::Nothing => Noted::Nothing,
            Noted::Decision { action, alternatives } => {
                Noted::Decision { action: self.payload(action.as_ref()), alternatives: self.payloads(&alternatives) }
            }
            Noted::State(state) => Noted::State(self.payload(state.as_ref())),
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
            Given::Arguments(arguments) => Given::Arguments(self.arguments(arguments.as_ref())),
            Given::Texts(texts) => Given::Texts(self.payloads(&texts)),
        }
    }

    fn returned(&self, returned: Returned<Raw>) -> Returned<Veiled> {
        match returned {
            Returned::Answer(answer) => Returned::Answer(self.answer(&answer)),
            Returned::Result(result) => Returned::Result(self.payload(result.as_ref())),
            Returned::Texts(texts) => Returned::Texts(self.payloads(&texts)),
        }
    }

    fn attrs(&mut self, raw: &RawAttrs) -> Attrs {
        let mut attrs = Attrs::with_capacity(raw.len());
        for (id, value) in raw.iter() {
            match value {
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
        if let Some(label) = self.known.label(id, text) {
            return label;
        }
        match id.name().class {
            Class::Policy => match std::str::from_utf8(text).ok().filter(|text| is_policy(text)) {
                Some(pairs) => ByteString::from(pairs),
                None => self.replaced(std::str::from_utf8(text).unwrap_or_default()),
            },
            Class::Reason | Class::Constant => {
                self.counts.labels_replaced += 1;
                OTHER
            }
            _ => self.replaced(std::str::from_utf8(text).unwrap_or_default()),
        }
    }

    fn label(&mut self, text: &ByteString) -> ByteString {
        if is_label(text) { text.clone() } else { self.replaced(text) }
    }

    fn replaced(&mut self, text: &str) -> ByteString {
        self.counts.labels_replaced += 1;
        replaced_label(self.hasher, text)
    }

    fn request(&mut self, scope: &Scope, request: Option<&Request>, history: &mut History) -> Input {
        let Some(request) = self.content(request) else { return Input::default() };
        let Some(hasher) = self.hasher else { return measure::keyframe(None, request) };
        let digests = c1::request(hasher, request);
        let known = measure::whole_chain(&digests).and_then(|_| history.known_prefix(scope, &digests.heads));
        measure::told(digests, known)
    }

    fn keyframe(&self, request: Option<&Request>) -> Input {
        self.content(request).map_or_else(Input::default, |request| measure::keyframe(self.hasher, request))
    }

    /// Messages alone: what stands apart from them is no part of a history that was replaced.
    fn messages(&self, request: Option<&Request>) -> Input {
        let Input { chain, items, omitted, blobs, .. } = self.keyframe(request);
        Input { chain, items, omitted, blobs, ..Input::default() }
    }

    fn answer(&self, answer: &[Message]) -> Output {
        self.content(Some(answer)).map_or_else(Output::default, |answer| measure::answer(self.hasher, answer))
    }

    fn arguments(&self, arguments: Option<&RawText>) -> Arguments {
        let arguments = self.content(arguments);
        arguments.map_or_else(Arguments::default, |arguments| measure::arguments(self.hasher, arguments))
    }

    fn payload(&self, payload: Option<&ResultContent>) -> Measure {
        self.content(payload).map_or_else(Measure::default, |payload| measure::result(self.hasher, payload))
    }

    fn payloads(&self, payloads: &[ResultContent]) -> Vec<Measure> {
        let payloads = self.content(Some(payloads)).unwrap_or_default();
        payloads.iter().take(MAX_TOLD).map(|payload| measure::result(self.hasher, payload)).collect()
    }

    /// The content, where the level lets anything be told of it.
    fn content<'c, T: ?Sized>(&self, content: Option<&'c T>) -> Option<&'c T> {
        content.filter(|_| self.level >= Level::Digest)
    }
}
