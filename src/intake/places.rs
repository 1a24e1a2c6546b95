//! The places where callers put events: several, each behind a lock of its own, so that nobody waits for another.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use try_lock::{Locked, TryLock};

use super::room::Room;
use super::told::Item;

/// More than threads that would have to be stopped in the middle of a push for another one to have to wait.
const PLACES: usize = 8;

#[derive(Default)]
pub(super) struct Places([Stand; PLACES]);

/// A place, apart from whatever another thread writes to.
///
/// Its lock is one that can only be tried: a caller goes on to the next place anyway, and gives it back with a store where
/// one that somebody may sleep for is given back with an exchange.
#[derive(Default)]
#[repr(align(128))]
struct Stand {
    place: TryLock<Place>,
    tally: Tally,
}

/// What is told of a place to those who do not hold it. Written by whoever does, so that nothing has to be added up by
/// several at once.
#[derive(Default)]
struct Tally {
    /// How many items are there.
    waiting: AtomicUsize,
    /// Calls of which the opening was taken by itself.
    started: AtomicU64,
    /// Calls that were taken as a whole.
    whole: AtomicU64,
}

#[derive(Default)]
pub(super) struct Place {
    items: Vec<Item>,
    /// What the callers who come here may take up.
    pub(super) room: Room,
    /// Calls whose opening was taken.
    pub(super) opened: u64,
    pub(super) closed: bool,
}

/// A place that a caller holds.
pub(super) struct Held<'a> {
    pub(super) place: Locked<'a, Place>,
    tally: &'a Tally,
}

impl Held<'_> {
    /// Puts an item in, and tells how many are there now.
    #[inline]
    pub(super) fn put(&mut self, item: Item) -> usize {
        self.place.items.push(item);
        let waiting = self.place.items.len();
        self.tally.waiting.store(waiting, Ordering::Relaxed);
        waiting
    }

    /// Counts a call of which the opening was taken by itself.
    pub(super) fn count_started(&self) {
        count(&self.tally.started);
    }

    /// Counts a call that was taken as a whole.
    pub(super) fn count_whole(&self) {
        count(&self.tally.whole);
    }
}

/// By the one who holds the place.
fn count(tally: &AtomicU64) {
    tally.store(tally.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

impl Places {
    /// How many items wait.
    #[inline]
    pub(super) fn waiting(&self) -> usize {
        self.0.iter().map(|stand| stand.tally.waiting.load(Ordering::Relaxed)).sum()
    }

    /// Calls of which the opening was taken by itself. Asks for no lock: after a `fork` one may be held for ever.
    pub(super) fn started(&self) -> u64 {
        self.0.iter().map(|stand| stand.tally.started.load(Ordering::Relaxed)).sum()
    }

    /// Calls that were taken as a whole. The same.
    pub(super) fn whole(&self) -> u64 {
        self.0.iter().map(|stand| stand.tally.whole.load(Ordering::Relaxed)).sum()
    }

    /// How many wait where this thread puts its own.
    pub(super) fn waiting_here(&self) -> usize {
        self.0.get(first_place()).map_or(0, |stand| stand.tally.waiting.load(Ordering::Relaxed))
    }

    /// Whether anything waits. Whoever puts something in that is not seen here will see what this thread wrote before.
    pub(super) fn has_items(&self) -> bool {
        self.0.iter().any(|stand| !stand.hold().place.items.is_empty())
    }

    /// Adds all that waits to `items`. Of what is put in meanwhile, all that this thread knows to have been numbered before.
    pub(super) fn take(&self, items: &mut Vec<Item>) {
        for stand in self.0.iter().filter(|stand| stand.tally.waiting.load(Ordering::Relaxed) > 0) {
            let mut held = stand.hold();
            if items.is_empty() {
                // Nothing is copied where one thread alone records.
                std::mem::swap(items, &mut held.place.items);
            } else {
                items.append(&mut held.place.items);
            }
            stand.tally.waiting.store(0, Ordering::Relaxed);
        }
    }

    /// From now on nothing is to be put in.
    pub(super) fn close(&self) {
        self.0.iter().for_each(|stand| stand.hold().place.closed = true);
    }

    /// Calls whose opening was taken.
    pub(super) fn opened(&self) -> u64 {
        self.0.iter().map(|stand| stand.hold().place.opened).sum()
    }

    /// A place that nobody is putting anything into, the same as the last time where it can be.
    pub(super) fn free(&self) -> Held<'_> {
        let first = first_place();
        let own = self.0.get(first).and_then(Stand::try_hold);
        own.unwrap_or_else(|| self.other(first))
    }

    #[cold]
    fn other(&self, first: usize) -> Held<'_> {
        loop {
            if let Some(held) = self.0.iter().cycle().skip(first).take(PLACES).find_map(Stand::try_hold) {
                return held;
            }
            std::hint::spin_loop();
        }
    }
}

impl Stand {
    /// For one who has time. A caller holds a place for as long as it takes to put one item in, unless it is stopped there.
    fn hold(&self) -> Held<'_> {
        const YIELDS: u32 = 16;
        const REST: Duration = Duration::from_micros(50);
        let mut tries = 0;
        loop {
            if let Some(held) = self.try_hold() {
                return held;
            }
            // One of a higher priority would else not let go on who holds it.
            if tries < YIELDS {
                thread::yield_now()
            } else {
                thread::sleep(REST)
            }
            tries += 1;
        }
    }

    #[inline]
    fn try_hold(&self) -> Option<Held<'_>> {
        self.place.try_lock().map(|place| Held { place, tally: &self.tally })
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
