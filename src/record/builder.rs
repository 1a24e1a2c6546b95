//! What all builders share: a call's identity, fixed when it opens, and its event under construction.

use std::sync::Arc;

use bytestring::ByteString;

use super::handle::Handle;
use crate::event::{
    CallKind, EdgeKind, Event, Key, KeyIdentity, Kind, Link, Opened, Raw, RawAttrs, Scope, Source, SpanId, SpanIds,
    TraceId,
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
pub(super) struct Draft {
    desk: Arc<Desk>,
    parent: Option<Parent>,
    pub(super) identity: Option<Identity>,
    pub(super) opened: Opened<Raw>,
}

impl Draft {
    pub(super) fn new(desk: &Arc<Desk>, parent: Option<Parent>) -> Self {
        let (trace, parent_span, remote) = match &parent {
            Some(parent) => (parent.trace, Some(parent.span), parent.remote),
            None => (TraceId::random(), None, false),
        };
        let span = SpanIds { trace, span: SpanId::random(), parent: parent_span, parent_is_remote: remote };
        let opened = Opened { span, attrs: RawAttrs::default(), links: Vec::new(), policy: None };
        Self { desk: Arc::clone(desk), parent, identity: None, opened }
    }

    pub(super) fn desk(&self) -> Arc<Desk> {
        Arc::clone(&self.desk)
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
        let now = self.desk.now();
        let span = self.opened.span;
        let identity = self.identity.unwrap_or_default();
        let scope = identity.scope(self.parent.as_ref().map(|parent| &parent.scope), span);
        let key = Key { kind, id: KeyIdentity::Call(self.desk.call_id(now)), occurrence: 0 };
        let at = self.desk.at(now);
        let event = |kind| Box::new(Event { scope: Arc::clone(&scope), key, at, source: Source::Recorder, kind });
        let accepted = self.desk.open(event(opened(self.opened)));
        let closed = accepted.then(|| event(closed));
        let place = Parent { scope, trace: span.trace, span: span.span, remote: false };
        Handle::new(self.desk, place, closed)
    }
}
