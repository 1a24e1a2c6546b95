//! What all builders share: a call's identity, fixed when it opens, and its event under construction.

use std::sync::{Arc, LazyLock};

use bytestring::ByteString;

use super::handle::Handle;
use crate::event::{
    At, CallKind, Closed, EdgeKind, Event, Given, Key, KeyIdentity, Kind, Link, Opened, Raw, RawAttrs, Returned, Scope,
    Source, SpanId, SpanIds, TraceId,
};
use crate::intake::{Desk, Identity};
use crate::semconv::Attr;

/// The call that a new one is part of.
#[derive(Clone)]
pub(super) struct Parent {
    pub(super) scope: Arc<Scope>,
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) remote: bool,
}

/// A call that has not started. Absent parts mean a disabled recorder.
///
/// Its event is on the heap from the beginning: a builder moves with each of its methods, and has to be small.
pub(super) struct Draft {
    desk: Arc<Desk>,
    has_parent: bool,
    identity: Option<Box<Identity>>,
    /// The event that will open the call. Its time and its order are still to come, and its scope is the parent's.
    event: Box<Event<Raw>>,
}

impl Draft {
    pub(super) fn new(desk: &Arc<Desk>, parent: Option<&Parent>, kind: CallKind) -> Self {
        let (trace, parent_span, remote) = match parent {
            Some(parent) => (parent.trace, Some(parent.span), parent.remote),
            None => (TraceId::random(), None, false),
        };
        let span = SpanIds { trace, span: SpanId::random(), parent: parent_span, parent_is_remote: remote };
        let fields = Opened { span, attrs: RawAttrs::default(), links: Vec::new(), policy: None };
        let event = Box::new(Event {
            scope: parent.map_or_else(|| Arc::clone(&NOWHERE), |parent| Arc::clone(&parent.scope)),
            key: Key { kind, id: KeyIdentity::None, occurrence: 0 },
            at: At { time_unix_nano: 0, producer: None, seq: None },
            source: Source::Recorder,
            kind: Kind::Opened(fields, Given::empty(kind)),
        });
        Self { desk: Arc::clone(desk), has_parent: parent.is_some(), identity: None, event }
    }

    pub(super) fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.desk)
    }

    /// What the call is given.
    pub(super) fn given(&mut self) -> Option<&mut Given<Raw>> {
        match &mut self.event.kind {
            Kind::Opened(_, given) => Some(given),
            // The constructor makes no other.
            _ => None,
        }
    }

    fn opened(&mut self) -> Option<&mut Opened<Raw>> {
        match &mut self.event.kind {
            Kind::Opened(opened, _) => Some(opened),
            _ => None,
        }
    }

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
        self.identity.get_or_insert_default()
    }

    /// Makes a turn of its own of it, within its parent's rollout.
    pub(super) fn set_own_turn(&mut self) {
        let Some(own) = self.opened().map(|opened| Identity::own(opened.span)) else { return };
        let identity = self.identity();
        identity.thread = Some(own.clone());
        identity.turn = Some(own);
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
    pub(super) fn start(mut self) -> Handle {
        self.settle();
        let Self { desk, mut event, .. } = self;
        let now = desk.now();
        event.key.id = KeyIdentity::Call(desk.call_id(now));
        event.at = desk.at(now);
        let (scope, key, at) = (Arc::clone(&event.scope), event.key, event.at);
        if !desk.open(event) {
            return Handle::disabled();
        }
        let kind = Kind::Closed(Closed::default(), Returned::empty(key.kind));
        Handle::new(desk, Box::new(Event { scope, key, at, source: Source::Recorder, kind }))
    }

    /// The same for a call that others can be part of: also tells where they belong, whether or not the call was taken.
    pub(super) fn start_as_parent(mut self) -> (Handle, Option<Parent>) {
        self.settle();
        let span = self.opened().map(|opened| opened.span);
        let scope = Arc::clone(&self.event.scope);
        let place = span.map(|span| Parent { scope, trace: span.trace, span: span.span, remote: false });
        (self.start(), place)
    }

    /// Fixes the call's scope.
    fn settle(&mut self) {
        if self.has_parent && self.identity.is_none() {
            return;
        }
        let Some(span) = self.opened().map(|opened| opened.span) else { return };
        let parent = self.has_parent.then(|| Arc::clone(&self.event.scope));
        let identity = self.identity.take().map(|identity| *identity).unwrap_or_default();
        self.event.scope = identity.scope(parent.as_ref(), span);
        self.has_parent = true;
    }
}

/// The scope of a call that has none yet.
static NOWHERE: LazyLock<Arc<Scope>> = LazyLock::new(|| {
    let none = ByteString::new;
    Arc::new(Scope { tenant: None, rollout: none(), thread: none(), turn: none() })
});
