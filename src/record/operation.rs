//! Operations: attempts of one thing, numbered.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::event::{CallId, SpanId, TraceId};
use crate::intake::Desk;

/// What several attempts are attempts of: `veilspan.operation.id` is the same on all, `veilspan.attempt` counts from 1, and
/// each is linked to the one before (`retry`). A pause between two attempts is part of neither.
///
/// Costs one lock for each attempt. See [`Builder::attempt_of`](super::Builder::attempt_of).
#[derive(Default)]
pub struct Operation(Mutex<Option<Last>>);

struct Last {
    operation: CallId,
    number: u32,
    trace: TraceId,
    span: SpanId,
}

/// One of them.
pub(super) struct Attempt {
    pub(super) operation: CallId,
    pub(super) number: u32,
    pub(super) previous: Option<(TraceId, SpanId)>,
}

impl Operation {
    /// An operation that nothing has been tried of yet. It has an id from its first attempt on.
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The next attempt, whose span this is.
    pub(super) fn next(&self, desk: &Desk, trace: TraceId, span: SpanId) -> Attempt {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (operation, number, previous) = match &*last {
            Some(last) => (last.operation, last.number.saturating_add(1), Some((last.trace, last.span))),
            None => (desk.call_id(desk.now()), 1, None),
        };
        *last = Some(Last { operation, number, trace, span });
        Attempt { operation, number, previous }
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation").finish_non_exhaustive()
    }
}
