//! The rows of a rollout, one behind the other, and which of them are known.
//!
//! A row tells what its event told beside what all rows of its call have in common, which stands before the first of them.
//! Rows of one call, and calls of one turn, are chained backwards, so that each is read without the others.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::calls::{CallRows, FEW, Head, MOST, note_row, write_head};
use super::paged::Paged;
use super::row::{RowReader, Writer};
use super::table::PLACE;

/// No row before, or no call.
pub(super) const NONE: u32 = u32::MAX;
/// The most bytes before a row: how far before it the row before it stands, and its length.
const BEFORE: usize = 10;

#[derive(Clone, Debug)]
pub(super) struct Rows {
    bytes: Paged<u8>,
    /// The heads of calls.
    calls: HashTable<u32>,
    /// Rows that are not compared one by one, each with the head of its call: those of calls that have many, and of none.
    known: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
    /// The last row that is about no call.
    last_remark: u32,
}

impl Default for Rows {
    fn default() -> Self {
        Self {
            bytes: Paged::default(),
            calls: HashTable::new(),
            known: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            last_remark: NONE,
        }
    }
}

impl Rows {
    /// The memory that they keep; of the hash tables near enough to bound it.
    pub(super) fn held(&self) -> usize {
        self.bytes.held() + self.calls.len() * PLACE + self.known.len() * 2 * PLACE
    }

    /// What it takes at most to add a row of so many bytes, and the head of its call.
    pub(super) fn cost(&self, row: usize) -> usize {
        self.bytes.cost(MOST + BEFORE + row) + 2 * PLACE
    }

    pub(super) fn head(&self, place: u32) -> Option<Head<'_>> {
        Head::read(self.bytes.starting_at(place))
    }

    /// The head of a call.
    pub(super) fn find(&self, ident: &[u8]) -> Option<u32> {
        let is_it = |place: &u32| self.head(*place).is_some_and(|head| head.rest.starts_with(ident));
        self.calls.find(self.hasher.hash_one(ident), is_it).copied()
    }

    /// Whether a row of the call with this head, or of none, was told already.
    pub(super) fn is_known(&self, head: Option<u32>, row: &[u8]) -> bool {
        match head.and_then(|place| self.head(place)) {
            Some(of_call) if of_call.count <= FEW => self.before(of_call.last).any(|known| known == row),
            _ => {
                let head = head.unwrap_or(NONE);
                let is_it = |known: &(u32, u32)| known.0 == head && bytes_at(&self.bytes, known.1) == row;
                self.known.find(self.hasher.hash_one((head, row)), is_it).is_some()
            }
        }
    }

    /// Adds the first row of a call, and its head before that. `last` is the last call of its turn. Nothing where places are
    /// used up.
    pub(super) fn add_call(&mut self, last: &mut u32, ident: &[u8], base: &[u8], row: &[u8]) -> Option<u32> {
        let place = self.bytes.prepare(MOST + BEFORE + row.len())?;
        let head = write_head(if *last == NONE { 0 } else { place - *last }, ident, base);
        self.bytes.extend(head.bytes());
        self.add_behind(place + head.bytes().len() as u32, NONE, row);
        note_row(self.bytes.starting_at_mut(place), place + head.bytes().len() as u32, 1);
        *last = place;
        let (bytes, hasher) = (&self.bytes, &self.hasher);
        let hash_of = |place: &u32| {
            hasher.hash_one(Head::read(bytes.starting_at(*place)).map(|head| head.ident()).unwrap_or_default())
        };
        self.calls.insert_unique(self.hasher.hash_one(ident), place, hash_of);
        Some(place)
    }

    /// Adds a row of the call with this head.
    pub(super) fn add(&mut self, head: u32, row: &[u8]) -> Option<()> {
        let place = self.bytes.prepare(MOST + BEFORE + row.len())?;
        let (last, count) = self.head(head).map(|head| (head.last, head.count))?;
        self.add_behind(place, last, row);
        let count = count.saturating_add(1);
        note_row(self.bytes.starting_at_mut(head), place, count);
        if count == FEW + 1 {
            let mut all = [place; FEW as usize + 1];
            for (one, (place, _)) in all.iter_mut().zip(self.placed_before(place)) {
                *one = place;
            }
            all.into_iter().for_each(|place| self.note_known(head, place));
        } else if count > FEW {
            self.note_known(head, place);
        }
        Some(())
    }

    /// Adds a row that is about no call.
    pub(super) fn add_remark(&mut self, row: &[u8]) -> Option<()> {
        let place = self.bytes.prepare(MOST + BEFORE + row.len())?;
        self.add_behind(place, self.last_remark, row);
        self.last_remark = place;
        self.note_known(NONE, place);
        Some(())
    }

    fn add_behind(&mut self, place: u32, last: u32, row: &[u8]) {
        let mut before = Writer::<BEFORE>::default();
        before.number(u64::from(if last == NONE { 0 } else { place - last }));
        before.number(row.len() as u64);
        self.bytes.extend(before.bytes());
        self.bytes.extend(row);
    }

    fn note_known(&mut self, head: u32, place: u32) {
        let (bytes, hasher) = (&self.bytes, &self.hasher);
        let hash_of = |(head, place): &(u32, u32)| hasher.hash_one((*head, bytes_at(bytes, *place)));
        let known = (head, place);
        self.known.insert_unique(hash_of(&known), known, hash_of);
    }

    /// Calls from a place backwards.
    pub(super) fn calls(&self, last: u32) -> impl Iterator<Item = Head<'_>> {
        let mut next = last;
        std::iter::from_fn(move || {
            let head = self.head(Some(next).filter(|next| *next != NONE)?)?;
            next = if head.before == 0 { NONE } else { next.wrapping_sub(head.before) };
            Some(head)
        })
    }

    /// The rows of a call, latest first.
    pub(super) fn of_call(&self, call: &CallRows) -> impl Iterator<Item = &[u8]> {
        self.before(call.last)
    }

    /// The rows that are about no call.
    pub(super) fn remarks(&self) -> impl Iterator<Item = &[u8]> {
        self.before(self.last_remark)
    }

    /// The rows from a place backwards.
    fn before(&self, last: u32) -> impl Iterator<Item = &[u8]> {
        self.placed_before(last).map(|(_, row)| row)
    }

    fn placed_before(&self, last: u32) -> impl Iterator<Item = (u32, &[u8])> {
        let mut next = last;
        std::iter::from_fn(move || {
            let place = Some(next).filter(|next| *next != NONE)?;
            let (before, row) = row_at(&self.bytes, place);
            next = if before == 0 { NONE } else { place.wrapping_sub(before) };
            Some((place, row))
        })
    }
}

/// How far before it the row before it stands, or 0, and its bytes.
fn row_at(rows: &Paged<u8>, place: u32) -> (u32, &[u8]) {
    let mut row = RowReader { rest: rows.starting_at(place) };
    let before = row.index();
    let length = row.count();
    (before, row.rest.get(..length).unwrap_or_default())
}

fn bytes_at(rows: &Paged<u8>, place: u32) -> &[u8] {
    row_at(rows, place).1
}
