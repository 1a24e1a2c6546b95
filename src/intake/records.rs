//! Records in memory that is used again: an exporter needs one no longer than it takes to encode it, and it is too large for
//! what an allocator has at hand.

use std::cell::RefCell;
use std::sync::Arc;

use super::events::{LONGEST_SCOPE, NOWHERE};
use super::spares::{Handful, Spares};
use crate::event::{Attrs, CallRecord, Closed, Given, Returned, Veiled};

thread_local! {
    static AT_HAND: Handful<CallRecord<Veiled>> = const { RefCell::new(Vec::new()) };
}

/// The thread that takes them gives them back, so that a few are enough.
static SPARES: Spares<CallRecord<Veiled>> = Spares::new(&AT_HAND, 4, 16);

/// This record, where it stays.
pub(super) fn kept(record: CallRecord<Veiled>) -> Box<CallRecord<Veiled>> {
    match SPARES.take() {
        Some(mut kept) => {
            *kept = record;
            kept
        }
        None => Box::new(record),
    }
}

/// Forgets what a record tells, and keeps its memory for later.
pub(crate) fn give_record(mut record: Box<CallRecord<Veiled>>) {
    record.opened.attrs = Attrs::default();
    record.opened.links = Vec::new();
    record.given = Given::Texts(Vec::new());
    record.marks = Vec::new();
    record.closed = Closed::default();
    record.returned = Returned::Texts(Vec::new());
    // A long one must not be kept alive.
    if record.scope.held_bytes() > LONGEST_SCOPE {
        record.scope = Arc::clone(&NOWHERE);
    }
    SPARES.give(record);
}
