//! The facts of one rollout: rows of bytes, so that a hundred thousand of them take a few megabytes.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::sync::{Arc, Weak};

use bytestring::ByteString;
use hashbrown::{DefaultHashBuilder, HashMap};

use super::calls::Head;
use super::chains::Chains;
use super::codec;
use super::key::RolloutKey;
use super::row::RowWriter;
use super::rows::{NONE, Rows};
use super::tables::{Marks, Tables};
use crate::event::{At, CallKind, Digest, Event, Given, Key, Kind, Mark, Noted, Scope, SpanId, TraceId, Veiled};
use crate::reduce::graph::Reason;
use crate::semconv::ROLLOUT_END;

/// What became of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absorbed {
    /// It told something new.
    New,
    /// It was known already, or tells nothing.
    Known,
    /// It would have passed a bound, and was counted.
    Refused,
}

/// Everything observed of one rollout.
#[derive(Clone, Debug)]
pub struct RolloutFacts {
    pub(in crate::reduce) key: RolloutKey,
    /// How often the rollout was closed before, and the span of the summary that this generation goes on from.
    pub(in crate::reduce) generation: u64,
    pub(in crate::reduce) resumes: Option<(TraceId, SpanId)>,
    /// The chain heads that generations before this one have shown.
    pub(in crate::reduce) heads: Vec<(ByteString, Digest)>,
    pub(in crate::reduce) closed: Option<Reason>,
    /// Whether a turn said that it is the last.
    ends: bool,
    /// Calls whose parent belongs to another tenant: they are kept, and are no part of the graph.
    pub(in crate::reduce) foreign: BTreeSet<Key>,
    /// Facts that a bound turned away.
    pub(in crate::reduce) truncated: u64,
    pub(super) tables: Tables,
    rows: Rows,
    /// The call of the last fact: the next is mostly of the same.
    last_call: Option<LastCall>,
    hasher: DefaultHashBuilder,
    turns: Vec<TurnRows>,
    turn_places: HashMap<(u32, u32), u32>,
    /// The turn of the last fact: the next is mostly of the same.
    last_turn: u32,
    /// The scope that named it, so that it is known again without its texts. It keeps none of them.
    last_scope: Weak<Scope>,
    chains: Chains,
    count: u64,
    /// What `bytes` says, but for what others set.
    held: usize,
}

/// A turn, and its last call.
#[derive(Clone, Copy, Debug)]
struct TurnRows {
    thread: u32,
    turn: u32,
    last: u32,
}

/// A call while it is written of.
#[derive(Clone, Copy, Debug)]
struct Call {
    turn: u32,
    key: Key,
    /// Nothing where it is new.
    head: Option<u32>,
    /// The time that those of its rows are counted from.
    base: At,
}

/// A call that was written of.
#[derive(Clone, Copy, Debug)]
struct LastCall {
    turn: u32,
    key: Key,
    head: u32,
    base: At,
}

/// Whether an observation is the end of a rollout's last turn.
fn is_the_end(event: &Event<Veiled>) -> bool {
    let Kind::Closed(closed, _) = &event.kind else { return false };
    event.key.kind == CallKind::Turn && closed.attrs.get(ROLLOUT_END) == Some(true)
}

/// A pair of places and what it leads to in a hash map, its share of the free ones included.
pub(super) const ENTRY: usize = 20;

impl RolloutFacts {
    /// What it keeps beside what is counted: itself, and the least that its tables take as soon as there is anything in them.
    pub(in crate::reduce) const EMPTY: usize = size_of::<Self>() + size_of::<Scope>() + 1024;

    /// No facts yet.
    pub fn new(key: RolloutKey) -> Self {
        Self {
            key,
            generation: 0,
            resumes: None,
            heads: Vec::new(),
            closed: None,
            ends: false,
            foreign: BTreeSet::new(),
            truncated: 0,
            tables: Tables::default(),
            rows: Rows::default(),
            last_call: None,
            hasher: DefaultHashBuilder::default(),
            turns: Vec::new(),
            turn_places: HashMap::default(),
            last_turn: NONE,
            last_scope: Weak::new(),
            chains: Chains::default(),
            count: 0,
            held: 0,
        }
    }

    /// Which rollout this is.
    pub const fn key(&self) -> &RolloutKey {
        &self.key
    }

    /// How often the rollout was closed before.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// About how many bytes the facts keep in memory, beside those of an empty rollout.
    pub fn bytes(&self) -> usize {
        let heads: usize = self.heads.iter().map(|(thread, _)| size_of::<(ByteString, Digest)>() + thread.len()).sum();
        self.held + heads + self.foreign.len() * 2 * size_of::<Key>()
    }

