//! What all builders share: a call's identity, fixed when it opens, and its event under construction.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use bytestring::ByteString;

use super::ambient::ToolId;
use super::call::{Call, CallType};
use super::handle::{Handle, Running};
use super::operation::Operation;
use super::place::{CallRef, LentOrigin, LentPlace, Origin, Place};
use super::sheet::Kept;
use crate::event::{
    CallKind, EdgeKind, Event, Given, Key, KeyIdentity, Kind, Link, Opened, Raw, RawAttrs, ResultContent, Scope,
    SpanId, SpanIds, TraceId,
};
use crate::intake::{Identity, NOWHERE, opening};
use crate::semconv::{
    ATTEMPT, Attr, CALLER, CONVERSATION_ID, IMPORTANCE, OPERATION_ID, OPERATION_NAME, REPLAY_CHECKPOINT,
    REPLAY_INTENDED, REPLAY_OF, REPLAY_PROVENANCE,
};

/// A call that has not started. Everything is optional: what is not said is not told.
#[must_use = "a call is recorded from `start` on"]
pub struct Builder<K> {
    /// Nothing where the recorder is disabled.
    draft: Option<Draft>,
    /// Of a turn: its part between waits.
    pub(super) segment: u32,
    kind: PhantomData<fn() -> K>,
}

/// A call that has not started, kept apart: a builder moves with each of its methods, and has to be small. The order of the
/// event that will open it is still to come, its time too where it is 0, and its scope is the parent's.
pub(super) struct Draft(Kept);

impl<K: CallType> Builder<K> {
    /// A call of this kind, recorded by whoever `origin` names, under the operation that the kind has by default.
    pub(super) fn new(origin: Option<LentOrigin<'_>>) -> Self {
        let draft = origin.map(|origin| {
            let mut draft = Draft::new(origin, K::KIND);
            draft.text(OPERATION_NAME, K::KIND.default_operation());
            draft
        });
        Self { draft, segment: 0, kind: PhantomData }
    }

    pub(super) const fn is_enabled(&self) -> bool {
        self.draft.is_some()
    }

    /// Nothing where the recorder is disabled.
    pub(super) const fn draft(&mut self) -> Option<&mut Draft> {
        self.draft.as_mut()
    }

    #[inline]
    pub(super) fn with(mut self, set: impl FnOnce(&mut Draft)) -> Self {
        if let Some(draft) = self.draft() {
            set(draft);
        }
        self
    }

    pub(super) fn text(self, attr: Attr<ByteString>, value: &str) -> Self {
        self.with(|draft| draft.text(attr, value))
    }

