//! The room in a queue: of what all callers share, each place has a portion at hand, so that a caller takes from what nobody
//! else writes to. No more is ever given out than there is; up to a hundredth of it may wait where it is not wanted.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::Bounds;

/// Bytes, and calls that are open.
#[derive(Clone, Copy, Default)]
pub(super) struct Room {
    pub(super) bytes: usize,
    pub(super) calls: usize,
}

impl Room {
    /// Takes so much out, unless there is less.
    pub(super) const fn spend(&mut self, needed: Self) -> bool {
        let is_enough = self.bytes >= needed.bytes && self.calls >= needed.calls;
        if is_enough {
            self.bytes -= needed.bytes;
            self.calls -= needed.calls;
        }
        is_enough
    }
}

/// What has been given out of all the room there is.
pub(super) struct Budget {
    most: Room,
    /// What a place gets at once.
    portion: Room,
    bytes: AtomicUsize,
    calls: AtomicUsize,
}

impl Budget {
    pub(super) const fn new(bounds: &Bounds) -> Self {
        const PORTIONS: usize = 1 << 12;
        let most = Room { bytes: bounds.content_bytes, calls: bounds.open_calls };
        let portion = Room { bytes: most.bytes / PORTIONS, calls: most.calls / PORTIONS };
        Self { most, portion, bytes: AtomicUsize::new(0), calls: AtomicUsize::new(0) }
    }

    /// Takes room for so many calls, and tells for how many more it was taken. Nothing: there is none.
    pub(super) fn take_calls(&self, calls: usize) -> Option<usize> {
        take(&self.calls, self.most.calls, calls, self.portion.calls)
    }

    /// The same for bytes.
    pub(super) fn take_bytes(&self, bytes: usize) -> Option<usize> {
        take(&self.bytes, self.most.bytes, bytes, self.portion.bytes)
    }

    /// Takes room for bytes that cannot be refused.
    pub(super) fn overdraw(&self, bytes: usize) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// So many bytes wait no more.
    pub(super) fn release(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The bytes that were given out.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Puts more into a place's room, and takes back what is too much to wait there.
    pub(super) fn put_into(&self, room: &mut Room, more: Room) {
        room.bytes += more.bytes;
        room.calls += more.calls;
        give_back(&self.bytes, &mut room.bytes, self.portion.bytes);
        give_back(&self.calls, &mut room.calls, self.portion.calls);
    }
}

fn take(given: &AtomicUsize, most: usize, wanted: usize, portion: usize) -> Option<usize> {
    [portion, 0].into_iter().find(|more| {
        let all = wanted.saturating_add(*more);
        let before = given.fetch_add(all, Ordering::Relaxed);
        let is_there = before.saturating_add(all) <= most;
        if !is_there {
            given.fetch_sub(all, Ordering::Relaxed);
        }
        is_there
    })
}

fn give_back(given: &AtomicUsize, room: &mut usize, portion: usize) {
    if *room > 2 * portion {
        given.fetch_sub(*room - portion, Ordering::Relaxed);
        *room = portion;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whoever takes and gives back in whatever order: no more is out than there is, and at the end nothing is missing.
        #[test]
        fn no_more_is_given_out_than_there_is(
            most in 0usize..20_000,
            steps in prop::collection::vec((0usize..4, 0usize..300, any::<bool>()), 0..400),
        ) {
            let budget = Budget::new(&Bounds { content_bytes: most, events: 0, open_calls: most });
            let mut places = [Room::default(); 4];
            let mut taken: Vec<(usize, usize)> = Vec::new();
            for (place, size, takes) in steps {
                if takes {
                    let needed = Room { bytes: size, calls: 0 };
                    if !places[place].spend(needed) {
                        let Some(more) = budget.take_bytes(size) else { continue };
                        budget.put_into(&mut places[place], Room { bytes: more, calls: 0 });
                    }
                    taken.push((place, size));
                } else if let Some((place, size)) = taken.pop() {
                    budget.put_into(&mut places[place], Room { bytes: size, calls: 0 });
                }
                let out: usize = taken.iter().map(|(_, size)| size).sum();
                let at_hand: usize = places.iter().map(|room| room.bytes).sum();
                prop_assert!(out + at_hand == budget.bytes() && out + at_hand <= most);
                prop_assert!(places.iter().all(|room| room.bytes <= 2 * (most >> 12)));
            }
        }
    }
}
