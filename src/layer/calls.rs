//! The GenAI spans that are open, by their ids, and their calls.
//!
//! Beside the registry's own data, where a look costs more than what is done with what was found: there a span is counted in
//! use, its data locked, and an entry found by its type. Here it is one place that its id leads to, behind a lock that only
//! those ask for who tell something of the same span at the same time. That a span is none of these, which is asked of each
//! that any layer sees, takes one look at that place.
//!
//! That lock is taken by one exchange and given back by a store, where a mutex needs an exchange for that too, to learn
//! whether it has to wake somebody. Here nobody is woken: the lock is held for as long as it takes to copy the values of one
//! `record`, or once in some hundred of them to read what was told before, and whoever finds it taken looks again, at last with
//! a rest between two looks.

use std::hint::spin_loop;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use try_lock::{Locked, TryLock};

use super::open::{Call, Open};
use super::page::Page;

/// The spans of one layer in one registry.
#[derive(Default)]
pub(super) struct Calls {
    /// Each is made when there is no place for a span in those before.
    rooms: [OnceLock<Box<[Place]>>; ROOMS.len()],
    /// There may be spans of ours that have no place here.
    lacks_some: AtomicBool,
}

/// What is known of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known<T> {
    /// It is somebody else's.
    Foreign,
    /// It is ours, and nothing is recorded of it; or nothing can be told of it right now.
    Bare,
    /// It is ours, and this was said of its call.
    Call(T),
    /// It is somebody else's, or it is ours and has no place here.
    Unknown,
}

/// How many places there are in each room. All together they are more than the calls that may be open.
const ROOMS: [usize; 4] = [1 << 10, 1 << 13, 1 << 16, 1 << 19];

/// So many places next to each other a span may have.
const NEIGHBOURS: usize = 8;

/// Apart from the places of spans that other threads tell of.
#[derive(Default)]
#[repr(align(64))]
struct Place {
    /// Zero where it is free.
    span: AtomicU64,
    /// How many spans stand elsewhere because this first place of theirs was taken.
    elsewhere: AtomicU32,
    call: TryLock<Option<Box<Open>>>,
}

/// After so many looks at a lock that is taken, whoever holds it may need the processor.
const LOOKS: u32 = 64;
/// After so many times in which it was left to others, only a rest leaves it to one of a lower priority.
const YIELDS: u32 = 16;
const REST: Duration = Duration::from_micros(50);
/// After so many rests, a second and more, nobody holds it any longer: whoever did is in the process that this one was forked
/// from.
const RESTS: u32 = 20_000;

impl Calls {
    /// Puts a span in, with its call if it is recorded; gives that back where there is no room.
    pub(super) fn put(&self, span: u64, call: Option<Box<Open>>) -> Result<(), Option<Box<Open>>> {
        for (number, places) in ROOMS.into_iter().enumerate() {
            let Some(room) = self.rooms.get(number) else { break };
            let room = room.get_or_init(|| (0..places).map(|_| Place::default()).collect());
            if let Some((nth, mut place)) =
                neighbours(room, span).enumerate().find_map(|(nth, place)| Some((nth, place.take_up(span)?)))
            {
                if (number, nth) != (0, 0) {
                    self.first(span).inspect(|first| _ = first.elsewhere.fetch_add(1, Ordering::Release));
                }
                *place = call;
                return Ok(());
            }
        }
        self.may_not_have_all();
        Err(call)
    }

    /// From now on a span that has no place here may be ours all the same.
    pub(super) fn may_not_have_all(&self) {
        self.lacks_some.store(true, Ordering::Relaxed);
    }

    /// Runs `look` on the call of a span, if there is one. The host's code must not be run in it.
    pub(super) fn with<T>(&self, span: u64, look: impl FnOnce(&mut Call, &mut Page) -> T) -> Option<T> {
        match self.look(span, look) {
            Known::Call(told) => Some(told),
            Known::Foreign | Known::Bare | Known::Unknown => None,
        }
    }

    /// The same, and tells what is known of one without a call.
    pub(super) fn look<T>(&self, span: u64, look: impl FnOnce(&mut Call, &mut Page) -> T) -> Known<T> {
        let Some(place) = self.place(span) else {
            return if self.lacks_some.load(Ordering::Relaxed) { Known::Unknown } else { Known::Foreign };
        };
        let Some(mut open) = place.open() else { return Known::Bare };
        // An event may tell of a span that another thread closes right now; its place may be another span's by then.
        let open = open.as_deref_mut().filter(|_| place.is_of(span));
        let Some(Open { call: Some(call), page }) = open else { return Known::Bare };
        Known::Call(look(call, page))
    }

