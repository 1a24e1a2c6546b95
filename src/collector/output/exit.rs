//! One exporter of a pipeline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::Refused;
use super::lines::Lines;
use crate::collector::capture::Capture;
use crate::collector::config::{Exporter, ExporterKind};
use crate::collector::stage::{StageError, about};
use crate::export::{Envelope, ExporterConfig, ExporterError, Sender};
use crate::intake::{Counters, Counts, Drop};
use crate::otlp::{Client, Segments};

/// An exporter at work.
pub(in crate::collector) struct Exit {
    name: String,
    is_best_effort: bool,
    way: Way,
    requests: AtomicU64,
    refused: AtomicU64,
}

enum Way {
    Otlp {
        client: Box<Client>,
        /// What nobody waits for: spans of the stage's own, and all of them where the exporter is best-effort.
        queue: Sender,
        counters: Arc<Counters>,
    },
    File(Arc<Lines>),
    Capture(Arc<Capture>),
}

impl Exit {
    pub(super) fn new(exporter: &Exporter, largest: usize) -> Result<Self, StageError> {
        let way = match &exporter.kind {
            ExporterKind::Otlp(config) => otlp(config, largest)?,
            ExporterKind::File(config) => {
                let lines = Lines::open(config).map_err(about(&exporter.name)).map_err(StageError::File)?;
                Way::File(Arc::new(lines))
            }
        };
        Ok(Self::of(exporter.name.clone(), exporter.best_effort, way))
    }

    pub(super) fn capture(capture: Arc<Capture>) -> Self {
        Self::of("capture".to_owned(), false, Way::Capture(capture))
    }

    const fn of(name: String, is_best_effort: bool, way: Way) -> Self {
        Self { name, is_best_effort, way, requests: AtomicU64::new(0), refused: AtomicU64::new(0) }
    }

    pub(in crate::collector) fn name(&self) -> &str {
        &self.name
    }

    /// Requests that were handed over, and those of them that were not taken.
    pub(in crate::collector) fn requests(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.refused.load(Ordering::Relaxed))
    }

    /// What went through its queue, where it has one.
    pub(in crate::collector) fn counts(&self) -> Option<Counts> {
        match &self.way {
            Way::Otlp { counters, .. } => Some(counters.read()),
            Way::File(_) | Way::Capture(_) => None,
        }
    }

    /// Spans that wait to be sent.
    pub(in crate::collector) fn waiting(&self) -> u64 {
        match &self.way {
            Way::Otlp { queue, .. } => queue.waiting(),
            Way::File(_) | Way::Capture(_) => 0,
        }
    }

    /// Hands a request over: how many of its spans were refused for good. A best-effort exporter takes everything.
    pub(super) async fn forward(&self, request: Segments, spans: u64) -> Result<u64, Refused> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let answer = self.hand_over(request, spans).await;
        if answer.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        if self.is_best_effort { Ok(0) } else { answer }
    }

    async fn hand_over(&self, request: Segments, spans: u64) -> Result<u64, Refused> {
        match &self.way {
            Way::Otlp { queue, counters, .. } if self.is_best_effort => {
                let taken = queue.push_request(&request.into_bytes(), spans);
                taken.map(|()| 0).map_err(|reason| {
                    counters.add_dropped(reason, spans);
                    Refused::UNKNOWN
                })
            }
            Way::Otlp { client, .. } => {
                let accepted = client.export(request).await.map_err(|error| Refused::from(&error))?;
                Ok(u64::try_from(accepted.rejected_spans).unwrap_or_default())
            }
            Way::File(lines) => {
                let lines = Arc::clone(lines);
                // A disk may stall; the threads that answer must not.
                let written = tokio::task::spawn_blocking(move || lines.write(&request.into_bytes())).await;
                if matches!(written, Ok(Ok(()))) { Ok(0) } else { Err(Refused::UNKNOWN) }
            }
            Way::Capture(capture) => {
                capture.add(request.into_bytes());
                Ok(0)
            }
        }
    }

    /// Takes a `resource_spans` field of the stage's own; what cannot be taken is counted.
    pub(super) fn add(&self, field: &[u8]) {
        let lost = match &self.way {
            Way::Otlp { queue, counters, .. } => {
                queue.push(field).inspect_err(|reason| counters.add_dropped(*reason, 1)).err().map(Drop::as_str)
            }
            Way::File(lines) => lines.write(field).err().map(|_| "file"),
            Way::Capture(capture) => {
                capture.add(Bytes::copy_from_slice(field));
                None
            }
        };
        if let Some(reason) = lost {
            tracing::warn!(target: "veilspan", exporter = self.name, reason, "a span of the stage's own was lost");
        }
    }

    /// Sends what waits until the deadline, and tells how many spans have been lost since the start. Blocks.
    pub(super) fn shutdown(&self, deadline: Instant) -> u64 {
        match &self.way {
            Way::Otlp { queue, counters, .. } => {
                queue.shutdown(deadline);
                counters.read().dropped.calls()
            }
            Way::File(lines) => lines.lost(),
            Way::Capture(_) => 0,
        }
    }
}

fn otlp(config: &ExporterConfig, largest: usize) -> Result<Way, StageError> {
    let client = Client::new(&config.peer()).map_err(ExporterError::Endpoint)?;
    let queued = ExporterConfig {
        // A closed rollout is rare, and somebody may be waiting to see it.
        batch_delay: Duration::from_millis(200),
        // A request that came whole leaves whole, with what was added to it.
        batch_bytes: config.batch_bytes.max(largest.saturating_mul(2)),
        queue_bytes: config.queue_bytes.max(largest.saturating_mul(4)),
        ..config.clone()
    };
    let counters = Arc::new(Counters::default());
    let queue = Sender::start(&queued, Envelope::Bare, Arc::clone(&counters))?;
    Ok(Way::Otlp { client: Box::new(client), queue, counters })
}