    pub(super) fn int(self, attr: Attr<i64>, value: impl TryInto<i64>) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.int(attr, value.try_into().unwrap_or(i64::MAX))))
    }

    pub(super) fn double(self, attr: Attr<f64>, value: f64) -> Self {
        self.with(|draft| draft.attrs(|attrs| attrs.double(attr, value)))
    }

    /// Adds one of the texts that the call is given, where its kind is given such.
    pub(super) fn given_text(self, text: impl FnOnce() -> ResultContent) -> Self {
        self.with(|draft| {
            if let Some(Given::Texts(texts)) = draft.given() {
                texts.push(text());
            }
        })
    }

    /// Whose data this is (`veilspan.tenant.id`): its digests get a key of their own.
    pub fn tenant(self, id: &str) -> Self {
        self.with(|draft| draft.identity().tenant = Some(Scope::id(id)))
    }

    /// The agent run that it belongs to (`veilspan.rollout.id`), where it is not the first call of a new one.
    pub fn rollout(self, id: &str) -> Self {
        self.with(|draft| draft.identity().rollout = Some(Scope::id(id)))
    }

    /// The message history that it belongs to (`veilspan.thread.id`).
    pub fn thread(self, id: &str) -> Self {
        self.with(|draft| draft.identity().thread = Some(Scope::id(id)))
    }

    /// The turn that it belongs to, or is (`veilspan.turn.id`).
    pub fn turn_id(self, id: &str) -> Self {
        self.with(|draft| draft.identity().turn = Some(Scope::id(id)))
    }

    /// What the user would call the chat (`gen_ai.conversation.id`). Never invent one.
    pub fn conversation(self, id: &str) -> Self {
        self.text(CONVERSATION_ID, id)
    }

    /// How much it matters, from 0 to 1 (`veilspan.importance`).
    pub fn importance(self, importance: f64) -> Self {
        self.double(IMPORTANCE, importance)
    }

    /// Which part of the host makes it (`veilspan.caller`).
    pub fn caller(self, name: &str) -> Self {
        self.text(CALLER, name)
    }

    /// A call that something passed from, on to this one.
    pub fn follows(self, call: &CallRef, edge: EdgeKind) -> Self {
        self.with(|draft| {
            if let Some(place) = &call.place {
                draft.link(place.trace, place.span, edge);
            }
        })
    }

    /// A span of another process that it is part of, as W3C Trace Context names it.
    pub fn parent(self, trace: TraceId, span: SpanId) -> Self {
        self.with(|draft| draft.set_remote_parent(trace, span))
    }

    /// The next attempt of an operation (`veilspan.operation.id`, `veilspan.attempt`), linked to the one before.
    pub fn attempt_of(self, operation: &Operation) -> Self {
        self.with(|draft| {
            let Some(span) = draft.span() else { return };
            let Some(desk) = &draft.0.desk else { return };
            let attempt = operation.next(desk, span.trace, span.span);
            draft.text(OPERATION_ID, attempt.operation.encode(&mut [0; 26]));
            draft.attrs(|attrs| attrs.int(ATTEMPT, i64::from(attempt.number)));
            if let Some((trace, span)) = attempt.previous {
                draft.link(trace, span, EdgeKind::Retry);
            }
        })
    }

    /// It repeats a call of an earlier run, from a checkpoint on where that has an id (`veilspan.replay.of`,
    /// `veilspan.replay.checkpoint`), with what `provenance` says: `recorded`, `live` or `injected`.
    pub fn replay_of(self, call: &CallRef, checkpoint: Option<&str>, provenance: &str) -> Self {
        let told = self.with(|draft| {
            let Some(place) = &call.place else { return };
            draft.text(REPLAY_OF, &place.scope.rollout);
            draft.text(REPLAY_PROVENANCE, provenance);
            if let Some(checkpoint) = checkpoint {
                draft.text(REPLAY_CHECKPOINT, checkpoint);
            }
        });
        told.follows(call, EdgeKind::Replay)
    }

    /// It is meant to differ from the runs before this change, which has a name (`veilspan.replay.intended`). Held against
    /// a run whose step does not carry that name, what differs here and what follows from it is told apart.
    pub fn intended(self, change: &str) -> Self {
        self.with(|draft| draft.text(REPLAY_INTENDED, change))
    }

    /// Starts it.
    pub fn start(self) -> Call<K> {
        let Some(mut draft) = self.draft else {
            return Call::new(Handle::disabled(), self.segment, None);
        };
        let tool = draft.0.tool.take();
        Call::new(draft.start(), self.segment, tool)
    }
}

impl<K: CallType> fmt::Debug for Builder<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("kind", &K::KIND).finish_non_exhaustive()
    }
}

impl Draft {
    fn new(origin: LentOrigin<'_>, kind: CallKind) -> Self {
        let LentOrigin { desk, parent, remote } = origin;
        let has_parent = parent.is_some();
        let (scope, trace, parent, parent_is_remote) = match parent {
            Some(LentPlace { scope, trace, span, is_remote }) => (scope, trace, Some(span), is_remote),
            None => (&*NOWHERE, TraceId::random(), None, false),
        };
        let span = SpanIds { trace, span: SpanId::random(), parent, parent_is_remote };
        let mut sheet = Kept::new(desk, kind, (span.trace, span.span));
        sheet.event = Some(opening(scope, Key { kind, id: KeyIdentity::None, occurrence: 0 }, span));
        sheet.has_parent = has_parent;
        let mut draft = Self(sheet);
        if let Some((trace, span)) = remote.filter(|_| !has_parent) {
            draft.set_remote_parent(trace, span);
        }
        draft
    }

    #[inline]
    fn event(&mut self) -> Option<&mut Event<Raw>> {
        self.0.event.as_deref_mut()
    }

    /// By what an MCP client may know it.
    pub(super) fn tool(&mut self) -> &mut Option<Arc<ToolId>> {
        &mut self.0.tool
    }

