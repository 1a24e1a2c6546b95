//! The sink that encodes.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use bytestring::ByteString;
use try_lock::{Locked, TryLock};

use super::config::{ExporterConfig, ExporterError, SpoolConfig, SpoolWait};
use super::envelope::Envelope;
use super::forms;
use super::limits::Rank;
#[cfg(feature = "sdk")]
use super::metrics::Push;
use super::outbox::NotTaken;
use super::sender::Sender;
use super::spool::{Fsync, Plan, Spool};
use super::startup::Startup;
use crate::event::{CallKind, CallRecord, Clock, Key, OpenRecord, ProducerId, Record, Veiled};
use crate::intake::{Counters, Drop, Durable, Refused, Relay, Sink, give_record};
use crate::otlp::Ready;
use crate::otlp::encode::{self, Encoder};
use crate::privacy::Policy;

/// Sends records to an OTLP receiver.
pub struct Exporter {
    way: Way,
    counters: Arc<Counters>,
    /// The pipeline's thread alone encodes. Whoever starts it says once what is to be told first.
    encoding: TryLock<Encoding>,
    #[cfg(feature = "sdk")]
    metrics: Option<Push>,
}

/// Where spans wait.
enum Way {
    Memory(Sender),
    Disk(Sender<Spool>),
}

#[derive(Default)]
struct Encoding {
    encoder: Encoder,
    ready: Ready,
    field: Vec<u8>,
    startup: Option<Startup>,
}

impl Encoding {
    fn tell_startup(&mut self) {
        if let Some(startup) = self.startup.take() {
            startup.tell();
        }
    }

    fn field(&mut self, call: &CallRecord<Veiled>) -> &[u8] {
        self.field.clear();
        self.encoder.span_field_with(&mut self.ready, call, &mut self.field);
        &self.field
    }
}

impl Exporter {
    /// Starts the thread that sends. Nothing is connected before the first span.
    pub(crate) fn start(
        config: &ExporterConfig,
        policy: &Policy,
        producer: ProducerId,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> Result<Self, ExporterError> {
        let attributes = attributes(config, policy);
        let envelope = Envelope::Scoped { resource: resource(&attributes, producer), scope: encode::scope() };
        let way = match &config.spool {
            None => Way::Memory(Sender::start(config, envelope, Arc::clone(&counters))?),
            Some(spool) => {
                let spool =
                    Spool::open(&plan(spool), config.limits(), &envelope, producer, clock, Arc::clone(&counters))
                        .map_err(ExporterError::Spool)?;
                Way::Disk(Sender::from(spool, config, envelope, Arc::clone(&counters))?)
            }
        };
        Ok(Self {
            #[cfg(feature = "sdk")]
            metrics: push(config, &attributes, producer, &counters, &way)?,
            way,
            counters,
            encoding: TryLock::default(),
        })
    }

    fn opened(&self, open: &OpenRecord) -> Result<(), Drop> {
        let Way::Disk(sender) = &self.way else { return Ok(()) };
        let rank = if open.key.kind == CallKind::Turn { Rank::TurnEnd } else { Rank::Completed };
        let mut encoding = self.encoding();
        encoding.tell_startup();
        sender.queue().open_call(forms::id(open.key.id), encoding.field(&forms::abandoned(open)), rank)
    }

    fn closed(&self, call: &CallRecord<Veiled>) -> Result<(), Drop> {
        match self.push(call, Rank::Content) {
            Ok(()) => return Ok(()),
            Err(NotTaken::Lost(reason)) => return Err(reason),
            Err(NotTaken::Content) => {}
        }
        let (bare, had_content) = forms::without_content(call);
        self.push(&bare, rank(call)).map_err(|not_taken| match not_taken {
            NotTaken::Lost(reason) => reason,
            NotTaken::Content => Drop::ExportQueueFull,
        })?;
        if had_content {
            self.counters.add_dropped(Drop::ContentOverBound, 1);
            // What was not told is no prefix for what comes.
            match &self.way {
                Way::Memory(sender) => sender.add_loss(),
                Way::Disk(sender) => sender.add_loss(),
            }
        }
        Ok(())
    }

    fn push(&self, call: &CallRecord<Veiled>, rank: Rank) -> Result<(), NotTaken> {
        let mut encoding = self.encoding();
        encoding.tell_startup();
        match &self.way {
            Way::Memory(sender) => {
                let Encoding { encoder, ready, .. } = &mut *encoding;
                sender.write_ranked(rank, |out| encoder.span_field_with(ready, call, out))
            }
            Way::Disk(sender) => {
                if sender.queue().close_call(forms::id(call.id), encoding.field(call), rank)? {
                    sender.wake();
                }
                Ok(())
            }
        }
    }

    /// Has this told by the pipeline's thread when the first call is there.
    pub(super) fn tell_first(&self, startup: Startup) {
        self.encoding().startup = Some(startup);
    }

    /// Mostly free: one who calls a sink does so for one call at a time.
    fn encoding(&self) -> Locked<'_, Encoding> {
        loop {
            if let Some(encoding) = self.encoding.try_lock() {
                return encoding;
            }
            std::thread::sleep(Duration::from_micros(10));
        }
    }
}

