//! Memory that goes round between the threads that record and the one that reads.
//!
//! What one thread allocates and another frees has to find its way back through the allocator, and that costs more than all
//! else that is done with it. Here it goes back in handfuls, through a list behind a lock that nobody waits for.

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, TryLockError};
use std::thread::LocalKey;

/// What one thread has at hand: boxes and texts, of which only the address is passed on.
pub(crate) type Handful<T> = RefCell<Vec<T>>;

/// Memory that was used and is used again.
pub(crate) struct Spares<T: 'static> {
    at_hand: &'static LocalKey<Handful<T>>,
    shared: Mutex<Vec<T>>,
    handful: usize,
    most: usize,
}

impl<T> Spares<T> {
    /// None yet. So many as a `handful` go to the shared list, or come from there, at once, and a thread never has more than
    /// twice as many at hand; the list never has more than `most`.
    pub(crate) const fn new(at_hand: &'static LocalKey<Handful<T>>, handful: usize, most: usize) -> Self {
        Self { at_hand, shared: Mutex::new(Vec::new()), handful, most }
    }

    /// One that was given back, if there is one. What it holds is whatever it was given back with.
    pub(crate) fn take(&self) -> Option<T> {
        let taken = self.at_hand.try_with(|at_hand| {
            let mut at_hand = at_hand.try_borrow_mut().ok()?;
            if at_hand.is_empty()
                && let Some(mut shared) = self.look()
            {
                let left = shared.len().saturating_sub(self.handful);
                at_hand.extend(shared.drain(left..));
            }
            at_hand.pop()
        });
        taken.ok().flatten()
    }

    /// Gives one back.
    pub(crate) fn give(&self, spare: T) {
        let _ = self.at_hand.try_with(|at_hand| {
            let Ok(mut at_hand) = at_hand.try_borrow_mut() else { return };
            at_hand.push(spare);
            if at_hand.len() < 2 * self.handful {
                return;
            }
            // Where the list is taken right now, or full, they go back to the allocator.
            let given = at_hand.drain(self.handful..);
            if let Some(mut shared) = self.look() {
                let room = self.most.saturating_sub(shared.len());
                shared.extend(given.take(room));
            }
        });
    }

    fn look(&self) -> Option<MutexGuard<'_, Vec<T>>> {
        match self.shared.try_lock() {
            Ok(shared) => Some(shared),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    thread_local! {
        static HERE: Handful<u32> = const { RefCell::new(Vec::new()) };
    }

    #[test]
    fn what_one_thread_gives_back_another_takes_and_no_more_is_kept_than_may_be() {
        static SPARES: Spares<u32> = Spares::new(&HERE, 16, 40);
        let given = std::thread::spawn(|| (0..200).for_each(|number| SPARES.give(number)));
        given.join().unwrap();
        let taken = std::thread::spawn(|| std::iter::from_fn(|| SPARES.take()).count()).join().unwrap();
        assert_eq!(taken, 40);
        assert!(SPARES.take().is_none());
    }
}
