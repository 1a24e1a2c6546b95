//! The thread on which runs are compared.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use opentelemetry::KeyValue;
use opentelemetry::trace::Event;
use opentelemetry_sdk::trace::{SpanData, SpanProcessor};

use crate::event::ProducerId;
use crate::otlp::{SpanView, decode};
use crate::processor::sdk::reducing::{Job, Pushed, Queue, sdk_value, span_data};
use crate::replay::{Comparisons, LiveReport, Run};

/// The name of the event that tells of a difference.
const FINDING: &str = "veilspan.finding";

/// A processor's next, and the comparisons whose findings it is given.
pub(super) struct Shared<P> {
    pub(super) next: P,
    pub(super) queue: Queue,
    pub(super) comparisons: Arc<Mutex<Comparisons>>,
    producer: Mutex<Option<ProducerId>>,
}

impl<P: SpanProcessor> Shared<P> {
    pub(super) fn new(next: P, baselines: impl IntoIterator<Item = Run>) -> Self {
        let comparisons = Arc::new(Mutex::new(Comparisons::new(baselines)));
        Self { next, queue: Queue::default(), comparisons, producer: Mutex::default() }
    }

    pub(super) fn produced_by(&self, producer: Option<ProducerId>) {
        *self.producer.lock().unwrap_or_else(PoisonError::into_inner) = producer;
    }

    pub(super) fn push(&self, message: Vec<u8>) {
        if self.queue.push(message) != Pushed::Taken {
            self.comparisons().missed();
        }
    }

    /// Takes in what a `Span` message tells.
    pub(super) fn compare(&self, message: &[u8]) {
        let producer = *self.producer.lock().unwrap_or_else(PoisonError::into_inner);
        let call = SpanView::parse(message).ok().and_then(|view| decode::call(&view, producer).ok());
        let report = call.and_then(|call| self.comparisons().on(call));
        report.iter().for_each(|report| self.add(report));
    }

    pub(super) fn flush(&self) {
        let reports = self.comparisons().flush();
        reports.iter().for_each(|report| self.add(report));
    }

    /// Hands a report on. A next processor that panics on one costs no other, and never our thread.
    fn add(&self, report: &LiveReport) {
        let (verdict, findings) = (report.verdict.as_str(), report.differences.len());
        tracing::debug!(target: "veilspan", rollout = %report.run.rollout, verdict, findings, "compared with its baseline");
        let Some(span) = told(report) else { return };
        if catch_unwind(AssertUnwindSafe(|| self.next.on_end(span))).is_err() {
            tracing::warn!(target: "veilspan", "the next processor panicked on a report");
        }
    }

    fn comparisons(&self) -> MutexGuard<'_, Comparisons> {
        self.comparisons.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        loop {
            match self.queue.next() {
                Job::Span(message) => {
                    self.compare(&message);
                    self.queue.finished();
                }
                Job::Tick => {}
                Job::Stop => return,
            }
        }
    }
}

/// Starts the thread. It ends when the queue is stopped.
pub(super) fn start<P: SpanProcessor + 'static>(shared: &Arc<Shared<P>>) -> std::io::Result<()> {
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("veilspan-replay".to_owned()).spawn(move || shared.work()).map(drop)
}

fn told(report: &LiveReport) -> Option<SpanData> {
    let mut span = span_data(&report.span()?);
    let time = span.end_time;
    let event = |difference: &crate::replay::Difference| {
        let attrs = difference.to_attrs();
        let attributes = attrs.iter().map(|(id, value)| KeyValue::new(id.name().key, sdk_value(value))).collect();
        Event::new(FINDING, time, attributes, 0)
    };
    span.events.events = report.differences.iter().map(event).collect();
    span.events.dropped_count = u32::try_from(report.dropped).unwrap_or(u32::MAX);
    Some(span)
}
