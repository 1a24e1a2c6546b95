//! Memory that has held long requests, for those that come next: what is new from the system has to be cleared by it first,
//! page by page, which costs more than reading a request does.

use std::sync::{Mutex, PoisonError};

use bytes::{Bytes, BytesMut};

/// Allocators are quick with less.
const LEAST: usize = 64 << 10;
/// So much is kept at the most while nobody uses it.
const MOST: usize = 16 << 20;

/// Buffers that nobody uses. They are empty, and what they held is overwritten.
#[derive(Debug, Default)]
pub(super) struct Spares(Mutex<Free>);

#[derive(Debug, Default)]
struct Free {
    buffers: Vec<BytesMut>,
    bytes: usize,
    /// As few there have been since this was looked at last: so many are needed by nobody.
    fewest: usize,
}

impl Free {
    /// Lets go of shorter ones for one of so many bytes, which serves where they did.
    fn make_room(&mut self, bytes: usize) {
        while self.bytes.saturating_add(bytes) > MOST {
            let shortest =
                self.buffers.iter().map(BytesMut::capacity).enumerate().min_by_key(|(_, capacity)| *capacity);
            let Some((place, capacity)) = shortest.filter(|(_, capacity)| *capacity < bytes) else { return };
            self.buffers.swap_remove(place);
            self.bytes = self.bytes.saturating_sub(capacity);
            self.fewest = self.fewest.min(self.buffers.len());
        }
    }
}

impl Spares {
    /// A buffer that holds so many bytes, and not many times as much.
    pub(super) fn take(&self, bytes: usize) -> Option<BytesMut> {
        if bytes < LEAST {
            return None;
        }
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |buffer: &mut BytesMut| buffer.try_reclaim(bytes) && buffer.capacity() / 8 <= bytes;
        let place = free.buffers.iter_mut().position(fits)?;
        let buffer = free.buffers.swap_remove(place);
        free.bytes = free.bytes.saturating_sub(buffer.capacity());
        free.fewest = free.fewest.min(free.buffers.len());
        Some(buffer)
    }

    /// Takes what has been answered, where nobody else holds it any more.
    pub(super) fn give(&self, held: Bytes) {
        if held.len() < LEAST {
            return;
        }
        let Ok(mut buffer) = held.try_into_mut() else { return };
        buffer.fill(0);
        zeroize::optimization_barrier(&*buffer);
        buffer.clear();
        let _ = buffer.try_reclaim(buffer.capacity() + 1);
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        free.make_room(buffer.capacity());
        if free.bytes.saturating_add(buffer.capacity()) <= MOST {
            free.bytes += buffer.capacity();
            free.buffers.push(buffer);
        }
    }

    /// Lets go of what nobody has needed since this was called last.
    pub(super) fn tend(&self) {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = free.buffers.len().saturating_sub(free.fewest);
        free.buffers.truncate(kept);
        free.bytes = free.buffers.iter().map(BytesMut::capacity).sum();
        free.fewest = kept;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(spares: &Spares) -> (usize, usize) {
        let free = spares.0.lock().unwrap();
        (free.buffers.len(), free.bytes)
    }

    /// As it comes from a connection: the head of its frame was split off.
    fn held(bytes: usize) -> Bytes {
        let mut framed = BytesMut::with_capacity(bytes + 5);
        framed.resize(bytes + 5, b'x');
        framed.freeze().split_off(5)
    }

    #[test]
    fn what_was_held_comes_back_empty_overwritten_and_as_large_as_it_was() {
        let spares = Spares::default();
        spares.give(held(1 << 20));
        for _ in 0..100 {
            let mut buffer = spares.take(1 << 20).expect("as large as before");
            assert!(buffer.is_empty() && spares.take(1 << 20).is_none());
            buffer.resize(1 << 20, 0);
            assert!(buffer.iter().all(|byte| *byte == 0));
            buffer.fill(b'y');
            spares.give(buffer.freeze());
        }
    }

    #[test]
    fn what_somebody_else_holds_what_is_short_and_what_is_too_much_is_not_kept() {
        let spares = Spares::default();
        let shared = held(1 << 20);
        spares.give(shared.clone());
        spares.give(held(1000));
        assert_eq!(counts(&spares), (0, 0));
        assert!(shared.iter().all(|byte| *byte == b'x'), "who holds it still has it");
        (0..100).for_each(|_| spares.give(held(1 << 20)));
        let (_, bytes) = counts(&spares);
        assert!((MOST / 2..=MOST).contains(&bytes), "{bytes}");
        assert!(spares.take(100 << 10).is_none(), "a short one takes no long one's room");
    }

    #[test]
    fn longer_ones_take_the_place_of_shorter_ones_and_never_the_other_way() {
        let spares = Spares::default();
        (0..8).for_each(|_| spares.give(held(2 << 20)));
        assert_eq!(counts(&spares).0, 7, "with its frame each is a little longer");
        (0..5).for_each(|_| spares.give(held(3 << 20)));
        let taken: Vec<_> = std::iter::from_fn(|| spares.take(3 << 20)).collect();
        assert_eq!(taken.len(), 5);
        taken.into_iter().for_each(|mut buffer| {
            buffer.resize(3 << 20, 0);
            spares.give(buffer.freeze());
        });
        (0..8).for_each(|_| spares.give(held(2 << 20)));
        assert_eq!(std::iter::from_fn(|| spares.take(3 << 20)).count(), 5);
        let (_, bytes) = counts(&spares);
        assert!(bytes <= MOST, "{bytes}");
    }

    #[test]
    fn what_nobody_needs_goes() {
        let spares = Spares::default();
        (0..4).for_each(|_| spares.give(held(1 << 20)));
        spares.tend();
        for _ in 0..3 {
            // Two at a time are used.
            let pair = [(); 2].map(|()| spares.take(1 << 20).unwrap());
            for mut buffer in pair {
                buffer.resize(1 << 20, 1);
                spares.give(buffer.freeze());
            }
            spares.tend();
            assert_eq!(counts(&spares).0, 2);
        }
        spares.tend();
        assert_eq!(counts(&spares), (0, 0));
    }
}
