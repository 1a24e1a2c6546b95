//! Memory for what was said in calls: it comes from calls whose texts are gone.

use std::cell::RefCell;

use crate::intake::{Handful, Spares};

thread_local! {
    static AT_HAND: Handful<String> = const { RefCell::new(Vec::new()) };
}

/// Two megabytes at the most, and less than three hundred kilobytes for each thread.
static SPARE: Spares<String> = Spares::new(&AT_HAND, 16, 256);

/// Of a longer one the memory is not kept.
const KEPT_BYTES: usize = 8 << 10;

/// An empty text with room for so many bytes, or for some more.
pub(super) fn take(bytes: usize) -> String {
    let spare = SPARE.take().filter(|spare| spare.capacity() >= bytes);
    spare.unwrap_or_else(|| String::with_capacity(bytes.max(256)))
}

/// Keeps the memory of an empty text, in which nothing is left.
pub(super) fn give(text: String) {
    debug_assert!(text.is_empty());
    if (1..=KEPT_BYTES).contains(&text.capacity()) {
        SPARE.give(text);
    }
}
