//! Where what was read leaves a reader: calls that have ended, and what is told beside them.

use std::collections::VecDeque;
use std::sync::Arc;

use bytestring::ByteString;

use super::labels::Labels;
use super::place::{Aside, AsideReason};
use crate::event::{
    At, Attrs, CallKind, CallRecord, Event, Key, KeyIdentity, Kind, Opened, Scope, Source, SpanIds, Statement, Subject,
    Veiled,
};
use crate::import::ids::{self, TracePer};
use crate::json::Tape;
use crate::privacy::Policy;
use crate::semconv::{OPERATION_ID, OPERATION_NAME};

/// What a reader tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A call that has ended: one span.
    Call(Box<CallRecord<Veiled>>),
    /// What has no span: that a rollout or a thread began, a row of an unknown kind, what was set aside.
    Event(Box<Event<Veiled>>),
}

impl Told {
    /// All that it tells, as events.
    pub fn into_events(self) -> impl Iterator<Item = Event<Veiled>> {
        let (call, event) = match self {
            Self::Call(record) => (Some(record), None),
            Self::Event(event) => (None, Some(event)),
        };
        call.into_iter().flat_map(|record| record.into_events(Source::Import)).chain(event.map(|event| *event))
    }
}

/// How a session is read.
#[derive(Clone, Debug)]
pub struct Set {
    /// What may leave.
    pub policy: Policy,
    /// Which spans share a trace.
    pub per: TracePer,
    /// How long a call that seems to have ended is held for what comes late, in nanoseconds of the clock that
    /// `tick` is given; 0 where all is there already.
    pub grace: u64,
}

/// What has been read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows that could be read.
    pub rows: u64,
    /// Rows of a kind that this version does not know. Each is told as an event of an unknown kind.
    pub unknown: u64,
    /// What was set aside.
    pub aside: u64,
    /// Rows that another file's session had already told.
    pub replayed: u64,
    /// Calls that were begun and not kept, because too many were open.
    pub over_bound: u64,
    /// Files that were left in the middle of their last line: it is still being written.
    pub torn: u64,
}

/// The desk of one rollout's session.
pub(in crate::import) struct Desk {
    pub(in crate::import) set: Set,
    snapshot: ByteString,
    labels: Labels,
    out: VecDeque<Told>,
    pub(in crate::import) tally: Tally,
    pub(in crate::import) asides: Vec<Aside>,
    /// The time that the last tick told.
    pub(in crate::import) clock: u64,
    /// Where rows are read, and what stands within them as a text.
    pub(in crate::import) tape: Tape,
    pub(in crate::import) within: Tape,
}

/// What was set aside is named one by one up to this number, and counted beyond.
const MAX_ASIDES: usize = 1024;

impl Desk {
    pub(in crate::import) fn new(set: Set) -> Self {
        let snapshot = set.policy.snapshot().clone();
        Self {
            set,
            snapshot,
            labels: Labels::new(),
            out: VecDeque::new(),
            tally: Tally::default(),
            asides: Vec::new(),
            clock: 0,
            tape: Tape::default(),
            within: Tape::default(),
        }
    }

    pub(in crate::import) fn label(&self, text: &str) -> ByteString {
        self.labels.get(&self.set.policy, text)
    }

    /// The label of what is not asked for again soon.
    pub(in crate::import) fn label_once(&self, text: &str) -> ByteString {
        self.set.policy.label(text)
    }

    /// A word for why something ended as it did; one that does not look like one is not told.
    pub(in crate::import) fn reason(&self, word: &str) -> ByteString {
        let label = self.label(word);
        if *label == *word { label } else { ByteString::from_static("_OTHER") }
    }

    /// When something of this time was read: on the host's clock where that is told, else when it was made.
    pub(in crate::import) const fn since(&self, at: u64) -> u64 {
        if self.clock == 0 { at } else { self.clock }
    }

    /// The next thing that was told.
    pub(in crate::import) fn next(&mut self) -> Option<Told> {
        self.out.pop_front()
    }

    pub(in crate::import) fn call(&mut self, record: Box<CallRecord<Veiled>>) {
        self.out.push_back(Told::Call(record));
    }

    /// A call that begins, as a child of the span `under`; without one it begins its turn's own trace.
    pub(in crate::import) fn open(
        &self,
        scope: &Arc<Scope>,
        (kind, id): (CallKind, &str),
        under: Option<SpanIds>,
        at: u64,
        mut attrs: Attrs,
    ) -> Option<Box<CallRecord<Veiled>>> {
        let key = ids::key(scope, kind, id);
        let span = match under {
            Some(parent) => ids::span_under(parent, key),
            None => ids::span(scope, key, None, self.set.per),
        }?;
        // Whoever sets them in the order of the table has set these already.
        if attrs.text(OPERATION_NAME).is_none() {
            attrs.set(OPERATION_NAME, ByteString::from_static(kind.default_operation()));
        }
        if attrs.text(OPERATION_ID).is_none() {
            attrs.set(OPERATION_ID, self.label_once(id));
        }
        let opened = Opened { span, attrs, links: Vec::new(), policy: Some(self.snapshot.clone()) };
        let given = crate::event::Given::empty(kind);
        Some(Box::new(CallRecord::open(Arc::clone(scope), key, moment(at), opened, given)))
    }

    pub(in crate::import) fn state(
        &mut self,
        scope: &Arc<Scope>,
        at: u64,
        (subject, statement): (Subject, Statement),
        attrs: Attrs,
    ) {
        self.event(scope, at, 0, Kind::Stated { subject, statement, attrs });
    }

    /// A row of a kind that this version does not know.
    pub(in crate::import) fn unknown(&mut self, scope: &Arc<Scope>, at: u64, name: &str) {
        self.tally.unknown += 1;
        let occurrence = u32::try_from(self.tally.unknown).unwrap_or(u32::MAX);
        let name = self.label(name);
        self.event(scope, at, occurrence, Kind::Unknown { name });
    }

    pub(in crate::import) fn aside(&mut self, scope: &Arc<Scope>, file: &str, line: u64, reason: AsideReason) {
        self.tally.aside += 1;
        let aside = Aside { file: self.label(file), line, reason };
        let (place, reason) = (format!("{}:{line}", aside.file).into(), ByteString::from_static(reason.as_str()));
        let occurrence = u32::try_from(line).unwrap_or(u32::MAX);
        self.event(scope, 0, occurrence, Kind::Quarantined { place, reason });
        if self.asides.len() < MAX_ASIDES {
            self.asides.push(aside);
        }
    }

    fn event(&mut self, scope: &Arc<Scope>, at: u64, occurrence: u32, kind: Kind<Veiled>) {
        let key = Key { kind: CallKind::Turn, id: KeyIdentity::None, occurrence };
        let event = Event { scope: Arc::clone(scope), key, at: moment(at), source: Source::Import, kind };
        self.out.push_back(Told::Event(Box::new(event)));
    }
}

/// A point of time in a file that nobody counts in.
pub(in crate::import) const fn moment(time_unix_nano: u64) -> At {
    At { time_unix_nano, producer: None, seq: None }
}
