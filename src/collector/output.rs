//! Where a pipeline's spans go.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::capture::Capture;
use crate::export::{Envelope, ExporterConfig, ExporterError, Sender};
use crate::intake::{Counters, Drop};
use crate::otlp::{Client, ClientOptions, ExportError, Segments};

/// The next hop, and the queue of what the stage adds itself.
pub(super) enum Output {
    Otlp { client: Box<Client>, added: Sender, counters: Arc<Counters> },
    Capture(Arc<Capture>),
    Nowhere,
}

impl Output {
    /// Must be made inside the runtime that will send.
    pub(super) fn otlp(endpoint: &str) -> Result<Self, ExporterError> {
        let client = Box::new(Client::new(&ClientOptions::new(endpoint)).map_err(ExporterError::Endpoint)?);
        let config = ExporterConfig {
            endpoint: endpoint.to_owned(),
            // A closed rollout is rare, and somebody may be waiting to see it.
            batch_delay: std::time::Duration::from_millis(200),
            ..ExporterConfig::default()
        };
        let counters = Arc::new(Counters::default());
        let added = Sender::start(&config, Envelope::Bare, Arc::clone(&counters))?;
        Ok(Self::Otlp { client, added, counters })
    }

    /// Sends a request on and waits for its answer: how many spans of it were refused for good.
    pub(super) async fn forward(&self, request: Segments) -> Result<u64, ExportError> {
        if request.is_empty() {
            // All its spans were refused here.
            return Ok(0);
        }
        match self {
            Self::Otlp { client, .. } => {
                let accepted = client.export(request).await?;
                Ok(u64::try_from(accepted.rejected_spans).unwrap_or_default())
            }
            Self::Capture(capture) => {
                capture.add(request.into_bytes());
                Ok(0)
            }
            Self::Nowhere => Ok(0),
        }
    }

    /// Takes a `resource_spans` field of the stage's own.
    pub(super) fn add(&self, field: &[u8]) -> Result<(), Drop> {
        match self {
            Self::Otlp { added, counters, .. } => {
                added.push(field).inspect_err(|reason| counters.add_dropped(*reason, 1))
            }
            Self::Capture(capture) => {
                capture.add(Bytes::copy_from_slice(field));
                Ok(())
            }
            Self::Nowhere => Ok(()),
        }
    }

    /// Sends what the stage has added, until the deadline, and tells how much of it has been lost since the start. Blocks.
    pub(super) fn shutdown(&self, deadline: Instant) -> u64 {
        match self {
            Self::Otlp { added, counters, .. } => {
                added.shutdown(deadline);
                counters.read().dropped.calls()
            }
            Self::Capture(_) | Self::Nowhere => 0,
        }
    }
}
