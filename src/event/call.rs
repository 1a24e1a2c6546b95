//! Calls: their two events, and both folded into one record.

use std::sync::Arc;

use bytestring::ByteString;
use derive_where::derive_where;

use super::{At, CallKind, Content, Key, KeyIdentity, Link, Outcome, Scope, Source, SpanIds, Veiled};

/// One observation.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Request, C::Answer, C::Arguments, C::ToolResult)]
pub struct Event<C: Content> {
    /// Where it belongs.
    pub scope: Arc<Scope>,
    /// What it is about.
    pub key: Key,
    /// When it was observed, and by whom.
    pub at: At,
    /// Through which door it came.
    pub source: Source,
    /// What was observed.
    pub kind: Kind<C>,
}

/// What an event tells.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Request, C::Answer, C::Arguments, C::ToolResult)]
#[non_exhaustive]
pub enum Kind<C: Content> {
    /// An agent was activated.
    TurnOpened(Opened<C>),
    /// The activation, or its segment, ended.
    TurnClosed(Closed<C>),
    /// A model was asked.
    InferenceOpened(Opened<C>, C::Request),
    /// It answered, or did not.
    InferenceClosed(Closed<C>, C::Answer),
    /// A tool was called.
    ToolOpened(Opened<C>, C::Arguments),
    /// It returned, or did not.
    ToolClosed(Closed<C>, C::ToolResult),
    /// Time has passed; the event's own time says how far.
    Tick,
    /// Something that this version does not know.
    Unknown {
        /// What its producer calls it.
        name: ByteString,
    },
}

/// What is known of a call when it opens.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs)]
pub struct Opened<C: Content> {
    /// The span that will tell of it.
    pub span: SpanIds,
    /// Names, parameters, labels.
    pub attrs: C::Attrs,
    /// What it follows from.
    pub links: Vec<Link>,
    /// The policy in force when it opened (`veilspan.policy`).
    pub policy: Option<ByteString>,
}

/// What is known of a call when it closes.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs)]
pub struct Closed<C: Content> {
    /// How it ended; missing on a segment that ends in a wait, and where nobody said.
    pub outcome: Option<Outcome>,
    /// Usage, the response's names, the error's kind.
    pub attrs: C::Attrs,
}

/// All observations of one call folded: one span.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Request, C::Answer, C::Arguments, C::ToolResult)]
pub struct CallRecord<C: Content> {
    /// Where it belongs.
    pub scope: Arc<Scope>,
    /// Which call it is, apart from its kind.
    pub id: KeyIdentity,
    /// When it opened.
    pub opened_at: At,
    /// When it closed.
    pub closed_at: At,
    /// What was known then.
    pub opened: Opened<C>,
    /// What was known at its end.
    pub closed: Closed<C>,
    /// What is particular to its kind.
    pub body: Body<C>,
}

/// What is particular to a kind of call.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Request, C::Answer, C::Arguments, C::ToolResult)]
#[non_exhaustive]
pub enum Body<C: Content> {
    /// An activation of an agent.
    Turn,
    /// A model request.
    Inference {
        /// What the model was sent.
        request: C::Request,
        /// What it answered.
        answer: C::Answer,
    },
    /// A tool execution.
    Tool {
        /// What the tool was called with.
        arguments: C::Arguments,
        /// What it returned.
        result: C::ToolResult,
    },
}

impl<C: Content> Body<C> {
    /// The kind of call.
    pub const fn kind(&self) -> CallKind {
        match self {
            Self::Turn => CallKind::Turn,
            Self::Inference { .. } => CallKind::Inference,
            Self::Tool { .. } => CallKind::Tool,
        }
    }
}

impl<C: Content> CallRecord<C> {
    /// The key of both its events.
    pub const fn key(&self) -> Key {
        Key { kind: self.body.kind(), id: self.id, occurrence: 0 }
    }

    /// Its opened and its closed event.
    pub fn into_events(self, source: Source) -> [Event<C>; 2] {
        let key = self.key();
        let (opened, closed) = match self.body {
            Body::Turn => (Kind::TurnOpened(self.opened), Kind::TurnClosed(self.closed)),
            Body::Inference { request, answer } => {
                (Kind::InferenceOpened(self.opened, request), Kind::InferenceClosed(self.closed, answer))
            }
            Body::Tool { arguments, result } => {
                (Kind::ToolOpened(self.opened, arguments), Kind::ToolClosed(self.closed, result))
            }
        };
        [
            Event { scope: Arc::clone(&self.scope), key, at: self.opened_at, source, kind: opened },
            Event { scope: self.scope, key, at: self.closed_at, source, kind: closed },
        ]
    }
}

/// A call that has opened and not yet closed: ids, times and labels, no content and no digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRecord {
    /// Where it belongs.
    pub scope: Arc<Scope>,
    /// Which call it is.
    pub key: Key,
    /// When it opened.
    pub at: At,
    /// What was known then.
    pub opened: Opened<Veiled>,
}

/// What the recorder hands to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
// Almost all records are closed calls, and a box for each would cost more than moving it.
#[allow(clippy::large_enum_variant)]
pub enum Record {
    /// A call has opened.
    Opened(OpenRecord),
    /// A call has closed.
    Closed(CallRecord<Veiled>),
}
