//! What runs around a line of the host's, on its thread: the calls that it is inside of, whichever way in tells of them.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::{Desk, Identity};
use crate::event::{Scope, SpanId, SpanIds, TraceId};

thread_local! {
    static AROUND: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    static ENTERINGS: Cell<u64> = const { Cell::new(0) };
}

/// Where a call stands, as those inside of it need to know.
#[derive(Clone)]
pub(crate) struct Around {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) is_remote: bool,
    scope: Belongs,
    way: Way,
}

/// Where the calls inside of it belong.
#[derive(Clone)]
enum Belongs {
    To(Arc<Scope>),
    /// To what the call's own span says.
    ToItself,
    /// Nobody knows: it is another process' span.
    Unknown,
}

/// The way in that tells of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Recorder,
    Layer,
}

struct Entry {
    desk: usize,
    entering: u64,
    around: Around,
}

/// One entering, by which it is left. Entering and leaving need not be nested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entering(u64);

impl Around {
    /// A call of a span, in a scope; without one in what its own span says.
    pub(crate) fn span(ids: &SpanIds, scope: Option<&Arc<Scope>>) -> Self {
        let scope = scope.map_or(Belongs::ToItself, |scope| Belongs::To(Arc::clone(scope)));
        Self { trace: ids.trace, span: ids.span, is_remote: false, scope, way: Way::Layer }
    }

    /// A call that a caller has put around what it runs.
    pub(crate) fn call(scope: &Arc<Scope>, trace: TraceId, span: SpanId, is_remote: bool) -> Self {
        Self { trace, span, is_remote, scope: Belongs::To(Arc::clone(scope)), way: Way::Recorder }
    }

    /// A span of another process of which nothing more is known.
    pub(crate) const fn foreign(trace: TraceId, span: SpanId) -> Self {
        Self { trace, span, is_remote: true, scope: Belongs::Unknown, way: Way::Recorder }
    }

    /// Where calls inside of it belong, where that is known.
    pub(crate) fn scope(&self) -> Option<&Arc<Scope>> {
        match &self.scope {
            Belongs::To(scope) => Some(scope),
            Belongs::ToItself | Belongs::Unknown => None,
        }
    }

    /// Works out where calls inside of it belong.
    fn settle(&mut self) {
        if let Belongs::ToItself = self.scope {
            let ids = SpanIds { trace: self.trace, span: self.span, parent: None, parent_is_remote: false };
            self.scope = Belongs::To(Identity::default().scope(None, ids));
        }
    }

    /// From now on this thread is inside of it. Nothing while the thread ends.
    pub(crate) fn enter(self, desk: &Arc<Desk>) -> Option<Entering> {
        let entering = ENTERINGS.try_with(|enterings| enterings.replace(enterings.get() + 1)).ok()?;
        let entry = Entry { desk: Arc::as_ptr(desk).addr(), entering, around: self };
        let is_in = AROUND.try_with(|all| all.try_borrow_mut().map(|mut all| all.push(entry)).is_ok());
        is_in.unwrap_or(false).then_some(Entering(entering))
    }
}

impl Entering {
    /// From now on it is outside of it again.
    pub(crate) fn leave(self) {
        let left = AROUND.try_with(|all| {
            let mut all = all.try_borrow_mut().ok()?;
            // Mostly it is the innermost one.
            if let Some(last) = all.pop_if(|last| last.entering == self.0) {
                return Some(last);
            }
            let place = all.iter().rposition(|entry| entry.entering == self.0)?;
            Some(all.remove(place))
        });
        // Dropped only now: its own end must not find the list borrowed.
        drop(left);
    }
}

/// The innermost call around this line of what hands in at this desk, if it is one of these ways in.
pub(crate) fn innermost(desk: &Arc<Desk>, ways: &[Way]) -> Option<Around> {
    let desk = Arc::as_ptr(desk).addr();
    let found = AROUND.try_with(|all| {
        let mut all = all.try_borrow_mut().ok()?;
        let entry = all.iter_mut().rfind(|entry| entry.desk == desk)?;
        if !ways.contains(&entry.around.way) {
            return None;
        }
        entry.around.settle();
        Some(entry.around.clone())
    });
    found.ok().flatten()
}
