//! Where a pipeline's spans go: to all of its exporters at once.
//!
//! Promises that an answer waits for every exporter but the best-effort ones, and is the worst of theirs; that one which
//! stalls keeps no other from its copy; and that what the stage adds itself delays no answer. Where one has taken a request
//! and another has not, the request comes again, and the first gets it twice: spans are the same by their ids.

mod exit;
mod findings;
mod lines;
mod refused;

use std::time::Instant;

use tokio::task::JoinSet;

use super::capture::Capture;
use super::config::Exporter;
use super::stage::StageError;
use crate::otlp::Segments;

pub(super) use exit::Exit;
pub(super) use findings::Findings;
#[cfg(feature = "cli")]
pub(crate) use lines::Lines;
pub(super) use refused::Refused;
use std::sync::Arc;

/// All exporters of a pipeline.
pub(super) struct Output {
    exits: Vec<Arc<Exit>>,
}

impl Output {
    /// Must be made inside the runtime that will send. `largest` is the longest request that may come.
    pub(super) fn new(exporters: &[Exporter], largest: usize) -> Result<Self, StageError> {
        let exits: Result<_, _> = exporters.iter().map(|exporter| Exit::new(exporter, largest).map(Arc::new)).collect();
        Ok(Self { exits: exits? })
    }

    /// One that keeps everything in memory.
    pub(super) fn capture(capture: Arc<Capture>) -> Self {
        Self { exits: vec![Arc::new(Exit::capture(capture))] }
    }

    /// The exporters.
    pub(super) fn exits(&self) -> &[Arc<Exit>] {
        &self.exits
    }

    /// Sends a request of so many spans on and waits for the answers: how many of it were refused for good.
    pub(super) async fn forward(&self, request: Segments, spans: u64) -> Result<u64, Refused> {
        if request.is_empty() {
            // All its spans were refused here.
            return Ok(0);
        }
        let Some((first, others)) = self.exits.split_first() else { return Ok(0) };
        let mut sending = JoinSet::new();
        for exit in others {
            let (exit, request) = (Arc::clone(exit), request.clone());
            sending.spawn(async move { exit.forward(request, spans).await });
        }
        let mut answer = first.forward(request, spans).await;
        while let Some(next) = sending.join_next().await {
            // A task of ours that ended otherwise has told nobody what became of its copy.
            answer = Refused::worst(answer, next.unwrap_or(Err(Refused::UNKNOWN)));
        }
        answer
    }

    /// Takes a `resource_spans` field of the stage's own.
    pub(super) fn add(&self, field: &[u8]) {
        self.exits.iter().for_each(|exit| exit.add(field));
    }

    /// Sends what the stage has added, until the deadline, and tells how much of it has been lost since the start. Blocks.
    pub(super) fn shutdown(&self, deadline: Instant) -> u64 {
        self.exits.iter().map(|exit| exit.shutdown(deadline)).sum()
    }
}
