//! The facts of one rollout: rows of bytes, so that a hundred thousand of them take a few megabytes.
//!
//! A row holds its event whole. Rows of one turn are chained backwards, so that a turn is read without the others.

use std::collections::BTreeSet;
use std::hash::BuildHasher;

use bytestring::ByteString;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::chains::Chains;
use super::codec;
use super::key::RolloutKey;
use super::row::{RowReader, RowWriter};
use super::table::{PLACE, grow, held_by};
use super::tables::{Marks, Tables};
use crate::event::{Digest, Event, Given, Key, Kind, Mark, Noted, Scope, SpanId, TraceId, Veiled};
use crate::reduce::graph::Reason;

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
    /// Calls whose parent belongs to another tenant: they are kept, and are no part of the graph.
    pub(in crate::reduce) foreign: BTreeSet<Key>,
    /// Facts that a bound turned away.
    pub(in crate::reduce) truncated: u64,
    pub(super) tables: Tables,
    rows: Vec<u8>,
    known: HashTable<u32>,
    hasher: DefaultHashBuilder,
    turns: Vec<TurnRows>,
    turn_places: HashMap<(u32, u32), u32>,
    /// The turn of the last fact: the next is mostly of the same.
    last_turn: u32,
    chains: Chains,
    /// The last row that is about no call.
    last_remark: u32,
    count: u64,
    /// What `bytes` says, but for what others set.
    held: usize,
}

/// A turn, and where its rows begin.
#[derive(Clone, Copy, Debug)]
struct TurnRows {
    thread: u32,
    turn: u32,
    last: u32,
}

/// The most bytes before a row: how far before it the row before it stands, and its length.
const HEAD: usize = 10;
/// A pair of places and what it leads to in a hash map, its share of the free ones included.
pub(super) const ENTRY: usize = 20;
/// No row before.
const NONE: u32 = u32::MAX;

impl RolloutFacts {
    /// What it keeps beside what is counted: itself, and the least that its tables take as soon as there is anything in them.
    pub(in crate::reduce) const EMPTY: usize = size_of::<Self>() + 1024;

