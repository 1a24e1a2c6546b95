//! What is asked of a sink, whose panics end nothing but the answer.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use super::Sink;

/// A sink that panics has not drained.
pub(super) fn drained(sink: &dyn Sink, deadline: Instant, last: bool) -> bool {
    guarded(|| if last { sink.shutdown(deadline) } else { sink.flush(deadline) }).unwrap_or(false)
}

/// All that somebody waits for has been handed to the sink.
pub(super) fn begun(sink: &dyn Sink, number: u64) {
    guarded(|| sink.relay().map(|relay| relay.begin(number)));
}

pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
