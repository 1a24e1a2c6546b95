//! What all builders share: a call's identity, fixed when it opens, and its event under construction.

use std::sync::Arc;

use bytestring::ByteString;

use super::handle::Handle;
use super::recorder::Shared;
use crate::event::{
    CallKind, EdgeKind, Event, Key, KeyIdentity, Kind, Link, Opened, Raw, RawAttrs, Scope, Source, SpanId, SpanIds,
    TraceId,
};
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
pub(super) struct Draft {
    shared: Arc<Shared>,
    parent: Option<Parent>,
    pub(super) identity: Option<Identity>,
    pub(super) opened: Opened<Raw>,
}

/// What a caller said of a call's place.
#[derive(Default)]
pub(super) struct Identity {
    pub(super) tenant: Option<ByteString>,
    pub(super) rollout: Option<ByteString>,
    pub(super) thread: Option<ByteString>,
    pub(super) turn: Option<ByteString>,
}

impl Draft {
    pub(super) fn new(shared: &Arc<Shared>, parent: Option<Parent>) -> Self {
        let (trace, parent_span, remote) = match &parent {
            Some(parent) => (parent.trace, Some(parent.span), parent.remote),
            None => (TraceId::random(), None, false),
        };
        let span = SpanIds { trace, span: SpanId::random(), parent: parent_span, parent_is_remote: remote };
        let opened = Opened { span, attrs: RawAttrs::default(), links: Vec::new(), policy: None };
        Self { shared: Arc::clone(shared), parent, identity: None, opened }
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(super) fn text(&mut self, attr: Attr<ByteString>, value: &str) {
        self.opened.attrs.text(attr, value);
    }

    pub(super) fn link(&mut self, trace: TraceId, span: SpanId, kind: EdgeKind) {
        self.opened.links.push(Link { trace, span, kind: Some(kind) });
    }

    pub(super) fn identity(&mut self) -> &mut Identity {
        self.identity.get_or_insert_default()
    }

    /// Moves the call below a span of another process.
    pub(super) fn set_remote_parent(&mut self, trace: TraceId, span: SpanId) {
        self.opened.span.trace = trace;
        self.opened.span.parent = Some(span);
        self.opened.span.parent_is_remote = true;
    }

    /// Opens the call; `closed` is the kind of the event that will close it.
    pub(super) fn start(
        self,
        kind: CallKind,
        opened: impl FnOnce(Opened<Raw>) -> Kind<Raw>,
        closed: Kind<Raw>,
    ) -> Handle {
        let now = self.shared.now();
        let span = self.opened.span;
        let scope = scope_of(self.parent.map(|parent| parent.scope), self.identity, span);
        let key = Key { kind, id: KeyIdentity::Call(self.shared.call_id(now)), occurrence: 0 };
        let at = self.shared.at(now);
        let event = |kind| Box::new(Event { scope: Arc::clone(&scope), key, at, source: Source::Recorder, kind });
        let accepted = self.shared.open(event(opened(self.opened)));
        let closed = accepted.then(|| event(closed));
        let place = Parent { scope, trace: span.trace, span: span.span, remote: false };
        Handle::new(self.shared, place, closed)
    }
}

/// Explicit scope first, then the call this one is part of, then its own span as the outermost one.
fn scope_of(parent: Option<Arc<Scope>>, identity: Option<Identity>, span: SpanIds) -> Arc<Scope> {
    let identity = match (identity, parent) {
        (None, Some(scope)) => return scope,
        (None, None) => Identity::default(),
        (Some(identity), Some(parent)) => Identity {
            tenant: identity.tenant.or_else(|| parent.tenant.clone()),
            rollout: identity.rollout.or_else(|| Some(parent.rollout.clone())),
            thread: identity.thread.or_else(|| Some(parent.thread.clone())),
            turn: identity.turn.or_else(|| Some(parent.turn.clone())),
        },
        (Some(identity), None) => identity,
    };
    let own = || ByteString::from(format!("{}-{}", span.trace, span.span));
    let own = match (&identity.rollout, &identity.thread, &identity.turn) {
        (Some(_), Some(_), Some(_)) => ByteString::new(),
        _ => own(),
    };
    Arc::new(Scope {
        tenant: identity.tenant,
        rollout: identity.rollout.unwrap_or_else(|| own.clone()),
        thread: identity.thread.unwrap_or_else(|| own.clone()),
        turn: identity.turn.unwrap_or(own),
    })
}