    /// No facts yet.
    pub fn new(key: RolloutKey) -> Self {
        Self {
            key,
            generation: 0,
            resumes: None,
            heads: Vec::new(),
            closed: None,
            foreign: BTreeSet::new(),
            truncated: 0,
            tables: Tables::default(),
            rows: Vec::new(),
            known: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            turns: Vec::new(),
            turn_places: HashMap::default(),
            last_turn: NONE,
            chains: Chains::default(),
            last_remark: NONE,
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

    /// What is held with one more row of so many bytes.
    fn held_with(&self, row: usize) -> usize {
        self.tables.held()
            + held_by(self.rows.len() + row)
            + (self.known.len() + usize::from(row > 0)) * PLACE
            + self.turns.len() * (size_of::<TurnRows>() + ENTRY)
            + self.chains.held()
    }

    /// How many facts there are.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// Says that nothing more is expected: what is still open has been abandoned. The first reason given stays.
    pub fn close(&mut self, reason: Reason) {
        self.closed.get_or_insert(reason);
    }

    /// Takes one observation of this rollout in. O(1), amortised.
    pub fn absorb(&mut self, event: &Event<Veiled>) -> Absorbed {
        self.absorb_within(event, usize::MAX, u64::MAX)
    }

    /// Takes it in unless more than `bytes` or `count` would be held then.
    pub(in crate::reduce) fn absorb_within(&mut self, event: &Event<Veiled>, bytes: usize, count: u64) -> Absorbed {
        let Some(is_of_call) = codec::is_of_call(&event.kind) else { return Absorbed::Known };
        let before = (self.tables.marks(), self.turns.len());
        let mut row = RowWriter::default();
        let turn = if is_of_call { self.turn_place(&event.scope) } else { Some(NONE) };
        row.number(u64::from(turn.unwrap_or(NONE)));
        let is_written = turn.is_some() && self.tables.write(event, &mut row).is_some();
        if !is_written {
            return self.refuse(before);
        }
        let rows = &self.rows;
        let hash = self.hasher.hash_one(row.bytes.as_slice());
        let is_known = |place: &u32| row_at(rows, *place).is_some_and(|(_, known)| known == row.bytes.as_slice());
        if self.known.find(hash, is_known).is_some() {
            return Absorbed::Known;
        }
        let chain = self.chain_told(event, turn);
        let held = self.held_with(row.bytes.len() + HEAD) + chain.map_or(0, |(_, chain, _)| self.chains.cost(chain));
        let others = self.bytes() - self.held;
        if held + others > bytes || self.count >= count || !self.append(turn, &row, hash) {
            return self.refuse(before);
        }
        self.held = held;
        if let Some((thread, chain, by)) = chain {
            self.chains.note(thread, chain, by);
        }
        Absorbed::New
    }

    /// The thread, the chain digest that an event shows in it, and by which call.
    fn chain_told(&self, event: &Event<Veiled>, turn: Option<u32>) -> Option<(u32, u32, u32)> {
        let (chain, by) = match &event.kind {
            Kind::Opened(_, Given::Request(input)) => (input.chain, self.fingerprint(event.key)),
            Kind::Marked(Mark { noted: Noted::Histories(histories), .. }) => (histories.replacement.chain, 0),
            _ => return None,
        };
        let thread = self.turns.get(turn? as usize)?.thread;
        Some((thread, self.tables.find_shared(&chain?)?, by))
    }

    /// What tells calls apart, near enough; never 0.
    fn fingerprint(&self, key: Key) -> u32 {
        self.hasher.hash_one(key) as u32 | 1
    }

    /// Whether anybody but the call itself has shown this history in the thread: no call vouches for its own prefix.
    pub(in crate::reduce) fn shows(&self, thread: &str, chain: &Digest, asked_by: Key) -> bool {
        let place = || Some((self.tables.find_text(thread)?, self.tables.find_shared(chain)?));
        let shown = place().and_then(|(thread, chain)| self.chains.shown_by(thread, chain));
        let before = || self.heads.iter().any(|(known, head)| known == thread && head == chain);
        shown.is_some_and(|by| by != self.fingerprint(asked_by)) || before()
    }

    fn refuse(&mut self, (marks, turns): (Marks, usize)) -> Absorbed {
        for turn in self.turns.drain(turns..) {
            self.turn_places.remove(&(turn.thread, turn.turn));
        }
        self.tables.back_to(&marks);
        self.held = self.held_with(0);
        self.truncated += 1;
        Absorbed::Refused
    }

    /// Whether there was room: places are 32 bits wide.
    fn append(&mut self, turn: Option<u32>, row: &RowWriter, hash: u64) -> bool {
        let Some(place) = u32::try_from(self.rows.len()).ok().filter(|place| *place < NONE - (64 << 20)) else {
            return false;
        };
        let of_turn = turn.and_then(|turn| self.turns.get_mut(turn as usize));
        let last = of_turn.map_or(&mut self.last_remark, |turn| &mut turn.last);
        let mut head = RowWriter::default();
        head.number(u64::from(place.wrapping_sub(*last)));
        head.number(row.bytes.len() as u64);
        *last = place;
        grow(&mut self.rows, head.bytes.len() + row.bytes.len());
        self.rows.extend_from_slice(&head.bytes);
        self.rows.extend_from_slice(&row.bytes);
        let (rows, hasher) = (&self.rows, &self.hasher);
        self.known.insert_unique(hash, place, |place| {
            hasher.hash_one(row_at(rows, *place).map(|(_, bytes)| bytes).unwrap_or_default())
        });
        self.count += 1;
        true
    }

    fn turn_place(&mut self, scope: &Scope) -> Option<u32> {
        if self
            .turns
            .get(self.last_turn as usize)
            .is_some_and(|last| self.tables.is_turn(scope, last.thread, last.turn))
        {
            return Some(self.last_turn);
        }
        let place = self.turn_among(scope)?;
        self.last_turn = place;
        Some(place)
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

    /// The rows of a turn, in no order.
    pub(super) fn rows_of(&self, thread: &str, turn: &str) -> impl Iterator<Item = &[u8]> {
        self.chain(self.find_turn(thread, turn).map_or(NONE, |turn| turn.last))
    }

    /// The rows that are about no call.
    pub(super) fn rows_of_remarks(&self) -> impl Iterator<Item = &[u8]> {
        self.chain(self.last_remark)
    }

    /// The places of the texts of all turns.
    pub(super) fn turn_texts(&self) -> impl Iterator<Item = (u32, u32)> {
        self.turns.iter().map(|turn| (turn.thread, turn.turn))
    }

    /// The rows from a place backwards.
    fn chain(&self, last: u32) -> impl Iterator<Item = &[u8]> {
        let mut next = last;
        std::iter::from_fn(move || {
            if next == NONE {
                return None;
            }
            let (before, bytes) = row_at(&self.rows, next)?;
            next = next.wrapping_sub(before);
            Some(bytes)
        })
    }
}

/// How far before it the row before it stands, and its bytes.
fn row_at(rows: &[u8], place: u32) -> Option<(u32, &[u8])> {
    let mut row = RowReader { rest: rows.get(place as usize..)? };
    let before = row.index();
    let length = row.count();
    Some((before, row.rest.get(..length)?))
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
