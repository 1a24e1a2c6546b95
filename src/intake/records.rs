//! Records in memory that is used again: an exporter needs one no longer than it takes to encode it, and it is too large for
//! what an allocator has at hand.

use std::cell::RefCell;
use std::sync::Arc;

use super::events::{LONGEST_SCOPE, NOWHERE};
use super::spares::{Handful, Spares};
use crate::event::{At, Attrs, CallRecord, Given, Key, Measure, Opened, Returned, Scope, Veiled};

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
    given: Option<Box<Given<Veiled>>>,
) -> Box<CallRecord<Veiled>> {
    let Some(mut record) = SPARES.take() else {
        let given = given.map_or_else(|| Given::empty(key.kind), |given| *given);
        return Box::new(CallRecord::open(scope, key, at, opened, given));
    };
    // Nothing is told in it, as in one that is new.
    if record.kind != key.kind {
        (record.given, record.returned) = (Given::empty(key.kind), Returned::empty(key.kind));
    }
    if let Some(given) = given {
        record.given = *given;
    }
    (record.kind, record.id, record.opened_at, record.closed_at) = (key.kind, key.id, at, at);
    (record.scope, record.opened) = (scope, opened);
    record
}

/// Forgets what a record tells, and keeps its memory for later.
pub(crate) fn give_record(mut record: Box<CallRecord<Veiled>>) {
    let CallRecord { kind, opened, given, marks, marks_dropped, closed, returned, .. } = &mut *record;
    (opened.attrs, opened.links) = (Attrs::default(), Vec::new());
    (*marks, *marks_dropped) = (Vec::new(), 0);
    closed.attrs.clear();
    (closed.outcome, closed.error, closed.links) = (None, Measure::default(), Vec::new());
    // Mostly there is nothing: to look costs less than to put nothing in its place.
    if !given.tells_nothing() {
        *given = Given::empty(*kind);
    }
    if !returned.tells_nothing() {
        *returned = Returned::empty(*kind);
    }
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
        CallKind, Closed, KeyIdentity, Link, Mark, MarkKind, Measure, Noted, Outcome, SpanId, SpanIds, TraceId,
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
            let mut record =
                open(Arc::clone(&scope), key(kind), at(1), opened("one"), Some(Box::new(Given::Texts(told()))));
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
                let record = open(Arc::clone(&scope), key(next), at(4), opened("two"), None);
                let new = CallRecord::open(Arc::clone(&scope), key(next), at(4), opened("two"), Given::empty(next));
                assert!(*record == new, "{next:?} after {kind:?}");
                give_record(record);
            }
        }
    }
}
