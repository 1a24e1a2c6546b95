//! From content as it was said to what may leave.

use std::collections::HashMap;
use std::sync::Arc;

use bytestring::ByteString;

use super::c1::{self, Hasher};
use super::history::History;
use super::label::is_label;
use super::level::Level;
use super::measure;
use super::policy::{OTHER, Policy, replaced_label};
use crate::event::{
    Arguments, Attrs, CallKind, Closed, Digest, Event, Input, Kind, Measure, Message, Opened, Output, Raw, RawAttrs,
    RawText, RawValue, Request, ResultContent, Scope, Value, Veiled,
};
use crate::semconv::Class;

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
        Self { policy, history: History::default(), tenants: HashMap::new(), counts: VeilCounts::default() }
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
        let hasher = self.hasher_of(scope.tenant.as_ref());
        let mut pass = Pass { hasher: hasher.as_ref(), level: self.policy.level(), counts: &mut self.counts };
        let is_close = matches!(kind, Kind::TurnClosed(_) | Kind::InferenceClosed(..) | Kind::ToolClosed(..));
        let scope = pass.scope(scope, is_close);
        let kind = match kind {
            Kind::TurnOpened(opened) => Kind::TurnOpened(pass.opened(opened, self.policy.snapshot())),
            Kind::TurnClosed(closed) => Kind::TurnClosed(pass.closed(closed)),
            Kind::InferenceOpened(opened, request) => {
                let opened = pass.opened(opened, self.policy.snapshot());
                Kind::InferenceOpened(opened, pass.request(&scope, request.as_deref(), &mut self.history))
            }
            Kind::InferenceClosed(closed, answer) => Kind::InferenceClosed(pass.closed(closed), pass.answer(&answer)),
            Kind::ToolOpened(opened, arguments) => {
                let opened = pass.opened(opened, self.policy.snapshot());
                Kind::ToolOpened(opened, pass.arguments(arguments.as_ref()))
            }
            Kind::ToolClosed(closed, result) => Kind::ToolClosed(pass.closed(closed), pass.result(result.as_ref())),
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

    fn hasher_of(&mut self, tenant: Option<&ByteString>) -> Option<Hasher> {
        let base = self.policy.hasher()?;
        let Some(tenant) = tenant else { return Some(base.clone()) };
        if let Some(hasher) = self.tenants.get(tenant) {
            return Some(hasher.clone());
        }
        if self.tenants.len() >= TENANTS {
            self.tenants.clear();
        }
        let hasher = base.for_tenant(Some(tenant));
        self.tenants.insert(tenant.clone(), hasher.clone());
        Some(hasher)
    }
}

/// One event on its way through.
struct Pass<'a> {
    hasher: Option<&'a Hasher>,
    level: Level,
    counts: &'a mut VeilCounts,
}

impl Pass<'_> {
    /// Both events of a call carry its scope: what is replaced in it is counted with the first.
    fn scope(&mut self, scope: Arc<Scope>, was_counted: bool) -> Arc<Scope> {
        let ids = [Some(&scope.rollout), Some(&scope.thread), Some(&scope.turn), scope.tenant.as_ref()];
        if ids.into_iter().flatten().all(|id| is_label(id)) {
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
        Closed { outcome: closed.outcome, attrs: self.attrs(&closed.attrs) }
    }

    fn attrs(&mut self, raw: &RawAttrs) -> Attrs {
        let mut attrs = Attrs::with_capacity(raw.len());
        for (id, value) in raw.iter() {
            let class = id.name().class;
            match value {
                RawValue::Text(text) => attrs.insert(id, Value::Text(self.text(class, text))),
                RawValue::Element(text) => attrs.push_text(id, self.text(class, text)),
                RawValue::Int(number) => attrs.insert(id, Value::Int(number)),
                RawValue::Double(number) => attrs.insert(id, Value::Double(number)),
                RawValue::Bool(flag) => attrs.insert(id, Value::Bool(flag)),
            }
        }
        attrs
    }

    fn text(&mut self, class: Class, text: &str) -> ByteString {
        if is_label(text) {
            return ByteString::from(text);
        }
        match class {
            Class::Reason | Class::Constant => {
                self.counts.labels_replaced += 1;
                OTHER
            }
            _ => self.replaced(text),
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

    fn answer(&self, answer: &[Message]) -> Output {
        self.content(Some(answer)).map_or_else(Output::default, |answer| measure::answer(self.hasher, answer))
    }

    fn arguments(&self, arguments: Option<&RawText>) -> Arguments {
        let arguments = self.content(arguments);
        arguments.map_or_else(Arguments::default, |arguments| measure::arguments(self.hasher, arguments))
    }

    fn result(&self, result: Option<&ResultContent>) -> Measure {
        self.content(result).map_or_else(Measure::default, |result| measure::result(self.hasher, result))
    }

    /// The content, where the level lets anything be told of it.
    fn content<'c, T: ?Sized>(&self, content: Option<&'c T>) -> Option<&'c T> {
        content.filter(|_| self.level >= Level::Digest)
    }
}
