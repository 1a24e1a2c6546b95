//! What follows, behind a processor and its handles.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry_sdk::trace::SpanData;

use super::added;
use super::outlets::Outlet;
use super::queue::Queue;
use crate::event::{Clock, ProducerId, SystemClock};
use crate::otlp::{SpanView, dialects};
use crate::processor::follow::{Follow, Told};

/// What a processor, its thread and whoever looks have in common.
pub(super) struct Followed {
    state: Mutex<State>,
    outlets: Mutex<Vec<Outlet>>,
    clock: SystemClock,
    pub(super) queue: Queue,
    /// Spans that were handed on, and from which nothing followed, because too much was waiting.
    pub(super) missed: AtomicU64,
    /// Spans that were added, and those that the next processor panicked on.
    pub(super) added: AtomicU64,
    pub(super) panicked: AtomicU64,
}

struct State {
    follow: Follow,
    /// The process life that the resource names.
    producer: Option<ProducerId>,
}

impl Followed {
    pub(super) fn new(follow: Follow) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State { follow, producer: None }),
            outlets: Mutex::default(),
            clock: SystemClock::default(),
            queue: Queue::default(),
            missed: AtomicU64::new(0),
            added: AtomicU64::new(0),
            panicked: AtomicU64::new(0),
        })
    }

    pub(super) fn produced_by(&self, producer: Option<ProducerId>) {
        self.lock().producer = producer;
    }

    /// From now on findings are told there too.
    pub(super) fn tell(&self, outlet: Outlet) {
        self.outlets.lock().unwrap_or_else(PoisonError::into_inner).push(outlet);
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&Follow) -> T) -> T {
        read(&self.lock().follow)
    }

    /// Takes in what a `Span` message tells. Answers the spans that are to be added.
    pub(super) fn absorb(&self, message: &[u8]) -> Vec<SpanData> {
        let now = self.clock.unix_nanos();
        let mut state = self.lock();
        let call = SpanView::parse(message).ok().and_then(|view| dialects::call(&view, state.producer).ok());
        let Some(call) = call else {
            state.follow.not_a_call();
            return Vec::new();
        };
        let told = state.follow.take(call, now);
        drop(state);
        self.carry_out(told, now)
    }

    /// Does what is due.
    pub(super) fn tick(&self) -> Vec<SpanData> {
        let now = self.clock.unix_nanos();
        let (told, _) = self.lock().follow.tick(now);
        self.carry_out(told, now)
    }

    /// Closes what waits for late data alone.
    pub(super) fn shutdown(&self) -> Vec<SpanData> {
        let now = self.clock.unix_nanos();
        let told = self.lock().follow.shutdown(now);
        self.carry_out(told, now)
    }

    fn carry_out(&self, told: Vec<Told>, now: u64) -> Vec<SpanData> {
        let mut spans = Vec::new();
        for told in told {
            match told {
                Told::Span(span) => spans.push(added::span_data(&span)),
                Told::Finding(finding) => {
                    let outlets = self.outlets.lock().unwrap_or_else(PoisonError::into_inner);
                    outlets.iter().for_each(|outlet| outlet.tell(&finding));
                }
                Told::WakeAt(at) => self.queue.wake_after(Duration::from_nanos(at.saturating_sub(now))),
            }
        }
        spans
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
