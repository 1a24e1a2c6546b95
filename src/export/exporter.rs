//! The sink that encodes.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use super::config::{ExporterConfig, ExporterError};
use super::io::Envelope;
use super::sender::Sender;
use super::startup::Startup;
use crate::event::{ProducerId, Record};
use crate::intake::{Counters, Refused, Sink};
use crate::otlp::encode::{self, Encoder};
use crate::privacy::Policy;

/// Sends records to an OTLP receiver.
pub struct Exporter {
    sender: Sender,
    encoding: Mutex<Encoding>,
}

#[derive(Default)]
struct Encoding {
    encoder: Encoder,
    field: Vec<u8>,
    startup: Option<Startup>,
}

impl Exporter {
    /// Starts the thread that sends. Nothing is connected before the first span.
    pub(crate) fn start(
        config: &ExporterConfig,
        policy: &Policy,
        producer: ProducerId,
        counters: Arc<Counters>,
    ) -> Result<Self, ExporterError> {
        let envelope = Envelope::Scoped { resource: resource(config, policy, producer), scope: encode::scope() };
        Ok(Self { sender: Sender::start(config, envelope, counters)?, encoding: Mutex::default() })
    }

    /// Has this told by the pipeline's thread when the first call is there.
    pub(super) fn tell_first(&self, startup: Startup) {
        self.encoding().startup = Some(startup);
    }

    /// Held by the pipeline's thread alone, so never waited for.
    fn encoding(&self) -> MutexGuard<'_, Encoding> {
        self.encoding.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for Exporter {
    fn take(&self, record: Record) -> Result<(), Refused> {
        let Record::Closed(call) = record else { return Ok(()) };
        let mut encoding = self.encoding();
        let Encoding { encoder, field, startup } = &mut *encoding;
        if let Some(startup) = startup.take() {
            startup.tell();
        }
        field.clear();
        encoder.span_field(&call, field);
        self.sender.push(field).map_err(|reason| Refused { reason })
    }

    fn wants_opened(&self) -> bool {
        false
    }

    fn losses(&self) -> u64 {
        self.sender.losses()
    }

    fn flush(&self, deadline: Instant) -> bool {
        self.sender.flush(deadline)
    }

    fn shutdown(&self, deadline: Instant) -> bool {
        self.sender.shutdown(deadline)
    }
}

/// Who speaks: the service as its operator names it, this library, this process life.
fn resource(config: &ExporterConfig, policy: &Policy, producer: ProducerId) -> Bytes {
    let configured = config.resource.iter().map(|(key, value)| (policy.label(key), policy.label(value)));
    let ours = [
        ("telemetry.sdk.name", env!("CARGO_PKG_NAME")),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ];
    let ours = ours.into_iter().map(|(key, value)| (key.into(), value.into()));
    let attributes: Vec<_> = configured.chain(ours).collect();
    encode::resource(attributes.iter().map(|(key, value)| (&**key, &**value)), Some(producer))
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("waiting", &self.sender.waiting()).finish_non_exhaustive()
    }
}
