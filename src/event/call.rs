//! Calls: their events, and all of them folded into one record.

use std::sync::Arc;

use bytestring::ByteString;
use derive_where::derive_where;

use super::{
    At, Attrs, CallKind, Content, Key, KeyIdentity, Link, Mark, Marked, Outcome, Raw, Scope, Source, SpanIds, Veiled,
};

use crate::semconv::Phase;

/// One observation.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Request, C::Answer, C::Arguments, C::Payload, C::Payloads)]
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

/// What an event tells. Which kind of call it is about stands in the event's key.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Request, C::Answer, C::Arguments, C::Payload, C::Payloads)]
#[non_exhaustive]
pub enum Kind<C: Content> {
    /// A call began.
    Opened(Opened<C>, Given<C>),
    /// Something was observed inside a call that had begun.
    Marked(Mark<C>),
    /// More was learned of a call that had begun: names and labels of its opening, in the place of what was said before.
    Learned(C::Attrs),
    /// A call ended.
    Closed(Closed<C>, Returned<C>),
    /// Something was told of a rollout or a thread, which are no calls.
    Stated {
        /// Of which of the two; the scope says which one.
        subject: Subject,
        /// What was told.
        statement: Statement,
        /// Names, references.
        attrs: C::Attrs,
    },
    /// Something that was observed could not be used, and was set aside.
    Quarantined {
        /// Where it stood.
        place: ByteString,
        /// Why it was set aside: a word of ours.
        reason: ByteString,
    },
    /// Time has passed; the event's own time says how far.
    Tick,
    /// Something that this version does not know.
    Unknown {
        /// What its producer calls it.
        name: ByteString,
    },
}

/// What a statement is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// The rollout.
    Rollout,
    /// The thread.
    Thread,
}

/// What is told of a rollout or a thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Statement {
    /// It began.
    Began,
    /// It ended.
    Ended(Option<Outcome>),
    /// Something was seen of it, and is kept elsewhere.
    Evidence,
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
#[derive_where(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Payload)]
pub struct Closed<C: Content> {
    /// How it ended; missing on a segment that ends in a wait, and where nobody said.
    pub outcome: Option<Outcome>,
    /// Usage, the response's names, the error's kind.
    pub attrs: C::Attrs,
    /// What an error said of itself.
    pub error: C::Payload,
    /// What it follows from and was learned after it had opened. A record has them among those of [`Opened`].
    pub links: Vec<Link>,
}

/// What a call was given.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Request, C::Arguments, C::Payloads)]
#[non_exhaustive]
pub enum Given<C: Content> {
    /// What a model was sent: of an inference, of a compaction.
    Request(C::Request),
    /// What a tool was called with.
    Arguments(C::Arguments),
    /// Of any other kind of call: texts to embed, a query, a source, a command, a question.
    Texts(C::Payloads),
}

/// What a call returned.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Answer, C::Payload, C::Payloads)]
#[non_exhaustive]
pub enum Returned<C: Content> {
    /// What a model answered: of an inference, of a compaction.
    Answer(C::Answer),
    /// What a tool returned.
    Result(C::Payload),
    /// Of any other kind of call: documents, records, an output.
    Texts(C::Payloads),
}

impl<C: Content> Given<C> {
    /// What a kind of call is given, empty.
    pub fn empty(kind: CallKind) -> Self {
        match kind {
            CallKind::Inference | CallKind::Compaction => Self::Request(C::Request::default()),
            CallKind::Tool => Self::Arguments(C::Arguments::default()),
            _ => Self::Texts(C::Payloads::default()),
        }
    }
}

impl Given<Raw> {
    /// Whether it is what [`empty`](Self::empty) makes.
    pub(crate) const fn is_nothing(&self) -> bool {
        match self {
            Self::Request(request) => request.is_none(),
            Self::Arguments(arguments) => arguments.is_none(),
            Self::Texts(texts) => texts.is_empty(),
        }
    }
}

impl Given<Veiled> {
    /// Whether nothing is told.
    pub(crate) const fn tells_nothing(&self) -> bool {
        match self {
            Self::Request(request) => request.is_nothing(),
            Self::Arguments(arguments) => arguments.is_nothing(),
            Self::Texts(texts) => texts.is_empty(),
        }
    }
}

impl Returned<Veiled> {
    /// Whether nothing is told.
    pub(crate) const fn tells_nothing(&self) -> bool {
        match self {
            Self::Answer(answer) => answer.is_nothing(),
            Self::Result(result) => result.is_nothing(),
            Self::Texts(texts) => texts.is_empty(),
        }
    }
}

