//! Memory of calls that have been handed in, for those that come.

use std::cell::RefCell;

use super::open::Open;
use crate::intake::{Handful, Spares};

thread_local! {
    static AT_HAND: Handful<Box<Open>> = const { RefCell::new(Vec::new()) };
}

/// With what a page keeps of its memory, half a megabyte at the most, and less than a hundred kilobytes for each thread.
static SPARE: Spares<Box<Open>> = Spares::new(&AT_HAND, 16, 256);

/// An empty one.
pub(super) fn take() -> Box<Open> {
    SPARE.take().unwrap_or_default()
}

/// Wipes one, and keeps it for later.
pub(super) fn give(mut open: Box<Open>) {
    open.call = None;
    open.page.clear();
    SPARE.give(open);
}
