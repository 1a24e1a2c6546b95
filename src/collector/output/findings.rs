//! Findings as OTLP log records, on their way to those who keep logs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::collector::config::{Exporter, ExporterKind};
use crate::collector::stage::StageError;
use crate::export::{Envelope, ExporterConfig, Sender};
use crate::intake::Counters;
use crate::otlp::added;
use crate::processor::follow::ToldFinding;

/// A finding is rare, and somebody may be waiting to see it.
const DELAY: Duration = Duration::from_millis(200);

/// Where findings go as log records; nowhere, where no exporter is named for them. They delay no answer: what cannot be sent
/// waits in memory, is sent again, and is counted where it is lost.
#[derive(Default)]
pub(in crate::collector) struct Findings {
    exits: Vec<Logs>,
}

/// One exporter.
pub(in crate::collector) struct Logs {
    name: String,
    queue: Sender,
    counters: Arc<Counters>,
}

impl Findings {
    pub(in crate::collector) fn new(exporters: &[Exporter]) -> Result<Self, StageError> {
        let mut exits = Vec::new();
        for exporter in exporters {
            let ExporterKind::Otlp(config) = &exporter.kind else { continue };
            let config = ExporterConfig { batch_delay: DELAY, ..ExporterConfig::clone(config) };
            let counters = Arc::new(Counters::default());
            let queue = Sender::start(&config, Envelope::Bare, Arc::clone(&counters))?;
            exits.push(Logs { name: exporter.name.clone(), queue, counters });
        }
        Ok(Self { exits })
    }

    pub(in crate::collector) fn exits(&self) -> impl Iterator<Item = &Logs> {
        self.exits.iter()
    }

    /// Takes a finding about what stands under a `Resource` message.
    pub(in crate::collector) fn add(&self, resource: &[u8], finding: &ToldFinding, now: u64) {
        if self.exits.is_empty() {
            return;
        }
        let log = added::AddedLog {
            name: ToldFinding::NAME,
            at_unix_nano: finding.at_unix_nano,
            observed_unix_nano: now,
            severity: finding.severity_number(),
            body: finding.body(),
            attrs: &finding.attrs,
            span: finding.span,
        };
        let field = added::resource_logs(resource, &log);
        for exit in &self.exits {
            if let Err(reason) = exit.queue.push(&field) {
                exit.counters.add_dropped(reason, 1);
                let reason = reason.as_str();
                tracing::warn!(target: "veilspan", exporter = exit.name, reason, "a finding's log record was lost");
            }
        }
    }

    /// Sends what waits until the deadline, and tells how many have been lost since the start. Blocks.
    pub(in crate::collector) fn shutdown(&self, deadline: Instant) -> u64 {
        self.exits.iter().for_each(|exit| {
            exit.queue.shutdown(deadline);
        });
        self.exits.iter().map(Logs::lost).sum()
    }
}

impl Logs {
    pub(in crate::collector) fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::collector) fn sent(&self) -> u64 {
        self.counters.read().sent
    }

    pub(in crate::collector) fn lost(&self) -> u64 {
        self.counters.read().dropped.calls()
    }
}
