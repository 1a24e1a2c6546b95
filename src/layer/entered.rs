//! The GenAI spans that this thread is in.

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;

use super::bridge::{self, Attached};
use super::place::Place;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
    static ENTERED: RefCell<Vec<Entered>> = RefCell::new(first_use());
}

/// One entering of one span, as one layer saw it.
struct Entered {
    layer: usize,
    span: u64,
    /// Never dropped by the end of its thread, when OpenTelemetry's own state may already be gone.
    attached: ManuallyDrop<Option<Attached>>,
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

/// This thread enters a span. Without a place the span is no call of ours, and the context stays as it is.
pub(super) fn enter(layer: usize, span: u64, place: Option<&Place>) {
    // At the end of a thread there is nothing left to do it with.
    if ENTERED.try_with(|_| ()).is_err() {
        return;
    }
    // Not under the borrow: attaching and dropping a context may run the host's code, which may log.
    let attached = ManuallyDrop::new(place.map(bridge::attach));
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(Entered { layer, span, attached }));
    let _ = DEPTH.try_with(|depth| depth.set(depth.get() + 1));
}

/// This thread leaves a span, be it the one it entered last or not.
pub(super) fn exit(layer: usize, span: u64) {
    let left = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let place = entered.iter().rposition(|one| one.layer == layer && one.span == span)?;
        Some(entered.remove(place))
    });
    if let Ok(Some(left)) = left {
        let _ = DEPTH.try_with(|depth| depth.set(depth.get().saturating_sub(1)));
        drop(ManuallyDrop::into_inner(left.attached));
    }
}
