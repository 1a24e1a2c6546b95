//! From content as it was said to what may leave.

use std::collections::HashMap;

use bytestring::ByteString;

use super::c1::{self, Foretelling, Hasher, Made};
use super::history::History;
use super::known::Known;
use super::level::Level;
use super::pass::{Labels, Pass};
use super::policy::Policy;
use super::tally::Tally;
use crate::event::{CallKind, Digest, Event, Given, Kind, Message, Raw, Returned, Scope, Veiled};
use crate::semconv::Field;

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
        self.pass(None, event.scope.tenant.as_ref(), &Foretold::default(), |pass| pass.event(&event))
    }

    /// Makes the digests of what events say to models and are answered, for when they pass: of several texts that takes less
    /// time than of one after the other.
    pub(crate) fn foretell<'e>(&mut self, events: impl Iterator<Item = &'e Event<Raw>>) -> Foretold<'e> {
        let Self { policy, tenants, .. } = self;
        let mut foretelling = Foretelling::default();
        for Event { scope, kind, .. } in events {
            let Some(messages) = messages(kind) else { continue };
            let is_told = matches!(kind, Kind::Opened(..)) || policy.levels().of(Field::Completions) > Level::None;
            if let Some(hasher) = hasher_of(policy, tenants, scope.tenant.as_ref()).filter(|_| is_told) {
                foretelling.add(hasher, messages);
            }
        }
        Foretold { policy: Some(policy.clone()), digests: foretelling.make() }
    }

    /// Runs `work` on what is done to an event of this tenant, `under` the policy under which its call opened, where that is
    /// another one than this veil's.
    pub(crate) fn pass<T>(
        &mut self,
        under: Option<&Policy>,
        tenant: Option<&ByteString>,
        foretold: &Foretold<'_>,
        work: impl FnOnce(&mut Pass<'_>) -> T,
    ) -> T {
        let Self { policy, history, tenants, known, labels, tally } = self;
        match under {
            None => {
                let (hasher, made) = (hasher_of(policy, tenants, tenant), foretold.made(policy));
                work(&mut Pass { hasher, policy, known, labels, tally, history, made })
            }
            Some(policy) => {
                let hasher = policy.hasher().map(|hasher| hasher.for_tenant(tenant.map(|tenant| &**tenant)));
                let (known, made) = (&mut Known::default(), foretold.made(policy));
                work(&mut Pass { hasher: hasher.as_ref(), policy, known, labels, tally, history, made })
            }
        }
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

/// Digests of what some events say, made under one policy: those events are there for as long as these are.
#[derive(Default)]
pub(crate) struct Foretold<'e> {
    policy: Option<Policy>,
    digests: c1::Foretold<'e>,
}

impl Foretold<'_> {
    /// Under another policy there may be another key.
    fn made(&self, policy: &Policy) -> Made<'_> {
        let is_same = self.policy.as_ref().is_some_and(|own| own.is(policy));
        if is_same { self.digests.made() } else { Made::NONE }
    }
}

/// Whether an event tells of messages, whose digests may be foretold.
pub(crate) fn says_something(event: &Event<Raw>) -> bool {
    messages(&event.kind).is_some_and(|messages| !messages.is_empty())
}

