//! The thread that sends: one small runtime of our own, so that no host can stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::Notify;
use tonic::Code;
use tracing::subscriber::{DefaultGuard, NoSubscriber, set_default};

use super::batch::{Batch, Next, Outbox};
use super::config::ExporterError;
use super::retry::{Backoff, REFUSED};
use crate::intake::{Counters, Drop};
use crate::otlp::{Client, ClientOptions, ExportError, Segments, assemble};

/// What the pipeline's thread and the sender share.
pub(super) struct Shared {
    pub(super) outbox: Outbox,
    pub(super) counters: Arc<Counters>,
    pub(super) wake: Notify,
    losses: AtomicU64,
}

impl Shared {
    pub(super) fn new(outbox: Outbox, counters: Arc<Counters>) -> Self {
        Self { outbox, counters, wake: Notify::new(), losses: AtomicU64::new(0) }
    }

    /// How often something that waited was lost.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    fn lose(&self, reason: Drop, spans: u64) {
        if spans > 0 {
            self.counters.add_dropped(reason, spans);
            self.losses.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What is put around the fields of a batch to make a request of them.
pub(crate) enum Envelope {
    /// The fields are spans, all of one resource and one scope.
    Scoped {
        /// A `Resource` message.
        resource: Bytes,
        /// An `InstrumentationScope` message.
        scope: Bytes,
    },
    /// The fields are whole `resource_spans`.
    #[cfg(feature = "collector")]
    Bare,
}

impl Envelope {
    fn request(&self, fields: Bytes) -> Segments {
        match self {
            Self::Scoped { resource, scope } => assemble::request(resource, scope, [fields]),
            #[cfg(feature = "collector")]
            Self::Bare => {
                let mut request = Segments::with_capacity(1);
                request.push(fields);
                request
            }
        }
    }
}

/// The sender.
pub(super) struct Io {
    shared: Arc<Shared>,
    client: Client,
    envelope: Envelope,
    backoff: Backoff,
    log: Log,
}

impl Io {
    pub(super) fn start(shared: Arc<Shared>, peer: &ClientOptions, envelope: Envelope) -> Result<(), ExporterError> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ExporterError::Thread)?;
        let client = {
            let _inside = runtime.enter();
            Client::new(peer).map_err(ExporterError::Endpoint)?
        };
        let sender = move || {
            let mut io = Self { shared, client, envelope, backoff: Backoff::default(), log: Log::new() };
            runtime.block_on(io.run());
        };
        std::thread::Builder::new().name("veilspan-io".to_owned()).spawn(sender).map_err(ExporterError::Thread)?;
        Ok(())
    }

    async fn run(&mut self) {
        loop {
            match self.shared.outbox.next() {
                Next::Send(batch) => self.send(batch).await,
                Next::Wait(None) => self.shared.wake.notified().await,
                Next::Wait(Some(due)) => tokio::select! {
                    () = tokio::time::sleep_until(due.into()) => {}
                    () = self.shared.wake.notified() => {}
                },
                Next::Stop => return,
            }
        }
    }

    async fn send(&mut self, batch: Batch) {
        let request = self.envelope.request(batch.spans.clone());
        let error = match self.client.export(request).await {
            Ok(accepted) => {
                let rejected = u64::try_from(accepted.rejected_spans).unwrap_or_default().min(batch.count);
                // Said before anybody who waits for the batch can go on, and perhaps end the process.
                self.backoff.reset();
                self.log.recovered();
                self.shared.outbox.answered(&batch, || {
                    self.shared.counters.add_sent(batch.count - rejected);
                    self.shared.lose(Drop::PeerRefused, rejected);
                });
                return;
            }
            Err(error) => error,
        };
        let stays = error.retryable() || is_refusal(&error);
        self.log.failed(&error, self.shared.outbox.waiting(), stays);
        if error.retryable() {
            self.shared.outbox.unanswered(batch);
            let wait = self.backoff.next(error.retry_after());
            self.pause(wait, error.retry_after().unwrap_or(HURRIED_WAIT)).await;
        } else if stays {
            self.shared.outbox.unanswered(batch);
            self.pause(REFUSED, REFUSED).await;
        } else {
            self.shared.outbox.answered(&batch, || self.shared.lose(Drop::PeerRefused, batch.count));
        }
    }

    /// Waits before the next attempt: `wait`, or, where somebody is in a hurry, no longer than `hurried`.
    async fn pause(&self, wait: Duration, hurried: Duration) {
        // A peer may ask for any time; one beyond a day is a mistake, and one beyond the clock would be a panic.
        let (wait, hurried) = (wait.min(DAY), hurried.min(DAY));
        let started = Instant::now();
        loop {
            let wait = if self.shared.outbox.is_hurried() { wait.min(hurried) } else { wait };
            tokio::select! {
                () = tokio::time::sleep_until((started + wait).into()) => return,
                () = self.shared.wake.notified() => {}
            }
            if self.shared.outbox.is_abandoned() {
                return;
            }
        }
    }
}

/// The peer does not want us as we are, whatever we send: that may be put right on its side.
fn is_refusal(error: &ExportError) -> bool {
    matches!(error.code(), Code::Unauthenticated | Code::PermissionDenied | Code::NotFound | Code::Unimplemented)
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The pause after a failure while a flush waits.
const HURRIED_WAIT: Duration = Duration::from_millis(250);

/// Says once in a while what goes wrong. On this thread nothing else is logged: the libraries below would name headers.
struct Log {
    silence: Option<DefaultGuard>,
    last: Option<Instant>,
    said: bool,
}

const LOG_EVERY: Duration = Duration::from_secs(60);

impl Log {
    fn new() -> Self {
        Self { silence: Some(set_default(NoSubscriber::new())), last: None, said: false }
    }

    fn failed(&mut self, error: &ExportError, waiting: u64, stays: bool) {
        if self.last.is_some_and(|last| last.elapsed() < LOG_EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        self.said = true;
        self.say(|| match stays {
            true => {
                tracing::warn!(target: "veilspan", %error, waiting, "spans cannot be delivered now; they wait in memory");
            }
            false => tracing::warn!(target: "veilspan", %error, waiting, "the peer refuses spans for good; they are lost"),
        });
    }

    fn recovered(&mut self) {
        // Said as seldom as what it takes back.
        if std::mem::take(&mut self.said) {
            self.say(|| tracing::info!(target: "veilspan", "spans are delivered again"));
        }
    }

    fn say(&mut self, message: impl FnOnce()) {
        self.silence = None;
        message();
        self.silence = Some(set_default(NoSubscriber::new()));
    }
}
