//! Events of a recording as records: one for each call, to be told as spans.
//!
//! ```text
//! any importer ─▶ Event<Veiled> ─▶ Records ─▶ CallRecord<Veiled> ─▶ spans
//! ```
//!
//! A call that was never told to end is told as abandoned, at the last time that was seen. A turn is linked to the turn of
//! its thread before it; the first turn of a thread is a child of the call that started it where both are in one trace,
//! and linked to it otherwise. The last turn of the root thread says that its rollout ends, where the recording says so.
//! What is told of threads and rollouts themselves has no span, and neither has what was set aside.

use std::collections::{HashMap, VecDeque};

use bytestring::ByteString;

use crate::event::{
    At, Attrs, CallKind, CallRecord, EdgeKind, Event, Key, Kind, Link, MarkKind, Marked, Outcome, ProducerId, Returned,
    Scope, SpanIds, Statement, Subject, Veiled,
};
use crate::semconv::{EDGE_KIND, EDGE_THREAD, END_INFERRED, Phase, ROLLOUT_END, ROOT_THREAD_ID};

/// The calls that are held at once. Over the bound those that have ended leave first, and then the oldest of the others,
/// as abandoned; what is told of them later is left out and counted.
const HELD: usize = 1 << 17;

/// What could not be part of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Ends and marks of calls that were never told to begin, or had left already.
    pub orphans: u64,
    /// Records of the recording that were set aside.
    pub quarantined: u64,
    /// Records of a kind that this version does not know.
    pub unknown: u64,
    /// Calls that were told as abandoned before their time, because too many were open at once.
    pub let_go: u64,
    /// Calls that still run, and turns that are held back, of a recording that goes on.
    pub open: u64,
}

/// The records of a recording, in the order of their start within each portion of at most 131,072. Holds no content.
#[derive(Debug)]
pub struct Records<I> {
    events: I,
    calls: HashMap<(Key, ByteString), Folded>,
    ready: VecDeque<CallRecord<Veiled>>,
    left_out: LeftOut,
    /// Who started each thread, and its last turn so far.
    spawned: HashMap<ByteString, SpanIds>,
    newest: HashMap<ByteString, Key>,
    before: HashMap<ByteString, Link>,
    root: Option<ByteString>,
    root_has_ended: bool,
    producer: Option<ProducerId>,
    last: Option<At>,
    goes_on: bool,
}

#[derive(Debug)]
struct Folded {
    record: CallRecord<Veiled>,
    has_ended: bool,
}

impl<I: Iterator<Item = Event<Veiled>>> Records<I> {
    /// The records of these events.
    pub fn new(events: I) -> Self {
        Self {
            events,
            calls: HashMap::new(),
            ready: VecDeque::new(),
            left_out: LeftOut::default(),
            spawned: HashMap::new(),
            newest: HashMap::new(),
            before: HashMap::new(),
            root: None,
            root_has_ended: false,
            producer: None,
            last: None,
            goes_on: false,
        }
    }

    /// The recording may still grow: what has not ended where it ends is counted, and not told. Neither is the last turn of
    /// the root thread as long as nobody has said that its rollout is over, since that turn will have to say so.
    pub const fn goes_on(&mut self) {
        self.goes_on = true;
    }

    /// The process life that the records so far were observed by.
    pub const fn producer(&self) -> Option<ProducerId> {
        self.producer
    }

    /// What could not be told so far.
    pub const fn left_out(&self) -> LeftOut {
        self.left_out
    }

    fn take(&mut self, event: Event<Veiled>) {
        self.producer = self.producer.or(event.at.producer);
        let call = (event.key, event.scope.thread.clone());
        match event.kind {
            Kind::Opened(opened, given) => {
                if event.key.kind == CallKind::Turn {
                    self.newest.insert(call.1.clone(), event.key);
                }
                let record = CallRecord::open(event.scope, event.key, event.at, opened, given);
                // The first beginning counts.
                self.calls.entry(call).or_insert(Folded { record, has_ended: false });
            }
            Kind::Marked(mark) => {
                let Some(folded) = self.calls.get_mut(&call) else { return self.left_out.orphans += 1 };
                let spawns =
                    mark.kind == MarkKind::Passed && mark.attrs.text(EDGE_KIND) == Some(EdgeKind::Spawn.as_str());
                if let Some(thread) = mark.attrs.get(EDGE_THREAD).filter(|_| spawns) {
                    self.spawned.entry(thread).or_insert(folded.record.opened.span);
                }
                folded.record.mark(event.at, mark);
            }
            Kind::Learned(attrs) => match self.calls.get_mut(&call) {
                Some(folded) => folded.record.learn(&attrs),
                None => self.left_out.orphans += 1,
            },
            Kind::Closed(closed, returned) => match self.calls.get_mut(&call) {
                // The first end that says how counts, as it does in reduction.
                Some(folded) if !folded.has_ended => {
                    folded.has_ended = closed.outcome.is_some();
                    folded.record.close(event.at, closed, returned);
                }
                Some(_) => {}
                None => self.left_out.orphans += 1,
            },
            Kind::Stated { subject, statement, attrs } => self.stated(&event.scope, subject, statement, &attrs),
            Kind::Quarantined { .. } => self.left_out.quarantined += 1,
            Kind::Unknown { .. } => self.left_out.unknown += 1,
            Kind::Tick => {}
        }
        self.last = self.last.max(Some(event.at));
    }

