//! The queue of raw events, bounded in bytes of content and in calls.
//!
//! A caller never waits for another, nor for the pipeline: there are several places to put an event, each behind a lock of
//! its own, and whoever finds one taken goes on to the next. The order of events is that of their `seq`, which is restored
//! when they are taken out: only those are handed on whose `seq` was given before the taking began, so that no call closes
//! before it opens. An event is put in before the next of its call is numbered, whoever makes them.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use super::birth::Birth;
use super::weight::{content_bytes, drop_content, label_bytes, shorten_labels};
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
/// This much waiting wakes a dozing pipeline early.
const WAKE_EVENTS: usize = 512;
const WAKE_BYTES: usize = 1 << 20;
/// More than threads that would have to be stopped in the middle of a push for another one to have to wait.
const PLACES: usize = 8;

/// Each time so much more waits it is asked whether there is still somebody to take it.
const LOOK_EVERY: usize = 256;

const AWAKE: u8 = 0;
const DOZING: u8 = 1;
const ASLEEP: u8 = 2;

/// What is handed in, and the bytes that it counts for until it is veiled.
pub(super) struct Item {
    pub(super) told: Told,
    pub(super) bytes: usize,
}

/// What is told: one event of a call, or a call that has ended.
pub(super) enum Told {
    Event(Box<Event<Raw>>),
    Whole(Box<dyn Whole>),
}

impl Item {
    fn seq(&self) -> u64 {
        self.told.at().seq.unwrap_or(0)
    }
}

impl Told {
    /// When it was told last.
    pub(super) fn at(&self) -> At {
        match self {
            Self::Event(event) => event.at,
            Self::Whole(whole) => whole.closed_at(),
        }
    }

    /// The bytes of its content, and of all else.
    fn bytes(&self) -> (usize, usize) {
        match self {
            Self::Event(event) => (content_bytes(&event.kind), label_bytes(event)),
            Self::Whole(whole) => whole.bytes(),
        }
    }

    /// Keeps of it what has to be kept where there is no room.
    fn shrink(&mut self) {
        match self {
            Self::Event(event) => {
                drop_content(event.key, &mut event.kind);
                shorten_labels(&mut event.kind);
            }
            Self::Whole(whole) => whole.drop_content(),
        }
    }
}

/// All that stands before it is to be finished by the deadline; then the answer goes out.
pub(super) struct Flush {
    pub(super) deadline: Instant,
    /// For the last time, and when that was said.
    pub(super) last: Option<At>,
    /// The sink is drained by whoever asked.
    pub(super) is_alone: bool,
    pub(super) answer: SyncSender<bool>,
}