    fn held(&self) -> usize {
        let turns = self.turns.capacity() * size_of::<TurnRows>() + self.turns.len() * ENTRY;
        self.tables.held() + self.rows.held() + turns + self.chains.held()
    }

    /// How many facts there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Says that nothing more is expected: what is still open has been abandoned. The first reason given stays.
    pub fn close(&mut self, reason: Reason) {
        self.closed.get_or_insert(reason);
    }

    /// The same, where one of its turns said that it is the last: there is nothing to wait for where all has been read.
    #[cfg(feature = "cli")]
    pub(super) fn close_if_it_ends(&mut self) {
        if self.ends {
            self.close(Reason::Ended);
        }
    }

    /// Takes one observation of this rollout in. O(1), amortised.
    pub fn absorb(&mut self, event: &Event<Veiled>) -> Absorbed {
        self.absorb_within(event, usize::MAX, u64::MAX)
    }

    /// Takes it in unless more than `bytes` or `count` would be held then.
    pub(in crate::reduce) fn absorb_within(&mut self, event: &Event<Veiled>, bytes: usize, count: u64) -> Absorbed {
        let Some(is_of_call) = codec::is_of_call(&event.kind) else { return Absorbed::Known };
        self.tables.begin(event.at);
        let before = (self.tables.marks(), self.turns.len());
        let (mut row, mut ident) = (RowWriter::default(), RowWriter::default());
        let call = if is_of_call { self.call_of(event, &mut ident) } else { None };
        let is_written = match &call {
            Some(call) => self.tables.write(event, &call.base, &mut row),
            None if is_of_call => None,
            None => self.tables.write_remark(event, &mut row),
        };
        if is_written.is_none() {
            return self.refuse(before);
        }
        // A call that is new has no row yet.
        if call.is_none_or(|call| call.head.is_some())
            && self.rows.is_known(call.and_then(|call| call.head), row.bytes())
        {
            return Absorbed::Known;
        }
        let chain = self.chain_told(event, call);
        let chains = chain.map_or(0, |(_, chain, _)| self.chains.cost(chain));
        let held = self.held() + self.rows.cost(row.bytes().len()) + chains;
        let others = self.bytes() - self.held;
        if held + others > bytes || self.count >= count || self.append(call, &ident, &row).is_none() {
            return self.refuse(before);
        }
        self.held = held;
        self.count += 1;
        self.ends |= is_the_end(event);
        if let Some((thread, chain, by)) = chain {
            self.chains.note(thread, chain, by);
        }
        Absorbed::New
    }

    /// The call of an event. Where it is not the last one again, `ident` says which it is.
    fn call_of(&mut self, event: &Event<Veiled>, ident: &mut RowWriter) -> Option<Call> {
        let (turn, key) = (self.turn_place(&event.scope)?, event.key);
        if let Some(LastCall { head, base, .. }) = self.last_call.filter(|last| last.turn == turn && last.key == key) {
            return Some(Call { turn, key, head: Some(head), base });
        }
        self.tables.ident(turn, key, ident)?;
        let head = self.rows.find(ident.bytes());
        let known = head.and_then(|place| self.rows.head(place));
        let base = known.map_or(event.at, |head| head.base(ident.bytes().len(), &self.tables));
        Some(Call { turn, key, head, base })
    }

    /// Appends a row, and before it the head of its call if that is new. Nothing where places are used up.
    fn append(&mut self, call: Option<Call>, ident: &RowWriter, row: &RowWriter) -> Option<()> {
        let Some(call) = call else { return self.rows.add_remark(row.bytes()) };
        let head = match call.head {
            Some(head) => {
                self.rows.add(head, row.bytes())?;
                head
            }
            None => {
                let mut base = RowWriter::default();
                self.tables.at(call.base, &mut base)?;
                let of_turn = self.turns.get_mut(call.turn as usize)?;
                self.rows.add_call(&mut of_turn.last, ident.bytes(), base.bytes(), row.bytes())?
            }
        };
        self.last_call = Some(LastCall { turn: call.turn, key: call.key, head, base: call.base });
        Some(())
    }

    /// The thread, the chain digest that an event which was written shows in it, and by which call.
    fn chain_told(&self, event: &Event<Veiled>, call: Option<Call>) -> Option<(u32, u32, u32)> {
        let by = match &event.kind {
            Kind::Opened(_, Given::Request(_)) => self.fingerprint(event.key),
            Kind::Marked(Mark { noted: Noted::Histories(_), .. }) => 0,
            _ => return None,
        };
        Some((self.turns.get(call?.turn as usize)?.thread, self.tables.last_chain?, by))
    }

    /// What tells calls apart, near enough; never 0.
    fn fingerprint(&self, key: Key) -> u32 {
        self.hasher.hash_one(key) as u32 | 1
    }