    /// Takes a span out; gives its call, if it is recorded.
    pub(super) fn take(&self, span: u64) -> Option<Box<Open>> {
        let place = self.place(span)?;
        let call = place.open()?.take();
        place.span.store(0, Ordering::Release);
        if let Some(first) = self.first(span).filter(|first| !std::ptr::eq(*first, place)) {
            first.elsewhere.fetch_sub(1, Ordering::Release);
        }
        call
    }

    /// Takes all calls out. Nobody else looks at one: what is locked is so by a thread of the process before a `fork`.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Box<Open>> {
        let rooms = self.rooms.iter_mut().filter_map(OnceLock::get_mut);
        rooms.flatten().filter_map(|place| place.call.try_lock()?.take())
    }

    /// The place that a span's id leads to.
    #[inline]
    fn first(&self, span: u64) -> Option<&Place> {
        let [first, ..] = &self.rooms;
        let room = first.get()?;
        room.get(own_place(room, span))
    }

    #[inline]
    fn place(&self, span: u64) -> Option<&Place> {
        let first = self.first(span)?;
        if first.is_of(span) {
            return Some(first);
        }
        // Almost always it is somebody else's.
        if first.elsewhere.load(Ordering::Acquire) == 0 { None } else { self.search(span) }
    }

    #[cold]
    fn search(&self, span: u64) -> Option<&Place> {
        let rooms = self.rooms.iter().map_while(OnceLock::get);
        rooms.flat_map(|room| neighbours(room, span)).find(|place| place.is_of(span))
    }
}

impl Place {
    fn is_of(&self, span: u64) -> bool {
        self.span.load(Ordering::Acquire) == span
    }

    /// Gives the place to a span, where it is free.
    fn take_up(&self, span: u64) -> Option<Locked<'_, Option<Box<Open>>>> {
        if self.span.load(Ordering::Relaxed) != 0 {
            return None;
        }
        let call = self.call.try_lock()?;
        // It is given away under its lock alone.
        let is_free = self.span.load(Ordering::Relaxed) == 0;
        is_free.then(|| {
            self.span.store(span, Ordering::Release);
            call
        })
    }

    #[inline]
    fn open(&self) -> Option<Locked<'_, Option<Box<Open>>>> {
        self.call.try_lock().or_else(|| self.wait())
    }

    #[cold]
    fn wait(&self) -> Option<Locked<'_, Option<Box<Open>>>> {
        let look = || {
            spin_loop();
            self.call.try_lock()
        };
        let looks = || (0..LOOKS).find_map(|_| look());
        let mut yields = (0..YIELDS).map(|_| thread::yield_now());
        let mut rests = (0..RESTS).map(|_| thread::sleep(REST));
        looks().or_else(|| yields.find_map(|()| looks())).or_else(|| rests.find_map(|()| look()))
    }
}

/// The first of the places that a span may have. In an id of tracing-subscriber's registry the lower bits say where the span's
/// data stands, which no other open span's does, and the highest how often that place was used: without these a thread that
/// opens one span after another comes back to the same place, which is in its cache. The multiplication spreads them. The
/// length of a room is a power of two.
const fn own_place(room: &[Place], span: u64) -> usize {
    const WHERE: u64 = (1 << 51) - 1;
    ((span & WHERE).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & (room.len() - 1)
}

fn neighbours(room: &[Place], span: u64) -> impl Iterator<Item = &Place> {
    let (before, after) = room.split_at_checked(own_place(room, span)).unwrap_or((room, &[]));
    after.iter().chain(before).take(NEIGHBOURS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_spans_than_a_room_holds_are_each_found_until_they_are_taken_out() {
        let mut calls = Calls::default();
        assert!((1..=20_000).all(|span| calls.put(span, Some(Box::default())).is_ok()));
        assert!((1..=20_000).all(|span| calls.place(span).is_some()));
        assert!((1..=10_000).all(|span| calls.take(span).is_some()));
        assert!((1..=10_000).all(|span| calls.place(span).is_none() && calls.take(span).is_none()));
        assert_eq!(calls.drain().count(), 10_000);
        assert_eq!(calls.drain().count(), 0);
    }

    /// As after a `fork` in the middle of a `record` of another thread.
    #[test]
    fn nobody_waits_for_ever_for_who_never_lets_go() {
        let mut calls = Calls::default();
        assert!(calls.put(7, Some(Box::default())).is_ok() && calls.put(8, Some(Box::default())).is_ok());
        let held = calls.place(7).and_then(Place::open);
        std::mem::forget(held);
        assert!(calls.with(7, |_, _| {}).is_none());
        assert_eq!(calls.drain().count(), 1);
    }

    #[test]
    fn what_has_no_room_is_given_back() {
        let calls = Calls::default();
        // The same id again and again leads to the same few places.
        let taken = (0..100).take_while(|_| calls.put(7, Some(Box::default())).is_ok()).count();
        assert_eq!(taken, NEIGHBOURS * ROOMS.len());
    }
}
