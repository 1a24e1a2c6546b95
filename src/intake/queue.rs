//! The queue of raw events, bounded in bytes of content and in calls.
//!
//! A caller never waits for another, nor for the pipeline: there are several places to put an event, each behind a lock of
//! its own, and whoever finds one taken goes on to the next. The order of events is that of their `seq`, which is restored
//! when they are taken out: only those are handed on whose `seq` was given before the taking began, so that no call closes
//! before it opens. An event is put in before the next of its call is numbered, whoever makes them.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::birth::Birth;
use super::places::Places;
use super::room::{Budget, Room};
use super::told::{Item, Told};
use super::{Drop, Whole};
use crate::event::{At, Event, Raw};

/// How much may wait between the callers and the pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of raw content, with labels and the events themselves; over it content is lost and its call is kept.
    pub content_bytes: usize,
    /// Events; over it new calls are not taken.
    pub events: usize,
    /// Calls that have opened and not closed; over it new calls are not taken.
    pub open_calls: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { content_bytes: 64 << 20, events: 1 << 16, open_calls: 1 << 18 }
    }
}

/// A dozing pipeline looks again by itself, so callers need not wake it for every event.
const DOZE: Duration = Duration::from_millis(20);
/// After so many looks that found nothing it sleeps until it is woken.
const DOZES_BEFORE_SLEEP: u32 = 50;
/// This much waiting wakes a dozing pipeline early. A wake costs the caller as much as ten calls do.
const WAKE_EVENTS: usize = 1024;
const WAKE_BYTES: usize = 1 << 20;
/// All that waits is counted each time that so many more wait in one place.
const COUNT_EVERY: usize = 32;
/// Each time so much more waits it is asked whether there is still somebody to take it.
const LOOK_EVERY: usize = 256;

const AWAKE: u8 = 0;
const DOZING: u8 = 1;
const ASLEEP: u8 = 2;

/// All that stands before it is to be finished by the deadline; then the answer goes out.
pub(super) struct Flush {
    pub(super) deadline: Instant,
    /// For the last time, and when that was said.
    pub(super) last: Option<At>,
    pub(super) asked: Asked,
}

/// Who waits for a flush.
pub(super) enum Asked {
    /// One that waits for the answer, and drains the sink itself where that `is_alone`.
    Pipeline { is_alone: bool, answer: SyncSender<bool> },
    /// One that waits for the sink, which knows it by this number.
    Sink(u64),
}

#[derive(Default)]
struct Flushes {
    waiting: Vec<Flush>,
    closed: bool,
}

pub(super) struct Queue {
    bounds: Bounds,
    /// Somebody waits for each event.
    is_urgent: bool,
    places: Places,
    /// What waits here or is in the pipeline's hands takes room: content, labels, the events themselves; so do open calls.
    budget: Apart<Budget>,
    seq: Apart<AtomicU64>,
    flushes: Mutex<Flushes>,
    /// Events that the pipeline has and whose turn comes later.
    later: AtomicUsize,
    has_flushes: AtomicBool,
    rest: AtomicU8,
    pipeline: OnceLock<Thread>,
    birth: Birth,
}

/// Apart from whatever another thread writes to.
#[repr(align(128))]
struct Apart<T>(T);

/// What the pipeline has in its hands.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) items: Vec<Item>,
    /// Events whose turn comes later.
    later: Vec<Item>,
    pub(super) flushes: Vec<Flush>,
}

impl Queue {
    pub(super) fn new(bounds: Bounds, is_urgent: bool) -> Self {
        Self {
            bounds,
            is_urgent,
            places: Places::default(),
            budget: Apart(Budget::new(&bounds)),
            seq: Apart(AtomicU64::new(0)),
            flushes: Mutex::default(),
            later: AtomicUsize::new(0),
            has_flushes: AtomicBool::new(false),
            rest: AtomicU8::new(AWAKE),
            pipeline: OnceLock::new(),
            birth: Birth::default(),
        }
    }

    /// The next number in this process' order of events.
    pub(super) fn next_seq(&self) -> u64 {
        self.seq.0.fetch_add(1, Ordering::SeqCst)
    }

    /// The number that comes next.
    pub(super) fn coming_seq(&self) -> u64 {
        self.seq.0.load(Ordering::SeqCst)
    }

