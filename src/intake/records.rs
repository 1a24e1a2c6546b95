//! Records in memory that is used again: an exporter needs one no longer than it takes to encode it, and it is too large for
//! what an allocator has at hand.

use std::cell::RefCell;
use std::sync::Arc;

use super::events::{LONGEST_SCOPE, NOWHERE};
use super::spares::{Handful, Spares};
use crate::event::{At, Attrs, CallRecord, Closed, Given, Key, Opened, Returned, Scope, Veiled};

thread_local! {
    static AT_HAND: Handful<Box<CallRecord<Veiled>>> = const { RefCell::new(Vec::new()) };
}

/// The thread that takes them gives them back, so that a few are enough.
static SPARES: Spares<Box<CallRecord<Veiled>>> = Spares::new(&AT_HAND, 4, 16);

/// The record of a call that has opened: its end is still to come.
pub(super) fn open(
    scope: Arc<Scope>,
    key: Key,
    at: At,
    opened: Opened<Veiled>,
    given: Given<Veiled>,
) -> Box<CallRecord<Veiled>> {
    let Some(mut record) = SPARES.take() else { return Box::new(CallRecord::open(scope, key, at, opened, given)) };
    // Of its end there is nothing, as of one that is new.
    if record.kind != key.kind {
        record.returned = Returned::empty(key.kind);
    }
    (record.kind, record.id, record.opened_at, record.closed_at) = (key.kind, key.id, at, at);
    (record.scope, record.opened, record.given) = (scope, opened, given);
    record
}

/// Forgets what a record tells, and keeps its memory for later.
pub(crate) fn give_record(mut record: Box<CallRecord<Veiled>>) {
    record.opened.attrs = Attrs::default();
    record.opened.links = Vec::new();
    record.given = Given::Texts(Vec::new());
    (record.marks, record.marks_dropped) = (Vec::new(), 0);
    record.closed = Closed::default();
    record.returned = Returned::empty(record.kind);
    // A long one must not be kept alive.
    if record.scope.held_bytes() > LONGEST_SCOPE {
        record.scope = Arc::clone(&NOWHERE);
    }
    SPARES.give(record);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        CallKind, KeyIdentity, Link, Mark, MarkKind, Measure, Noted, Outcome, SpanId, SpanIds, TraceId,
    };
    use crate::semconv::{ERROR_KIND, REQUEST_MODEL};

    #[test]
    fn nothing_of_one_call_is_left_in_the_record_of_the_next() {
        let at = |number| At { time_unix_nano: number, producer: None, seq: Some(number) };
        let key = |kind| Key { kind, id: KeyIdentity::None, occurrence: 0 };
        let span = SpanIds { trace: TraceId::random(), span: SpanId::random(), parent: None, parent_is_remote: false };
        let opened = |text: &str| {
            let mut attrs = Attrs::default();
            attrs.set(REQUEST_MODEL, text.into());
            let links = vec![Link { trace: span.trace, span: span.span, kind: None }];
            Opened { span, attrs, links, policy: Some(text.into()) }
        };
        let told = || vec![Measure { length: Some(4), ..Measure::default() }];
        for kind in [CallKind::Retrieval, CallKind::Inference, CallKind::Tool, CallKind::Tool] {
            let scope = Arc::clone(&NOWHERE);
            let mut record = open(Arc::clone(&scope), key(kind), at(1), opened("one"), Given::Texts(told()));
            let mark = Mark { kind: MarkKind::Importance, attrs: Attrs::default(), noted: Noted::Nothing };
            let folded = (0..200).filter(|_| record.mark(at(2), mark.clone())).count();
            assert!(folded < 200);
            let mut attrs = Attrs::default();
            attrs.set(ERROR_KIND, "said".into());
            let error = Measure { length: Some(4), ..Measure::default() };
            let closed = Closed { outcome: Some(Outcome::Failed), attrs, error, links: opened("one").links };
            record.close(at(3), closed, Returned::Texts(told()));
            give_record(record);
            for next in [kind, CallKind::Tool, CallKind::Inference] {
                let record = open(Arc::clone(&scope), key(next), at(4), opened("two"), Given::empty(next));
                let new = CallRecord::open(Arc::clone(&scope), key(next), at(4), opened("two"), Given::empty(next));
                assert!(*record == new, "{next:?} after {kind:?}");
                give_record(record);
            }
        }
    }
}
