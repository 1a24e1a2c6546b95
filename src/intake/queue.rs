//! The queue of raw events, bounded in bytes of content and in calls.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::Drop;
use crate::event::{Event, Given, Key, Kind, Message, Noted, Raw, RawText, Request, ResultContent, Returned};

/// How much may wait between the callers and the pipeline.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Bytes of raw content; over it content is lost and its call is kept.
    pub content_bytes: usize,
    /// Events; over it new calls are not taken.
    pub events: usize,
    /// Calls that have opened and not closed; over it new calls are not taken.
    pub open_calls: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { content_bytes: 64 << 20, events: 1 << 16, open_calls: 1 << 18 }
    }
}

/// A dozing pipeline looks again by itself, so callers need not wake it for every event.
const DOZE: Duration = Duration::from_millis(20);
/// After so many looks that found nothing it sleeps until it is woken.
const DOZES_BEFORE_SLEEP: u32 = 50;
/// This much waiting wakes a dozing pipeline early.
const WAKE_EVENTS: usize = 512;
const WAKE_BYTES: usize = 1 << 20;

pub(super) enum Item {
    /// An event, and the bytes of content that it counts for until it is veiled.
    Event(Box<Event<Raw>>, usize),
    Flush(Flush),
}

/// All that stands before it is to be finished by the deadline; then the answer goes out.
pub(super) struct Flush {
    pub(super) deadline: Instant,
    pub(super) last: bool,
    pub(super) answer: SyncSender<bool>,
}

#[derive(Default)]
struct State {
    items: Vec<Item>,
    open_calls: usize,
    /// Calls whose closing was taken.
    finished: u64,
    rest: Rest,
    closed: bool,
}

#[derive(Default, PartialEq, Eq)]
enum Rest {
    #[default]
    Awake,
    Dozing,
    Asleep,
}

pub(super) struct Queue {
    bounds: Bounds,
    state: Mutex<State>,
    /// Content that waits here or is in the pipeline's hands.
    content_bytes: AtomicUsize,
    wake: Condvar,
}

impl Queue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, state: Mutex::default(), content_bytes: AtomicUsize::new(0), wake: Condvar::new() }
    }

    /// Takes the event that opens a call, unless there is no room for the call. Says whether its content was lost.
    pub(super) fn open(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        self.add(event, |state, bounds| {
            if state.items.len() >= bounds.events || state.open_calls >= bounds.open_calls {
                return Err(Drop::IntakeFull);
            }
            state.open_calls += 1;
            Ok(())
        })
    }

    /// Takes the event that closes a call that was taken: its room is kept. Says whether its content was lost.
    pub(super) fn close(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        self.add(event, |state, _| {
            state.open_calls = state.open_calls.saturating_sub(1);
            state.finished += 1;
            Ok(())
        })
    }

    /// Takes a mark of a call that was taken, unless there is no room. Says whether its content was lost.
    pub(super) fn mark(&self, event: Box<Event<Raw>>) -> Result<bool, Drop> {
        self.add(event, |state, bounds| if state.items.len() >= bounds.events { Err(Drop::MarkLost) } else { Ok(()) })
    }

    pub(super) fn flush(&self, flush: Flush) -> Result<(), Drop> {
        let mut state = self.lock();
        if state.closed {
            return Err(Drop::ShutDown);
        }
        state.closed = flush.last;
        state.items.push(Item::Flush(flush));
        state.rest = Rest::Awake;
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// How many calls have been closed so far.
    pub(super) fn finished(&self) -> u64 {
        self.lock().finished
    }

    /// The content of one event has been veiled.
    pub(super) fn release(&self, bytes: usize) {
        if bytes > 0 {
            self.content_bytes.fetch_sub(bytes, Ordering::Relaxed);
        }
    }

    /// Moves all that waits into `items`, which must be empty; waits until there is something.
    pub(super) fn take(&self, items: &mut Vec<Item>) {
        let mut state = self.lock();
        let mut dozes = 0;
        while state.items.is_empty() {
            if dozes < DOZES_BEFORE_SLEEP {
                state.rest = Rest::Dozing;
                dozes += 1;
                let waited = self.wake.wait_timeout(state, DOZE);
                state = waited.map(|(state, _)| state).unwrap_or_else(|poisoned| poisoned.into_inner().0);
            } else {
                state.rest = Rest::Asleep;
                state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
        state.rest = Rest::Awake;
        std::mem::swap(&mut state.items, items);
    }

    fn add(
        &self,
        mut event: Box<Event<Raw>>,
        admit: impl FnOnce(&mut State, &Bounds) -> Result<(), Drop>,
    ) -> Result<bool, Drop> {
        let mut bytes = content_bytes(&event.kind);
        // Over the bound content is taken out before the lock is held: wiping it takes time.
        let before = if bytes > 0 { self.content_bytes.fetch_add(bytes, Ordering::Relaxed) } else { 0 };
        let lost = bytes > 0 && before.saturating_add(bytes) > self.bounds.content_bytes;
        if lost {
            drop_content(event.key, &mut event.kind);
            self.release(bytes);
            bytes = 0;
        }
        let mut state = self.lock();
        let admitted = if state.closed { Err(Drop::ShutDown) } else { admit(&mut state, &self.bounds) };
        if let Err(reason) = admitted {
            drop(state);
            self.release(bytes);
            return Err(reason);
        }
        state.items.push(Item::Event(event, bytes));
        let wake = match state.rest {
            Rest::Awake => false,
            Rest::Dozing => state.items.len() >= WAKE_EVENTS || before >= WAKE_BYTES,
            Rest::Asleep => true,
        };
        if wake {
            state.rest = Rest::Awake;
        }
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        Ok(lost)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn content_bytes(kind: &Kind<Raw>) -> usize {
    match kind {
        Kind::Opened(_, given) => match given {
            Given::Request(request) => request_bytes(request),
            Given::Arguments(arguments) => arguments.as_ref().map_or(0, RawText::held_bytes),
            Given::Texts(texts) => all_bytes(texts),
        },
        Kind::Marked(mark) => match &mark.noted {
            Noted::Nothing => 0,
            Noted::Decision { action, alternatives } => all_bytes(action) + all_bytes(alternatives),
            Noted::State(state) => all_bytes(state),
            Noted::Histories(histories) => request_bytes(&histories.replaced) + request_bytes(&histories.replacement),
        },
        Kind::Closed(closed, returned) => {
            let returned = match returned {
                Returned::Answer(answer) => answer.iter().map(Message::held_bytes).sum(),
                Returned::Result(result) => all_bytes(result),
                Returned::Texts(texts) => all_bytes(texts),
            };
            all_bytes(&closed.error) + returned
        }
        Kind::Learned(_) | Kind::Tick | Kind::Unknown { .. } => 0,
    }
}

fn request_bytes(request: &Option<Box<Request>>) -> usize {
    request.as_ref().map_or(0, |request| request.held_bytes())
}

fn all_bytes<'a>(texts: impl IntoIterator<Item = &'a ResultContent>) -> usize {
    texts.into_iter().map(ResultContent::held_bytes).sum()
}

/// Wipes what was said and keeps the call.
fn drop_content(key: Key, kind: &mut Kind<Raw>) {
    match kind {
        Kind::Opened(_, given) => *given = Given::empty(key.kind),
        Kind::Marked(mark) => mark.noted = Noted::empty(mark.kind),
        Kind::Closed(closed, returned) => {
            closed.error = None;
            *returned = Returned::empty(key.kind);
        }
        Kind::Learned(_) | Kind::Tick | Kind::Unknown { .. } => {}
    }
}