    fn stated(&mut self, scope: &Scope, subject: Subject, statement: Statement, attrs: &Attrs) {
        match (subject, statement) {
            (Subject::Rollout, Statement::Began) => self.root = self.root.take().or_else(|| attrs.get(ROOT_THREAD_ID)),
            (Subject::Rollout, Statement::Ended(_)) => self.root_has_ended = true,
            (Subject::Thread, Statement::Ended(_)) => self.root_has_ended |= self.root.as_ref() == Some(&scope.thread),
            _ => {}
        }
    }

    /// Lets about half of what is held go. The newest turn of each thread may still learn that its rollout ends.
    fn make_room(&mut self) {
        let newest = &self.newest;
        let may_go = |(key, thread): &(Key, ByteString)| newest.get(thread) != Some(key);
        let mut leaving: Vec<Folded> =
            self.calls.extract_if(|call, folded| folded.has_ended && may_go(call)).map(|(_, folded)| folded).collect();
        let left = self.calls.len();
        if left > HELD / 2 {
            let mut open: Vec<_> = self.calls.keys().filter(|call| may_go(call)).cloned().collect();
            open.sort_unstable_by_key(|call| self.calls.get(call).map(|folded| folded.record.opened_at));
            open.truncate(left - HELD / 2);
            self.left_out.let_go += open.len() as u64;
            leaving.extend(open.iter().filter_map(|call| self.calls.remove(call)));
        }
        self.tell(leaving);
    }

    fn finish(&mut self) {
        if self.goes_on && !self.root_has_ended {
            let newest = self.root.as_ref().and_then(|root| self.newest.get(root));
            let stays = |(key, _): &(Key, ByteString), folded: &Folded| !folded.has_ended || newest == Some(key);
            self.left_out.open += self.calls.extract_if(|call, folded| stays(call, folded)).count() as u64;
        }
        let leaving = std::mem::take(&mut self.calls).into_values().collect();
        let before = self.ready.len();
        self.tell(leaving);
        let root = self.root.as_ref();
        let of_root =
            |record: &&mut CallRecord<Veiled>| record.kind == CallKind::Turn && Some(&record.scope.thread) == root;
        let last = self.ready.range_mut(before..).rev().find(of_root);
        if let Some(turn) = last.filter(|_| self.root_has_ended) {
            turn.closed.attrs.set(ROLLOUT_END, true);
        }
    }

    fn tell(&mut self, leaving: Vec<Folded>) {
        let mut records: Vec<_> = leaving.into_iter().map(|folded| self.settled(folded)).collect();
        records.sort_unstable_by_key(|record| (record.opened_at, record.key()));
        for turn in records.iter_mut().filter(|record| record.kind == CallKind::Turn) {
            self.link(turn);
        }
        self.ready.extend(records);
    }

    fn settled(&self, Folded { mut record, has_ended }: Folded) -> CallRecord<Veiled> {
        if !has_ended {
            abandon(&mut record, self.last);
        }
        settle_halves(&mut record);
        record
    }

    fn link(&mut self, turn: &mut CallRecord<Veiled>) {
        let span = &mut turn.opened.span;
        let this = Link { trace: span.trace, span: span.span, kind: Some(EdgeKind::Turn) };
        let before = self.before.insert(turn.scope.thread.clone(), this);
        let starter = self.spawned.get(&turn.scope.thread);
        match (before, starter) {
            (Some(before), _) => turn.opened.links.push(before),
            (None, Some(starter)) if starter.trace == span.trace => span.parent = Some(starter.span),
            (None, Some(starter)) => {
                turn.opened.links.push(Link { trace: starter.trace, span: starter.span, kind: Some(EdgeKind::Spawn) });
            }
            (None, None) => {}
        }
    }
}

impl<I: Iterator<Item = Event<Veiled>>> Iterator for Records<I> {
    type Item = CallRecord<Veiled>;

    fn next(&mut self) -> Option<CallRecord<Veiled>> {
        while self.ready.is_empty() {
            match self.events.next() {
                Some(event) => self.take(event),
                None if self.calls.is_empty() => return None,
                None => self.finish(),
            }
            if self.calls.len() >= HELD {
                self.make_room();
            }
        }
        self.ready.pop_front()
    }
}

fn abandon(record: &mut CallRecord<Veiled>, last: Option<At>) {
    let at = last.filter(|last| last.time_unix_nano >= record.opened_at.time_unix_nano).unwrap_or(record.opened_at);
    let mut closed = std::mem::take(&mut record.closed);
    let returned = std::mem::replace(&mut record.returned, Returned::empty(record.kind));
    closed.outcome = Some(Outcome::Abandoned);
    closed.attrs.set(END_INFERRED, true);
    record.close(at, closed, returned);
}

/// An attribute stands in the half of the call that the table gives it, whenever it was learned.
fn settle_halves(record: &mut CallRecord<Veiled>) {
    let (mut opened, mut closed) = (Attrs::default(), Attrs::default());
    // What was known at the end counts over what was known before.
    for (id, value) in record.opened.attrs.iter().chain(record.closed.attrs.iter()) {
        match id.name().phase {
            Phase::Opened => opened.insert(id, value.clone()),
            Phase::Closed => closed.insert(id, value.clone()),
            Phase::Marked | Phase::Core | Phase::Foreign => {}
        }
    }
    (record.opened.attrs, record.closed.attrs) = (opened, closed);
    record.marks.sort_by_key(|Marked { at, .. }| *at);
}