    /// Takes the event that opens a call, unless there is no room for the call. Says whether its content was lost.
    pub(super) fn open(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        self.add(Told::Event(event), Part::Opens)
    }

    /// Takes a mark of a call that was taken, unless there is no room. Says whether its content was lost.
    pub(super) fn mark(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        self.add(Told::Event(event), Part::Tells)
    }

    /// Takes the event that closes a call that was taken: its room is kept. Says whether its content was lost.
    pub(super) fn close(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        self.add(Told::Event(event), Part::Closes)
    }

    /// Takes a call that has ended, unless there is no room. Says whether its content was lost.
    pub(super) fn whole(&self, whole: Box<dyn Whole>) -> Result<bool, Drop> {
        self.add(Told::Whole(whole), Part::IsAll)
    }

    /// Whether this is a process that was forked off the one that records.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.birth.is_elsewhere()
    }

    pub(super) fn flush(&self, flush: Flush) -> Result<(), Drop> {
        let mut flushes = unpoisoned(self.flushes.lock());
        if flushes.closed {
            return Err(Drop::ShutDown);
        }
        if flush.last.is_some() {
            flushes.closed = true;
            self.places.close();
        }
        flushes.waiting.push(flush);
        self.has_flushes.store(true, Ordering::SeqCst);
        drop(flushes);
        self.wake();
        Ok(())
    }

    /// How many calls have been taken so far.
    pub(super) fn opened(&self) -> u64 {
        self.places.opened()
    }

    /// How many of them were taken before they had ended.
    pub(super) fn started(&self) -> u64 {
        self.places.started()
    }

    /// How many were taken as a whole.
    pub(super) fn whole_ones(&self) -> u64 {
        self.places.whole()
    }

    /// Events of so many bytes have been veiled.
    pub(super) fn release(&self, bytes: usize) {
        self.budget.0.release(bytes);
    }

    /// Waits until there is something to take, and runs `looking` each time that it looks. Called by one thread.
    pub(super) fn wait(&self, looking: impl Fn()) {
        self.pipeline.get_or_init(thread::current);
        let mut dozes = 0;
        while !self.has_work() {
            let sleeps = dozes >= DOZES_BEFORE_SLEEP;
            self.rest.store(if sleeps { ASLEEP } else { DOZING }, Ordering::SeqCst);
            // Whoever puts something in from now on sees the rest, since the same lock is asked for here; what was put in
            // before is seen here.
            if self.has_work() {
                break;
            }
            if sleeps {
                thread::park()
            } else {
                thread::park_timeout(DOZE)
            }
            looking();
            dozes += 1;
        }
        self.rest.store(AWAKE, Ordering::SeqCst);
    }

    fn has_work(&self) -> bool {
        self.later.load(Ordering::Relaxed) > 0 || self.has_flushes.load(Ordering::SeqCst) || self.places.has_items()
    }

    /// Fills the batch, whose items and flushes must be empty. Called by one thread at a time.
    pub(super) fn fill(&self, batch: &mut Batch, with_flushes: bool) {
        if with_flushes && self.has_flushes.swap(false, Ordering::SeqCst) {
            batch.flushes.append(&mut unpoisoned(self.flushes.lock()).waiting);
        }
        let is_last = batch.flushes.iter().any(|flush| flush.last.is_some());
        let horizon = if is_last { u64::MAX } else { self.seq.0.load(Ordering::SeqCst) };
        batch.items.append(&mut batch.later);
        self.places.take(&mut batch.items);
        // Mostly they are in order already, and sorting asks for memory first.
        if !batch.items.is_sorted_by_key(|item| item.seq) {
            batch.items.sort_by_key(|item| item.seq);
        }
        let now = batch.items.partition_point(|item| item.seq < horizon);
        batch.later.extend(batch.items.drain(now..));
        self.later.store(batch.later.len(), Ordering::Relaxed);
        if let Some(last) = batch.items.last() {
            self.birth.is_alive(last.told.at().time_unix_nano);
        }
    }

    fn add(&self, mut told: Told, part: Part) -> Result<bool, Drop> {
        if self.is_elsewhere_by(&told) {
            return Err(Drop::Forked);
        }
        if let Some(reason) = part.bounded()
            && self.waiting() >= self.bounds.events
        {
            return Err(self.refused(&told, reason));
        }
        let seq = told.at().seq.unwrap_or_default();
        let (content, labels) = told.bytes();
        let mut needed = Room { bytes: content + labels, calls: usize::from(part == Part::Opens) };
        let (mut is_over, mut has_grown) = (false, false);
        let mut held = self.places.free();
        if !held.place.closed && !held.place.room.spend(needed) {
            // Made where no lock is held: wiping what there is no room for takes time.
            drop(held);
            let more;
            (more, is_over) = self.make_room(&mut told, &mut needed)?;
            has_grown = true;
            held = self.places.free();
            self.budget.0.put_into(&mut held.place.room, more);
        }
        if held.place.closed {
            drop(held);
            return Err(Drop::ShutDown);
        }
        let waiting_here = held.put(Item { told, bytes: needed.bytes, seq });
        match part {
            Part::Opens => {
                held.place.opened += 1;
                held.count_started();
            }
            Part::IsAll => {
                held.place.opened += 1;
                held.count_whole();
            }
            Part::Closes => self.budget.0.put_into(&mut held.place.room, Room { bytes: 0, calls: 1 }),
            Part::Tells => {}
        }
        drop(held);
        match self.rest.load(Ordering::SeqCst) {
            AWAKE => {}
            DOZING if !self.is_urgent && !waiting_here.is_multiple_of(COUNT_EVERY) && !has_grown => {}
            rest => self.wake_from(rest),
        }
        Ok(is_over && content > 0)
    }

    /// Wakes the pipeline where there is reason to.
    #[cold]
    fn wake_from(&self, rest: u8) {
        let is_much = || self.waiting() >= WAKE_EVENTS || self.budget.0.bytes() >= WAKE_BYTES;
        if rest == ASLEEP || self.is_urgent || is_much() {
            self.wake();
        }
    }

    /// Takes room out of what all share, and some for what comes. Where there is none for the content, that is dropped.
    #[cold]
    fn make_room(&self, told: &mut Told, needed: &mut Room) -> Result<(Room, bool), Drop> {
        let calls = self.budget.0.take_calls(needed.calls).ok_or_else(|| self.refused(told, Drop::IntakeFull))?;
        let bytes = self.budget.0.take_bytes(needed.bytes);
        if bytes.is_none() {
            told.shrink();
            needed.bytes = told.bytes().1;
            self.budget.0.overdraw(needed.bytes);
        }
        Ok((Room { bytes: bytes.unwrap_or(0), calls }, bytes.is_none()))
    }

    /// Why something is not taken for which there is no room.
    #[cold]
    fn refused(&self, told: &Told, reason: Drop) -> Drop {
        if self.birth.is_due(told.at().time_unix_nano) && self.birth.is_elsewhere() {
            return Drop::Forked;
        }
        if self.places.free().place.closed { Drop::ShutDown } else { reason }
    }

    /// How many events wait.
    fn waiting(&self) -> usize {
        self.places.waiting() + self.later.load(Ordering::Relaxed)
    }

    /// Whether it is known that nobody takes what waits here; once in a while that is found out.
    #[inline]
    fn is_elsewhere_by(&self, told: &Told) -> bool {
        let is_due = || self.birth.is_due(told.at().time_unix_nano);
        let is_time = self.places.waiting_here() % LOOK_EVERY == LOOK_EVERY - 1;
        self.birth.is_known_elsewhere() || is_time && is_due() && self.birth.is_elsewhere()
    }

    /// Wakes the pipeline, once for each rest.
    fn wake(&self) {
        if self.rest.swap(AWAKE, Ordering::SeqCst) != AWAKE
            && let Some(pipeline) = self.pipeline.get()
        {
            pipeline.unpark();
        }
    }
}

/// Which part of a call is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Opens,
    Tells,
    Closes,
    IsAll,
}

impl Part {
    /// The reason for which it is not taken where there is no room. A close always is.
    const fn bounded(self) -> Option<Drop> {
        match self {
            Self::Opens | Self::IsAll => Some(Drop::IntakeFull),
            Self::Tells => Some(Drop::MarkLost),
            Self::Closes => None,
        }
    }
}

fn unpoisoned<T>(locked: Result<T, PoisonError<T>>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}
