//! Memory of calls that have been handed in, for those that come.
//!
//! A call is made on one thread and read on another: given back to the allocator, each piece of it would have to find its
//! way between the two, which costs more than all that is copied into it.

use std::sync::{Mutex, MutexGuard, TryLockError};

use super::open::Open;

/// No more wait here: with what a page keeps of its memory, four megabytes at the most.
const MOST: usize = 256;

// Each stands where it was made: what is passed on is its address.
#[allow(clippy::vec_box)]
static SPARE: Mutex<Vec<Box<Open>>> = Mutex::new(Vec::new());

/// An empty one. Nobody waits for another thread: where one is here, or nothing is, it is a new one.
pub(super) fn take() -> Box<Open> {
    look().and_then(|mut spare| spare.pop()).unwrap_or_default()
}

/// Wipes one, and keeps it for later.
pub(super) fn give(mut open: Box<Open>) {
    open.call = None;
    open.page.clear();
    if let Some(mut spare) = look()
        && spare.len() < MOST
    {
        spare.push(open);
    }
}

// See above.
#[allow(clippy::vec_box)]
fn look() -> Option<MutexGuard<'static, Vec<Box<Open>>>> {
    match SPARE.try_lock() {
        Ok(spare) => Some(spare),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}