impl Sink for Exporter {
    fn take(&self, record: Record) -> Result<(), Refused> {
        match record {
            Record::Opened(open) => self.opened(&open),
            Record::Closed(call) => {
                let taken = self.closed(&call);
                give_record(call);
                taken
            }
        }
        .map_err(|reason| Refused { reason })
    }

    fn wants_opened(&self) -> bool {
        matches!(self.way, Way::Disk(_))
    }

    fn durable(&self) -> Option<&dyn Durable> {
        match &self.way {
            Way::Memory(_) => None,
            Way::Disk(sender) => Some(sender),
        }
    }

    fn drains_alone(&self) -> bool {
        true
    }

    fn relay(&self) -> Option<&dyn Relay> {
        match &self.way {
            Way::Memory(sender) => Some(sender),
            Way::Disk(_) => None,
        }
    }

    fn losses(&self) -> u64 {
        match &self.way {
            Way::Memory(sender) => sender.losses(),
            Way::Disk(sender) => sender.losses(),
        }
    }

    fn flush(&self, deadline: Instant) -> bool {
        match &self.way {
            Way::Memory(sender) => sender.flush(deadline),
            Way::Disk(sender) => sender.flush(deadline),
        }
    }

    fn shutdown(&self, deadline: Instant) -> bool {
        let complete = match &self.way {
            Way::Memory(sender) => sender.shutdown(deadline),
            Way::Disk(sender) => sender.shutdown(deadline),
        };
        // Last, so that they tell how it ended.
        #[cfg(feature = "sdk")]
        if let Some(metrics) = &self.metrics {
            metrics.shutdown(deadline);
        }
        complete
    }
}

impl Relay for Sender {
    fn announce(&self) -> u64 {
        self.queue().announce()
    }

    fn begin(&self, number: u64) {
        if self.queue().begin(number) {
            self.wake();
        }
    }

    fn wait(&self, number: u64, deadline: Instant) -> bool {
        self.queue().wait(number, deadline)
    }
}

impl Durable for Sender<Spool> {
    fn commit(&self) -> bool {
        let (is_written, is_due) = self.queue().commit();
        if is_due {
            self.wake();
        }
        is_written
    }

    fn forget(&self, key: Key) {
        self.queue().lose_call(forms::id(key.id));
        self.queue().commit();
    }
}

/// What a call tells without its content.
fn rank(call: &CallRecord<Veiled>) -> Rank {
    let is_completed = call.closed.outcome.is_none_or(|outcome| outcome == crate::event::Outcome::Completed);
    match call.kind {
        CallKind::Turn => Rank::TurnEnd,
        _ if is_completed => Rank::Completed,
        _ => Rank::Failed,
    }
}

fn plan(spool: &SpoolConfig) -> Plan<'_> {
    let fsync = if spool.wait == Some(SpoolWait::Synced) { Fsync::Always } else { spool.fsync };
    Plan { folder: &spool.folder, bytes: spool.bytes, fsync }
}

/// Who sends the metrics, if anybody does.
#[cfg(feature = "sdk")]
fn push(
    config: &ExporterConfig,
    attributes: &[(ByteString, ByteString)],
    producer: ProducerId,
    counters: &Arc<Counters>,
    way: &Way,
) -> Result<Option<Push>, ExporterError> {
    let Some(metrics) = &config.metrics else { return Ok(None) };
    let queue = match way {
        Way::Memory(sender) => sender.watch(),
        Way::Disk(sender) => sender.watch(),
    };
    let attributes = attributes.iter().map(|(key, value)| (key.to_string(), value.to_string()));
    let producer = (crate::semconv::PRODUCER_ID.key().to_owned(), producer.to_string());
    Push::start(metrics, attributes.chain([producer]), counters, queue).map(Some)
}

/// Who speaks: the service as its operator names it, and this library.
fn attributes(config: &ExporterConfig, policy: &Policy) -> Vec<(ByteString, ByteString)> {
    let configured = config.resource.iter().map(|(key, value)| (policy.label(key), policy.label(value)));
    let ours = [
        ("telemetry.sdk.name", env!("CARGO_PKG_NAME")),
        ("telemetry.sdk.language", "rust"),
        ("telemetry.sdk.version", env!("CARGO_PKG_VERSION")),
    ];
    let ours = ours.into_iter().map(|(key, value)| (key.into(), value.into()));
    configured.chain(ours).collect()
}

/// The same and this process life, encoded.
fn resource(attributes: &[(ByteString, ByteString)], producer: ProducerId) -> Bytes {
    encode::resource(attributes.iter().map(|(key, value)| (&**key, &**value)), Some(producer))
}

impl fmt::Debug for Exporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = match &self.way {
            Way::Memory(sender) => sender.waiting(),
            Way::Disk(sender) => sender.waiting(),
        };
        f.debug_struct("Exporter").field("waiting", &waiting).finish_non_exhaustive()
    }
}
