//! The sink that encodes.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::batch::{Limits, Outbox};
use super::config::{ExporterConfig, ExporterError};
use super::io::{Io, Shared};
use crate::event::{ProducerId, Record};
use crate::intake::{Counters, Drop, Refused, Sink};
use crate::otlp::client::Client;
use crate::otlp::encode::{self, Encoder};
use crate::privacy::Policy;

/// Sends records to an OTLP gRPC receiver.
pub struct Exporter {
    shared: Arc<Shared>,
    encoding: Mutex<Encoding>,
}

#[derive(Default)]
struct Encoding {
    encoder: Encoder,
    field: Vec<u8>,
}

impl Exporter {
    /// Starts the thread that sends. Nothing is connected before the first span.
    pub(crate) fn start(
        config: &ExporterConfig,
        policy: &Policy,
        producer: ProducerId,
        counters: Arc<Counters>,
    ) -> Result<Self, ExporterError> {
        let resource = resource(config, policy, producer);
        let scope = encode::scope(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
        let limits = Limits {
            batch_spans: config.batch_spans,
            batch_bytes: config.batch_bytes,
            batch_delay: config.batch_delay,
            queue_bytes: config.queue_bytes,
        };
        let shared = Arc::new(Shared::new(Outbox::new(limits), counters));
        let client = Client::builder(&config.endpoint).headers(&config.headers).timeout(config.timeout);
        Io::start(Arc::clone(&shared), client, resource, scope)?;
        Ok(Self { shared, encoding: Mutex::default() })
    }
}

impl Sink for Exporter {
    fn take(&self, record: Record) -> Result<(), Refused> {
        let Record::Closed(call) = record else { return Ok(()) };
        let mut encoding = self.encoding.lock().unwrap_or_else(PoisonError::into_inner);
        let Encoding { encoder, field } = &mut *encoding;
        field.clear();
        encoder.span_field(&call, field);
        match self.shared.outbox.push(field) {
            Ok(due) => {
                if due {
                    self.shared.wake.notify_one();
                }
                Ok(())
            }
            Err(reason) => Err(Refused { reason }),
        }
    }

    fn wants_opened(&self) -> bool {
        false
    }

    fn losses(&self) -> u64 {
        self.shared.losses()
    }

    fn flush(&self, deadline: Instant) -> bool {
        self.shared.outbox.hurry(false);
        self.shared.wake.notify_one();
        let complete = self.shared.outbox.wait_until_empty(deadline);
        self.shared.outbox.calm();
        complete
    }

    fn shutdown(&self, deadline: Instant) -> bool {
        self.shared.outbox.hurry(true);
        self.shared.wake.notify_one();
        let complete = self.shared.outbox.wait_until_empty(deadline);
        self.shared.counters.add_dropped(Drop::PeerUnreachable, self.shared.outbox.abandon());
        self.shared.wake.notify_one();
        complete
    }
}

/// Who speaks: the service as its operator names it, this library, this process life.
fn resource(config: &ExporterConfig, policy: &Policy, producer: ProducerId) -> Vec<u8> {
    let configured = config.resource.iter().map(|(key, value)| (policy.label(key), policy.label(value)));
    let ours = [
        ("telemetry.sdk.name", env!("CARGO_PKG_NAME").to_owned()),
        ("telemetry.sdk.language", "rust".to_owned()),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION").to_owned()),
        (crate::semconv::PRODUCER_ID.key(), producer.to_string()),
    ];
    let ours = ours.into_iter().map(|(key, value)| (key.into(), value.into()));
    let attributes: Vec<_> = configured.chain(ours).collect();
    encode::resource(attributes.iter().map(|(key, value)| (&**key, &**value)))
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exporter").field("waiting", &self.shared.outbox.waiting()).finish_non_exhaustive()
    }
}