impl Returned<Raw> {
    /// Whether it is what [`empty`](Self::empty) makes.
    pub(crate) const fn is_nothing(&self) -> bool {
        match self {
            Self::Answer(answer) => answer.is_empty(),
            Self::Result(result) => result.is_none(),
            Self::Texts(texts) => texts.is_empty(),
        }
    }
}

impl<C: Content> Returned<C> {
    /// What a kind of call returns, empty.
    pub fn empty(kind: CallKind) -> Self {
        match kind {
            CallKind::Inference | CallKind::Compaction => Self::Answer(C::Answer::default()),
            CallKind::Tool => Self::Result(C::Payload::default()),
            _ => Self::Texts(C::Payloads::default()),
        }
    }
}

/// All observations of one call folded: one span.
#[derive_where(Clone, Debug, PartialEq, Eq, PartialOrd, Ord; C::Attrs, C::Request, C::Answer, C::Arguments, C::Payload, C::Payloads)]
pub struct CallRecord<C: Content> {
    /// Where it belongs.
    pub scope: Arc<Scope>,
    /// What kind of call it is.
    pub kind: CallKind,
    /// Which call it is, apart from its kind.
    pub id: KeyIdentity,
    /// When it opened.
    pub opened_at: At,
    /// When it closed.
    pub closed_at: At,
    /// What was known when it opened. All links stand here, whenever they were learned.
    pub opened: Opened<C>,
    /// What it was given.
    pub given: Given<C>,
    /// What was observed inside it, in the order of observation.
    pub marks: Vec<Marked<C>>,
    /// How many more marks there were.
    pub marks_dropped: u32,
    /// What was known at its end.
    pub closed: Closed<C>,
    /// What it returned.
    pub returned: Returned<C>,
}

impl<C: Content> CallRecord<C> {
    /// The most marks of one call, as of OpenTelemetry's span events. More are counted alone.
    pub const MAX_MARKS: usize = 128;

    /// A call that has opened: its end is still to come.
    pub fn open(scope: Arc<Scope>, key: Key, at: At, opened: Opened<C>, given: Given<C>) -> Self {
        Self {
            scope,
            kind: key.kind,
            id: key.id,
            opened_at: at,
            closed_at: at,
            opened,
            given,
            marks: Vec::new(),
            marks_dropped: 0,
            closed: Closed::default(),
            returned: Returned::empty(key.kind),
        }
    }

    /// Folds a mark in. `false`: there were too many, and it was only counted.
    pub fn mark(&mut self, at: At, mark: Mark<C>) -> bool {
        let has_room = self.marks.len() < Self::MAX_MARKS;
        if has_room {
            self.marks.push(Marked { at, mark });
        } else {
            self.marks_dropped = self.marks_dropped.saturating_add(1);
        }
        has_room
    }

    /// Folds the end in.
    pub fn close(&mut self, at: At, mut closed: Closed<C>, returned: Returned<C>) {
        self.opened.links.append(&mut closed.links);
        self.closed_at = at;
        self.closed = closed;
        self.returned = returned;
    }

    /// The key of all its events.
    pub const fn key(&self) -> Key {
        Key { kind: self.kind, id: self.id, occurrence: 0 }
    }

    /// Its events: opened, marks, closed.
    pub fn into_events(self, source: Source) -> impl Iterator<Item = Event<C>> {
        let key = self.key();
        let scope = self.scope;
        let event = move |at, kind| Event { scope: Arc::clone(&scope), key, at, source, kind };
        let opened = (self.opened_at, Kind::Opened(self.opened, self.given));
        let closed = (self.closed_at, Kind::Closed(self.closed, self.returned));
        let marks = self.marks.into_iter().map(|marked| (marked.at, Kind::Marked(marked.mark)));
        std::iter::once(opened).chain(marks).chain([closed]).map(move |(at, kind)| event(at, kind))
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
pub enum Record {
    /// A call has opened.
    Opened(Box<OpenRecord>),
    /// A call has closed.
    Closed(Box<CallRecord<Veiled>>),
}

impl CallRecord<Veiled> {
    /// Folds in what was learned of a call that is open. Only what belongs to the opening can be learned so: the end is
    /// still to come.
    pub fn learn(&mut self, attrs: &Attrs) {
        for (id, value) in attrs.iter().filter(|(id, _)| id.name().phase == Phase::Opened) {
            self.opened.attrs.insert(id, value.clone());
        }
    }
}
