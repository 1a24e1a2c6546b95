//! The GenAI spans that this thread is in.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use super::bridge::{self, Attached};
use super::place::Place;
use crate::event::SpanId;
use crate::intake::Entering;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static ENTERED: RefCell<Vec<Entered>> = RefCell::new(first_use());
}

/// One entering of one span, as one layer saw it.
struct Entered {
    layer: u64,
    span: u64,
    seen: Option<Seen>,
    /// By what the calls inside know of it.
    entering: Option<Entering>,
    /// Never dropped by the end of its thread, when OpenTelemetry's own state may already be gone.
    attached: ManuallyDrop<Option<Attached>>,
}

/// What was seen of OpenTelemetry's context when a span was entered.
struct Seen {
    ours: SpanId,
    below: Option<SpanId>,
}

/// Who was current with a span that was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    /// Nobody looked.
    Unknown,
    Nobody,
    /// A span of somebody else.
    Span(SpanId),
}

/// OpenTelemetry's state of this thread must be there before ours, so that it is gone after ours.
fn first_use() -> Vec<Entered> {
    let _ = bridge::current();
    Vec::new()
}

/// Whether this thread is inside of a GenAI span.
pub(super) fn is_inside() -> bool {
    DEPTH.try_with(Cell::get).is_ok_and(|depth| depth > 0)
}

/// This thread enters a span. Without a place the span is no call of ours that anybody will see, and the context stays as it
/// is.
pub(super) fn enter(layer: u64, span: u64, entering: Option<Entering>, place: Option<&Place>, is_watched: bool) {
    // At the end of a thread there is nothing left to do it with.
    if ENTERED.try_with(|_| ()).is_err() {
        return;
    }
    let watched = place.filter(|_| is_watched);
    let seen = watched.map(|place| Seen { ours: place.span, below: bridge::exported() });
    // Not under the borrow: attaching and dropping a context may run the host's code, which may log.
    let attached = ManuallyDrop::new(place.and_then(bridge::attach));
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(Entered { layer, span, seen, entering, attached }));
    let _ = DEPTH.try_with(|depth| depth.set(depth.get() + 1));
}

/// This thread leaves a span, be it the one it entered last or not. Answers whose span was made current with this one: by
/// a layer that is asked before ours, so that it was below and is gone by now; or by one that is asked after ours, so that
/// it still is above.
pub(super) fn exit(layer: u64, span: u64) -> Company {
    if !is_inside() {
        return Company::Unknown;
    }
    let left = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let is_it = |one: &Entered| one.layer == layer && one.span == span;
        if let Some(last) = entered.pop_if(|last| is_it(last)) {
            return Some((last, true));
        }
        let place = entered.iter().rposition(is_it)?;
        Some((entered.remove(place), false))
    });
    let Ok(Some((left, is_last))) = left else { return Company::Unknown };
    let _ = DEPTH.try_with(|depth| depth.set(depth.get().saturating_sub(1)));
    if let Some(entering) = left.entering {
        entering.leave();
    }
    let above = left.seen.as_ref().and_then(|seen| bridge::exported().filter(|above| *above != seen.ours));
    drop(ManuallyDrop::into_inner(left.attached));
    let Some(Seen { below, .. }) = left.seen else { return Company::Unknown };
    let below = below.filter(|below| bridge::exported() != Some(*below));
    above.filter(|_| is_last).or(below).map_or(Company::Nobody, Company::Span)
}