fn messages(kind: &Kind<Raw>) -> Option<&[Message]> {
    match kind {
        Kind::Opened(_, Given::Request(Some(request))) => Some(&request.messages),
        Kind::Closed(_, Returned::Answer(answer)) => Some(answer),
        _ => None,
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::event::{At, Key as CallKey, RawText, ResultContent, SpanId, TraceId};
    use crate::event::{Closed, KeyIdentity, Opened, Part, RawAttrs, Request, Role, Source, SpanIds};
    use crate::privacy::Key;

    fn policy(key: u8) -> Policy {
        Policy::builder().key(Key::new(vec![key; 32], None).unwrap()).build_in(&Default::default()).0
    }

    fn event(tenant: Option<&'static str>, kind: Kind<Raw>) -> Event<Raw> {
        let scope = Scope { tenant: tenant.map(Into::into), rollout: "r".into(), thread: "t".into(), turn: "u".into() };
        let key = CallKey { kind: CallKind::Inference, id: KeyIdentity::None, occurrence: 0 };
        let at = At { time_unix_nano: 1, producer: None, seq: None };
        Event { scope: Arc::new(scope), key, at, source: Source::Recorder, kind }
    }

    fn said(tenant: Option<&'static str>, messages: Vec<Message>) -> Event<Raw> {
        let span = SpanIds { trace: TraceId::random(), span: SpanId::random(), parent: None, parent_is_remote: false };
        let opened = Opened { span, attrs: RawAttrs::default(), links: Vec::new(), policy: None };
        let request = Request { messages, ..Request::default() };
        event(tenant, Kind::Opened(opened, Given::Request(Some(Box::new(request)))))
    }

    fn answered(tenant: Option<&'static str>, messages: Vec<Message>) -> Event<Raw> {
        event(tenant, Kind::Closed(Closed::default(), Returned::Answer(messages)))
    }

    fn text(number: usize) -> Message {
        Message::text(Role::User, format!("{number} ").repeat(300))
    }

    /// What was said, to different tenants, in texts of which many are equal.
    fn events() -> Vec<Event<Raw>> {
        let long = || RawText::from("thought ".repeat(200));
        let parts = vec![
            Part::Reasoning(long()),
            Part::Text(long()),
            Part::ToolResult { call_id: None, content: ResultContent::Text(long()) },
            Part::Text("short".into()),
        ];
        let result = Message {
            role: Role::User,
            parts: vec![Part::ToolResult { call_id: None, content: ResultContent::Text(long()) }],
        };
        let thought = Message { role: Role::Assistant, parts: vec![Part::Reasoning(long())] };
        let mixed = Message { role: Role::Assistant, parts };
        vec![
            said(None, vec![text(1), text(2), mixed]),
            said(None, vec![Message::text(Role::User, "short"), result]),
            answered(None, vec![thought]),
            said(Some("a"), vec![text(1)]),
            answered(Some("a"), vec![text(1)]),
            said(Some("b"), vec![text(1), Message::text(Role::User, "x".repeat(RawText::MAX_BYTES + 1))]),
        ]
    }

    fn passed(veil: &mut Veil, under: Option<&Policy>, events: &[Event<Raw>], foretold: &Foretold<'_>) -> String {
        let pass =
            |event: &Event<Raw>| veil.pass(under, event.scope.tenant.as_ref(), foretold, |pass| pass.event(event)).kind;
        format!("{:?}", events.iter().map(pass).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_foretold_is_what_is_told_and_under_its_own_policy_alone() {
        let (events, own, other) = (events(), policy(1), policy(2));
        let nothing = Foretold::default();
        let expected = passed(&mut Veil::new(own.clone()), None, &events, &nothing);
        let mut veil = Veil::new(own.clone());
        let foretold = veil.foretell(events.iter());
        assert_eq!(passed(&mut veil, None, &events, &foretold), expected);
        let expected = passed(&mut Veil::new(own.clone()), Some(&other), &events, &nothing);
        assert_eq!(passed(&mut veil, Some(&other), &events, &foretold), expected);
        veil.set_policy(other.clone());
        assert_eq!(passed(&mut veil, None, &events, &foretold), expected);
    }

    #[test]
    fn of_answers_that_leave_in_no_form_nothing_is_foretold() {
        let events = events();
        let foretold = |level| {
            let policy = Policy::builder().key(Key::new(vec![1; 32], None).unwrap()).class(Field::Completions, level);
            let mut veil = Veil::new(policy.build_in(&Default::default()).0);
            veil.foretell(events.iter()).digests.count()
        };
        assert_eq!((foretold(Level::Digest), foretold(Level::None)), (5, 3));
    }

    #[test]
    fn a_call_that_is_a_thread_by_itself_builds_on_nothing_and_any_other_does() {
        let Kind::Opened(opened, _) = said(None, Vec::new()).kind else { panic!("it opens") };
        let prefix = |thread: ByteString| {
            let mut veil = Veil::new(policy(1));
            let mut pass = || {
                let mut event = said(None, vec![text(1), text(2)]);
                let Kind::Opened(own, _) = &mut event.kind else { panic!("it opens") };
                own.span = opened.span;
                let scope = Arc::new(Scope { thread: thread.clone(), ..(*event.scope).clone() });
                event.scope = Arc::clone(&scope);
                let Kind::Opened(_, Given::Request(input)) = veil.event(event).kind else { panic!("it opens") };
                veil.accepted(&scope, CallKind::Inference, input.chain);
                input.prefix.is_some()
            };
            [pass(), pass()]
        };
        assert_eq!(prefix("t".into()), [false, true]);
        assert_eq!(prefix(opened.span.own_id()), [false, false]);
    }
}