#[derive(Default)]
struct Place {
    items: Vec<Item>,
    /// Calls whose opening was taken.
    opened: u64,
    closed: bool,
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
    seq: AtomicU64,
    places: [Mutex<Place>; PLACES],
    flushes: Mutex<Flushes>,
    /// Events that were put in and not handed on yet.
    waiting: AtomicUsize,
    has_flushes: AtomicBool,
    open_calls: AtomicUsize,
    /// What waits here or is in the pipeline's hands: content, labels, the events themselves.
    content_bytes: AtomicUsize,
    rest: AtomicU8,
    pipeline: OnceLock<Thread>,
    birth: Birth,
}

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
            seq: AtomicU64::new(0),
            places: Default::default(),
            flushes: Mutex::default(),
            waiting: AtomicUsize::new(0),
            has_flushes: AtomicBool::new(false),
            open_calls: AtomicUsize::new(0),
            content_bytes: AtomicUsize::new(0),
            rest: AtomicU8::new(AWAKE),
            pipeline: OnceLock::new(),
            birth: Birth::default(),
        }
    }

    /// The next number in this process' order of events.
    pub(super) fn next_seq(&self) -> u64 {
        self.seq.fetch_add(1, Ordering::SeqCst)
    }

    /// The number that comes next.
    pub(super) fn coming_seq(&self) -> u64 {
        self.seq.load(Ordering::SeqCst)
    }

    /// Takes the event that opens a call, unless there is no room for the call. Says whether its content was lost.
    pub(super) fn open(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        if self.open_calls.fetch_add(1, Ordering::Relaxed) >= self.bounds.open_calls {
            self.open_calls.fetch_sub(1, Ordering::Relaxed);
            return Err(Drop::IntakeFull);
        }
        let taken = self.add(Told::Event(event), Some(Drop::IntakeFull), true);
        if taken.is_err() {
            self.open_calls.fetch_sub(1, Ordering::Relaxed);
        }
        taken
    }

    /// Takes a mark of a call that was taken, unless there is no room. Says whether its content was lost.
    pub(super) fn mark(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        self.add(Told::Event(event), Some(Drop::MarkLost), false)
    }

    /// Takes the event that closes a call that was taken: its room is kept. Says whether its content was lost.
    pub(super) fn close(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        let taken = self.add(Told::Event(event), None, false);
        self.open_calls.fetch_sub(1, Ordering::Relaxed);
        taken
    }

    /// Takes a call that has ended, unless there is no room. Says whether its content was lost.
    pub(super) fn whole(&self, whole: Box<dyn Whole>) -> Result<bool, Drop> {
        self.add(Told::Whole(whole), Some(Drop::IntakeFull), true)
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
            self.places.iter().for_each(|place| unpoisoned(place.lock()).closed = true);
        }
        flushes.waiting.push(flush);
        self.has_flushes.store(true, Ordering::SeqCst);
        drop(flushes);
        self.wake();
        Ok(())
    }

    /// How many calls have been taken so far.
    pub(super) fn opened(&self) -> u64 {
        self.places.iter().map(|place| unpoisoned(place.lock()).opened).sum()
    }

    /// Events of so many bytes have been veiled.
    pub(super) fn release(&self, bytes: usize) {
        self.content_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Waits until there is something to take. Called by one thread.
    pub(super) fn wait(&self) {
        self.pipeline.get_or_init(thread::current);
        let mut dozes = 0;
        while !self.has_work() {
            let sleeps = dozes >= DOZES_BEFORE_SLEEP;
            self.rest.store(if sleeps { ASLEEP } else { DOZING }, Ordering::SeqCst);
            // Whoever puts something in from now on sees the rest; what was put in before is seen here.
            if self.has_work() {
                break;
            }
            if sleeps {
                thread::park()
            } else {
                thread::park_timeout(DOZE)
            }
            dozes += 1;
        }
        self.rest.store(AWAKE, Ordering::SeqCst);
    }

    fn has_work(&self) -> bool {
        self.waiting.load(Ordering::SeqCst) > 0 || self.has_flushes.load(Ordering::SeqCst)
    }

    /// Fills the batch, whose items and flushes must be empty. Called by one thread at a time.
    pub(super) fn fill(&self, batch: &mut Batch, with_flushes: bool) {
        if with_flushes && self.has_flushes.swap(false, Ordering::SeqCst) {
            batch.flushes.append(&mut unpoisoned(self.flushes.lock()).waiting);
        }
        let is_last = batch.flushes.iter().any(|flush| flush.last.is_some());
        let horizon = if is_last { u64::MAX } else { self.seq.load(Ordering::SeqCst) };
        batch.items.append(&mut batch.later);
        for place in &self.places {
            let mut place = unpoisoned(place.lock());
            if batch.items.is_empty() {
                // Nothing is copied where one thread alone records.
                std::mem::swap(&mut batch.items, &mut place.items);
            } else {
                batch.items.append(&mut place.items);
            }
        }
        // Mostly they are in order already.
        batch.items.sort_by_key(Item::seq);
        let now = batch.items.partition_point(|item| item.seq() < horizon);
        batch.later.extend(batch.items.drain(now..));
        self.waiting.fetch_sub(batch.items.len(), Ordering::SeqCst);
        if let Some(last) = batch.items.last() {
            self.birth.is_alive(last.told.at().time_unix_nano);
        }
    }

    /// `bounded` is the reason for which it is not taken where there is no room.
    fn add(&self, mut told: Told, bounded: Option<Drop>, opens: bool) -> Result<bool, Drop> {
        if self.birth.is_known_elsewhere() {
            return Err(Drop::Forked);
        }
        let now = told.at().time_unix_nano;
        let waiting = self.waiting.load(Ordering::Relaxed);
        if let Some(reason) = bounded.filter(|_| waiting >= self.bounds.events) {
            return Err(if self.is_closed() { Drop::ShutDown } else { reason });
        }
        let (content, labels) = told.bytes();
        let mut bytes = content + labels;
        let before = self.content_bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_over = before.saturating_add(bytes) > self.bounds.content_bytes;
        if is_over {
            // Taken out before a lock is held: wiping it takes time.
            told.shrink();
            self.release(bytes);
            bytes = told.bytes().1;
            self.content_bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        let lost = is_over && content > 0;
        let mut place = self.free_place();
        if place.closed {
            drop(place);
            self.release(bytes);
            return Err(Drop::ShutDown);
        }
        // Counted before it can be taken out: the count is never below what is there.
        let waiting = self.waiting.fetch_add(1, Ordering::SeqCst);
        place.items.push(Item { told, bytes });
        place.opened += u64::from(opens);
        drop(place);
        let wakes = match self.rest.load(Ordering::SeqCst) {
            AWAKE => false,
            DOZING => self.is_urgent || waiting + 1 >= WAKE_EVENTS || before >= WAKE_BYTES,
            _ => true,
        };
        // Nobody takes what waits where there is no pipeline any more.
        if waiting % LOOK_EVERY == LOOK_EVERY - 1 && self.birth.is_due(now) && self.birth.is_elsewhere() {
            return Err(Drop::Forked);
        }
        if wakes {
            self.wake();
        }
        Ok(lost)
    }

    fn is_closed(&self) -> bool {
        self.free_place().closed
    }

    /// A place that nobody is putting anything into, the same as the last time where it can be.
    fn free_place(&self) -> MutexGuard<'_, Place> {
        let first = first_place();
        loop {
            for place in self.places.iter().cycle().skip(first).take(PLACES) {
                match place.try_lock() {
                    Ok(place) => return place,
                    Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                    Err(TryLockError::WouldBlock) => {}
                }
            }
            std::hint::spin_loop();
        }
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

/// Threads begin at different places.
fn first_place() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static FIRST: Cell<usize> = const { Cell::new(usize::MAX) };
    }
    let place = FIRST.try_with(|first| {
        if first.get() == usize::MAX {
            first.set(NEXT.fetch_add(1, Ordering::Relaxed) % PLACES);
        }
        first.get()
    });
    place.unwrap_or(0)
}

fn unpoisoned<T>(locked: Result<T, PoisonError<T>>) -> T {
    locked.unwrap_or_else(PoisonError::into_inner)
}
