//! The forms in which a call is sent when it cannot be sent as it was recorded.

use crate::event::{
    At, Attrs, CallRecord, Given, KeyIdentity, Mark, Marked, Noted, OpenRecord, Opened, Outcome, Returned, Veiled,
};
use crate::semconv::{Class, END_INFERRED};

/// The record that tells of a call of which only its opening is known. When it ended is not known yet: it says that it
/// ended when it began.
pub(super) fn abandoned(open: &OpenRecord) -> CallRecord<Veiled> {
    let opened = Opened { attrs: labels(&open.opened.attrs), ..open.opened.clone() };
    let mut record = CallRecord::open(open.scope.clone(), open.key, open.at, opened, Given::empty(open.key.kind));
    record.closed_at = At { seq: None, ..open.at };
    record.closed.outcome = Some(Outcome::Abandoned);
    record.closed.attrs.set(END_INFERRED, true);
    record
}

/// The same call without its content, and whether there was any.
pub(super) fn without_content(record: &CallRecord<Veiled>) -> (CallRecord<Veiled>, bool) {
    let bare = |marked: &Marked<Veiled>| {
        let mark = Mark { kind: marked.mark.kind, attrs: labels(&marked.mark.attrs), noted: Noted::Nothing };
        Marked { at: marked.at, mark }
    };
    let mut closed = record.closed.clone();
    closed.attrs = labels(&closed.attrs);
    closed.error = Default::default();
    let bare = CallRecord {
        scope: record.scope.clone(),
        opened: Opened { attrs: labels(&record.opened.attrs), ..record.opened.clone() },
        given: Given::empty(record.kind),
        marks: record.marks.iter().map(bare).collect(),
        closed,
        returned: Returned::empty(record.kind),
        ..*record
    };
    let had_content = bare != *record;
    (bare, had_content)
}

/// What tells one call of a process from all others.
pub(super) fn id(identity: KeyIdentity) -> u128 {
    match identity {
        KeyIdentity::Call(id) => id.as_u128(),
        KeyIdentity::Span(trace, span) => {
            u128::from_be_bytes(*trace.as_bytes()) ^ u128::from(u64::from_be_bytes(*span.as_bytes()))
        }
        KeyIdentity::None => 0,
    }
}

fn labels(attrs: &Attrs) -> Attrs {
    let mut labels = Attrs::with_capacity(attrs.len());
    for (id, value) in attrs.iter().filter(|(id, _)| is_label(id.name().class)) {
        labels.insert(id, value.clone());
    }
    labels
}

const fn is_label(class: Class) -> bool {
    !class.is_content() && !matches!(class, Class::Digest)
}