    /// The histories that were shown in a thread.
    pub(in crate::reduce) fn histories<'a>(&'a self, thread: &'a str) -> Histories<'a> {
        Histories { facts: self, id: thread, thread: self.tables.find_text(thread) }
    }

    fn refuse(&mut self, (marks, turns): (Marks, usize)) -> Absorbed {
        for turn in self.turns.drain(turns..) {
            self.turn_places.remove(&(turn.thread, turn.turn));
        }
        self.tables.back_to(&marks);
        // The turn may be one of those.
        self.last_scope = Weak::new();
        self.held = self.held();
        self.truncated += 1;
        Absorbed::Refused
    }

    /// Whether this is the scope of the last fact itself.
    #[inline]
    pub(in crate::reduce) fn is_last_scope(&self, scope: &Arc<Scope>) -> bool {
        std::ptr::eq(self.last_scope.as_ptr(), Arc::as_ptr(scope))
    }

    fn turn_place(&mut self, scope: &Arc<Scope>) -> Option<u32> {
        if self.is_last_scope(scope) {
            return Some(self.last_turn);
        }
        let last = self.turns.get(self.last_turn as usize);
        if !last.is_some_and(|last| self.tables.is_turn(scope, last.thread, last.turn)) {
            self.last_turn = self.turn_among(scope)?;
        }
        self.last_scope = Arc::downgrade(scope);
        Some(self.last_turn)
    }

    fn turn_among(&mut self, scope: &Scope) -> Option<u32> {
        let (thread, turn) = (self.tables.text_place(&scope.thread)?, self.tables.text_place(&scope.turn)?);
        if let Some(place) = self.turn_places.get(&(thread, turn)) {
            return Some(*place);
        }
        let place = u32::try_from(self.turns.len()).ok().filter(|place| *place < NONE)?;
        self.turns.push(TurnRows { thread, turn, last: NONE });
        self.turn_places.insert((thread, turn), place);
        Some(place)
    }

    /// Whether anything was told of a turn.
    pub(in crate::reduce) fn knows(&self, thread: &str, turn: &str) -> bool {
        self.find_turn(thread, turn).is_some()
    }

    fn find_turn(&self, thread: &str, turn: &str) -> Option<&TurnRows> {
        let (thread, turn) = (self.tables.find_text(thread)?, self.tables.find_text(turn)?);
        self.turns.get(*self.turn_places.get(&(thread, turn))? as usize)
    }

    /// What stands before the rows of each call of a turn, latest first.
    pub(super) fn heads_of(&self, thread: &str, turn: &str) -> impl Iterator<Item = Head<'_>> {
        let last = self.find_turn(thread, turn).map_or(NONE, |turn| turn.last);
        self.rows.calls(last)
    }

    /// All rows.
    pub(super) const fn rows(&self) -> &Rows {
        &self.rows
    }

    /// The places of the texts of all turns.
    pub(super) fn turn_texts(&self) -> impl Iterator<Item = (u32, u32)> {
        self.turns.iter().map(|turn| (turn.thread, turn.turn))
    }
}

/// The histories of a thread.
#[derive(Clone, Copy)]
pub(in crate::reduce) struct Histories<'a> {
    facts: &'a RolloutFacts,
    id: &'a str,
    thread: Option<u32>,
}

impl Histories<'_> {
    /// What stands for a chain digest, the same for all threads; nothing where none of the rollout's calls knows it.
    pub(in crate::reduce) fn number(&self, chain: &Digest) -> Option<u32> {
        self.facts.tables.find_digest(chain)
    }

    /// Whether anybody but the call itself has shown this history in the thread: no call vouches for its own prefix.
    pub(in crate::reduce) fn shows(&self, chain: &Digest, asked_by: Key) -> bool {
        self.shows_at(self.number(chain), chain, asked_by)
    }

    /// The same, of a digest that stands at this place.
    pub(super) fn shows_at(&self, place: Option<u32>, chain: &Digest, asked_by: Key) -> bool {
        let shown = self.thread.zip(place).and_then(|(thread, chain)| self.facts.chains.shown_by(thread, chain));
        let before = || self.facts.heads.iter().any(|(known, head)| known == self.id && head == chain);
        shown.is_some_and(|by| by != self.facts.fingerprint(asked_by)) || before()
    }
}

/// Two sets of facts are equal where they tell the same, whatever the order in which it was told.
impl PartialEq for RolloutFacts {
    fn eq(&self, other: &Self) -> bool {
        let whole = |facts: &Self| (facts.generation, facts.resumes, facts.closed, facts.truncated, facts.count);
        self.key == other.key
            && whole(self) == whole(other)
            && super::super::derive(self) == super::super::derive(other)
    }
}