    /// What the call is given.
    pub(super) fn given(&mut self) -> Option<&mut Given<Raw>> {
        match &mut self.event()?.kind {
            Kind::Opened(_, given) => Some(given),
            // The constructor makes no other.
            _ => None,
        }
    }

    #[inline]
    fn opened(&mut self) -> Option<&mut Opened<Raw>> {
        match &mut self.event()?.kind {
            Kind::Opened(opened, _) => Some(opened),
            _ => None,
        }
    }

    fn span(&mut self) -> Option<SpanIds> {
        self.opened().map(|opened| opened.span)
    }

    #[inline]
    pub(super) fn attrs(&mut self, set: impl FnOnce(&mut RawAttrs)) {
        if let Some(opened) = self.opened() {
            set(&mut opened.attrs);
        }
    }

    pub(super) fn text(&mut self, attr: Attr<ByteString>, value: &str) {
        self.attrs(|attrs| attrs.text(attr, value));
    }

    pub(super) fn link(&mut self, trace: TraceId, span: SpanId, kind: EdgeKind) {
        if let Some(opened) = self.opened() {
            opened.links.push(Link { trace, span, kind: Some(kind) });
        }
    }

    pub(super) fn identity(&mut self) -> &mut Identity {
        self.0.identity.get_or_insert_default()
    }

    /// Makes a turn of its own of it, within its parent's rollout.
    pub(super) fn set_own_turn(&mut self) {
        let Some(own) = self.span().map(|span| span.own_id()).filter(|_| self.0.has_parent) else { return };
        let identity = self.identity();
        identity.thread = Some(own.clone());
        identity.turn = Some(own);
    }

    pub(super) fn forget_identity(&mut self) {
        self.0.identity = None;
    }

    /// Puts it into the scope of another call.
    pub(super) fn set_scope(&mut self, scope: &Arc<Scope>) {
        if let Some(event) = self.event() {
            event.scope = Arc::clone(scope);
        }
        self.0.has_parent = true;
    }

    /// The call opened before it was told of.
    pub(super) fn set_opened_at(&mut self, unix_nanos: u64) {
        self.0.opened_unix_nano = unix_nanos;
    }

    /// Moves the call below a span of another process.
    pub(super) fn set_remote_parent(&mut self, trace: TraceId, span: SpanId) {
        if let Some(opened) = self.opened() {
            opened.span.trace = trace;
            opened.span.parent = Some(span);
            opened.span.parent_is_remote = true;
        }
    }

    /// Opens the call.
    fn start(mut self) -> Handle {
        self.settle();
        let Self(mut kept) = self;
        let sheet = &mut *kept;
        let (Some(desk), Some(mut event)) = (&sheet.desk, sheet.event.take()) else { return Handle::disabled() };
        let now = desk.now();
        if sheet.opened_unix_nano == 0 {
            sheet.opened_unix_nano = now;
        }
        let id = desk.call_id(now);
        sheet.id = id.as_u128().to_ne_bytes();
        event.key.id = KeyIdentity::Call(id);
        event.at = desk.at(sheet.opened_unix_nano);
        if let Kind::Opened(opened, _) = &event.kind {
            (sheet.trace, sheet.span) = (opened.span.trace, opened.span.span);
        }
        if !Arc::ptr_eq(&sheet.scope, &event.scope) {
            sheet.scope = Arc::clone(&event.scope);
        }
        if desk.open(event) {
            return Handle::running(Running::new(kept));
        }
        let place = Place { scope: Arc::clone(&sheet.scope), trace: sheet.trace, span: sheet.span, is_remote: false };
        let origin = Origin { desk: Arc::clone(desk), parent: Some(place), remote: None };
        kept.give_back();
        Handle::untaken(origin)
    }

    /// Fixes the call's scope.
    fn settle(&mut self) {
        let Some(span) = self.span() else { return };
        let (has_parent, identity) = (self.0.has_parent, self.0.identity.take());
        if (!has_parent || identity.is_some())
            && let Some(event) = self.event()
        {
            let identity = identity.map(|identity| *identity).unwrap_or_default();
            event.scope = identity.scope(has_parent.then_some(&event.scope), span);
        }
    }
}
