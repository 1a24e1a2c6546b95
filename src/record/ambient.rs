//! What runs around a call: the recorder and the call that a new one is part of, carried by explicit helpers along a
//! thread, from one thread to another, and with a future wherever it is polled.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use super::place::{Origin, Place};
use super::recorder::Recorder;
use crate::event::Key;
use crate::intake::{Around, Desk, Entering, Way, innermost};

thread_local! {
    static AROUND: RefCell<Vec<Context>> = const { RefCell::new(Vec::new()) };
}

/// What runs around a call. Taken from where it is known ([`Context::current`], [`Recorder::context`],
/// [`Call::context`](super::Call::context)) to where it is not: another thread, a spawned task.
#[derive(Clone, Default)]
pub struct Context {
    origin: Option<Origin>,
    /// The call that it is the inside of, where that is recorded.
    pub(super) call: Option<Key>,
    /// Of a tool call, as long as it runs.
    pub(super) tool: Weak<ToolId>,
}

/// By what an MCP client may know a tool call.
pub(super) struct ToolId {
    pub(super) name: String,
    pub(super) call_id: Option<String>,
}

impl Context {
    pub(super) const fn of_recorder(origin: Option<Origin>) -> Self {
        Self { origin, call: None, tool: Weak::new() }
    }

    pub(super) const fn of_call(origin: Option<Origin>, call: Option<Key>, tool: Weak<ToolId>) -> Self {
        Self { origin, call, tool }
    }

    pub(super) const fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    /// What runs around this line; outside of everything, nothing.
    pub fn current() -> Self {
        look(|around| around.last().cloned()).flatten().unwrap_or_default()
    }

    /// The recorder; a disabled one where there is none.
    pub fn recorder(&self) -> Recorder {
        self.origin.as_ref().map_or_else(Recorder::disabled, |origin| Recorder::at(&origin.desk))
    }

    /// Runs a closure inside of it. What was around before is around again afterwards, a panic included.
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let _entered = Entered::new(self.clone());
        run()
    }

    /// A future that runs inside of it, wherever it is polled.
    pub fn instrument<F: Future>(&self, future: F) -> Instrumented<F> {
        Instrumented { future, context: self.clone() }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

impl Recorder {
    /// The recorder that runs around this line; outside of everything, a disabled one.
    pub fn current() -> Self {
        Context::current().recorder()
    }

    /// What runs around a call of this recorder, if it is made here.
    pub fn context(&self) -> Context {
        Context::of_recorder(self.origin())
    }

    /// Runs a closure that finds this recorder by [`Recorder::current`].
    pub fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        self.context().in_scope(run)
    }

    /// A future that finds this recorder by [`Recorder::current`], wherever it is polled.
    pub fn instrument<F: Future>(&self, future: F) -> Instrumented<F> {
        self.context().instrument(future)
    }
}

/// What is innermost around this line of the same recorder, a span of its layer included: two recorders in one process stay
/// apart.
pub(super) fn around(desk: &Arc<Desk>) -> Option<Origin> {
    let around = innermost(desk, &[Way::Recorder, Way::Layer])?;
    let Around { trace, span, is_remote, .. } = around;
    let place = |scope: &Arc<_>| Place { scope: Arc::clone(scope), trace, span, is_remote };
    let parent = around.scope().map(place);
    let remote = parent.is_none().then_some((trace, span));
    Some(Origin { desk: Arc::clone(desk), parent, remote })
}

impl Origin {
    /// Puts the call around what this thread does.
    fn enter(&self) -> Option<Entering> {
        let around = match (&self.parent, self.remote) {
            (Some(Place { scope, trace, span, is_remote }), _) => Around::call(scope, *trace, *span, *is_remote),
            (None, Some((trace, span))) => Around::foreign(trace, span),
            (None, None) => return None,
        };
        around.enter(&self.desk)
    }
}

/// Nothing while the thread ends, and where a clone would be made inside of another.
fn look<T>(read: impl FnOnce(&[Context]) -> T) -> Option<T> {
    AROUND.try_with(|around| around.try_borrow().ok().map(|around| read(&around))).ok().flatten()
}

/// Leaves when dropped.
struct Entered {
    has_entered: bool,
    call: Option<Entering>,
}

impl Entered {
    fn new(context: Context) -> Self {
        let call = context.origin().and_then(Origin::enter);
        let enter =
            |around: &RefCell<Vec<Context>>| around.try_borrow_mut().map(|mut around| around.push(context)).is_ok();
        Self { has_entered: AROUND.try_with(enter).unwrap_or(false), call }
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        if let Some(call) = self.call {
            call.leave();
        }
        if self.has_entered {
            // The context is dropped after it was given back: its own end must not find the list borrowed.
            let left = AROUND.try_with(|around| around.try_borrow_mut().ok().and_then(|mut around| around.pop()));
            drop(left);
        }
    }
}

pin_project! {
    /// A future that runs inside of a [`Context`].
    pub struct Instrumented<F> {
        #[pin]
        future: F,
        context: Context,
    }
}

impl<F: Future> Future for Instrumented<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let _entered = Entered::new(this.context.clone());
        this.future.poll(task)
    }
}

impl<F> fmt::Debug for Instrumented<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instrumented").finish_non_exhaustive()
    }
}
