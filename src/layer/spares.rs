//! Memory of calls that have been handed in, for those that come.

use std::cell::RefCell;

use super::open::Open;
use crate::intake::{Handful, Spares};

thread_local! {
    static AT_HAND: Handful<Open> = const { RefCell::new(Vec::new()) };
}

/// With what a page keeps of its memory, less than three megabytes at the most, and three hundred kilobytes for each thread.
static SPARE: Spares<Open> = Spares::new(&AT_HAND, 16, 256);

/// An empty one. The pipeline's thread has wiped it: its memory is asked for here, all at once, since values are put in with an
/// exchange of the registry's between them, and each of these waits for what was written before.
pub(super) fn take() -> Box<Open> {
    let mut open = SPARE.take().unwrap_or_default();
    open.page.own.warm();
    open
}

/// Wipes one, and keeps it for later.
pub(super) fn give(mut open: Box<Open>) {
    open.call = None;
    open.page.clear();
    SPARE.give(open);
}
