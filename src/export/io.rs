//! The thread that sends: one small runtime of our own, so that no host can stop it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::batch::{Batch, Origin};
use super::config::ExporterError;
use super::envelope::Envelope;
use super::outage_log::OutageLog;
use super::pace::Pace;
use super::peer::{Dialled, Peer};
use super::queue::{Next, Queue};
use super::retry::{Backoff, REFUSED};
use super::verdict::Verdict;
use crate::intake::{Counters, Drop};
use crate::otlp::{Accepted, Client, ClientOptions, ExportError};

/// What those who record and the sender share.
pub(super) struct Shared {
    pub(super) queue: Arc<dyn Queue>,
    pub(super) counters: Arc<Counters>,
    pub(super) wake: Notify,
    losses: AtomicU64,
}

impl Shared {
    pub(super) fn new(queue: Arc<dyn Queue>, counters: Arc<Counters>) -> Self {
        Self { queue, counters, wake: Notify::new(), losses: AtomicU64::new(0) }
    }

    /// How often something that was taken was lost, or told with less than it had.
    pub(super) fn losses(&self) -> u64 {
        self.losses.load(Ordering::Relaxed)
    }

    pub(super) fn add_loss(&self) {
        self.losses.fetch_add(1, Ordering::Relaxed);
    }

    fn lose(&self, reason: Drop, spans: u64) {
        if spans > 0 {
            self.counters.add_dropped(reason, spans);
            self.add_loss();
        }
    }
}

/// The most requests without an answer at a time.
const WINDOW: usize = 4;

/// The pause after a failure while a flush waits.
const HURRIED_WAIT: Duration = Duration::from_millis(250);

/// A peer may ask for any time; one beyond a day is a mistake, and one beyond the clock would be a panic.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

type Landed = (Batch, Result<Accepted, ExportError>);

/// The sender.
pub(super) struct Io<P> {
    shared: Arc<Shared>,
    peer: P,
    envelope: Arc<Envelope>,
    backoff: Backoff,
    pace: Pace,
    log: OutageLog,
    /// How many requests may be without an answer now: one after a failure, and one more with each success.
    window: usize,
    /// The longest batch that this peer has taken, in bytes.
    largest: usize,
    pause: Option<Pause>,
}

/// Until when nothing is sent.
#[derive(Clone, Copy)]
struct Pause {
    since: Instant,
    wait: Duration,
    /// The same while somebody waits for a flush.
    hurried: Duration,
}

/// Starts the thread that sends to the peer of these options.
pub(super) fn start(shared: Arc<Shared>, peer: ClientOptions, envelope: Envelope) -> Result<(), ExporterError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ExporterError::Thread)?;
    let client = {
        let _inside = runtime.enter();
        Client::new(&peer).map_err(ExporterError::Endpoint)?
    };
    let sender = move || {
        let mut io = Io::new(shared, Dialled::new(peer, client), envelope);
        runtime.block_on(io.run());
    };
    std::thread::Builder::new().name("veilspan-io".to_owned()).spawn(sender).map_err(ExporterError::Thread)?;
    Ok(())
}

impl<P: Peer> Io<P> {
    pub(super) fn new(shared: Arc<Shared>, peer: P, envelope: Envelope) -> Self {
        Self {
            shared,
            peer,
            envelope: Arc::new(envelope),
            backoff: Backoff::default(),
            pace: Pace::default(),
            log: OutageLog::new(),
            window: 1,
            largest: 0,
            pause: None,
        }
    }

    pub(super) async fn run(&mut self) {
        let mut flights: JoinSet<Landed> = JoinSet::new();
        loop {
            let tended = self.shared.queue.tend();
            if self.shared.queue.is_abandoned() {
                return;
            }
            let (mut until, is_paused) = self.paused();
            while !is_paused && flights.len() < self.window {
                match self.shared.queue.next() {
                    Next::Send(batch) => self.send(batch, &mut flights),
                    Next::Wait(due) => {
                        if flights.is_empty() {
                            self.pace.caught_up();
                        }
                        until = due;
                        break;
                    }
                    Next::Stop if flights.is_empty() => return,
                    Next::Stop => break,
                }
                // Each request after an outage waits for its turn.
                let (next, is_paused) = self.paused();
                if is_paused {
                    until = next;
                    break;
                }
            }
            let tend_at = tended.and_then(|wait| Instant::now().checked_add(wait));
            let until = [until, tend_at].into_iter().flatten().min();
            tokio::select! {
                Some(landed) = flights.join_next() => if let Ok((batch, answer)) = landed {
                    self.landed(batch, answer);
                },
                () = sleep_until(until) => {}
                () = self.shared.wake.notified() => {}
            }
        }
    }

    fn send(&mut self, batch: Batch, flights: &mut JoinSet<Landed>) {
        let envelope = match &batch.origin {
            Origin::Memory { .. } => &self.envelope,
            Origin::Log { envelope, .. } => envelope,
        };
        // What others have left has a pace of its own.
        if batch.is_own() {
            self.pace.sent(Instant::now(), batch.spans.len());
        }
        let answer = self.peer.send(envelope.request(batch.spans.clone()));
        flights.spawn(async move { (batch, answer.await) });
    }

    fn landed(&mut self, mut batch: Batch, answer: Result<Accepted, ExportError>) {
        let error = match answer {
            Ok(accepted) => return self.accepted(&batch, accepted),
            Err(error) => error,
        };
        let verdict = Verdict::of(&error, &batch, self.largest);
        let is_kept = verdict == Verdict::TooLong && self.shared.queue.set_aside(&batch, Drop::TooLongForPeer);
        self.log.failed(&error, verdict, is_kept, self.shared.queue.waiting());
        let now = Instant::now();
        match verdict {
            Verdict::Again => {
                batch.attempts = batch.attempts.saturating_add(1);
                self.shared.counters.add_retry();
                self.shared.queue.again(vec![batch]);
                if !error.answered() {
                    self.peer.reconnect();
                    self.largest = 0;
                }
                let wait = self.backoff.next(error.retry_after());
                self.rest(now, wait, error.retry_after().unwrap_or(HURRIED_WAIT));
            }
            Verdict::Hold => {
                self.shared.counters.add_retry();
                self.shared.queue.again(vec![batch]);
                self.rest(now, REFUSED, REFUSED);
            }
            Verdict::Halve => {
                self.window = 1;
                match batch.halves() {
                    Some(halves) => self.shared.queue.again(halves.into()),
                    // It does not look like what we made of it.
                    None => self.refused(&batch, Drop::PeerRefused),
                }
            }
            Verdict::TooLong => self.refused(&batch, Drop::TooLongForPeer),
            Verdict::Refused => self.refused(&batch, Drop::PeerRefused),
        }
    }

    fn accepted(&mut self, batch: &Batch, accepted: Accepted) {
        let rejected = u64::try_from(accepted.rejected_spans).unwrap_or_default().min(batch.count);
        self.backoff.reset();
        self.pause = None;
        self.window = (self.window + 1).min(WINDOW);
        self.largest = self.largest.max(batch.spans.len());
        let own = if batch.is_own() { batch.spans.len() } else { 0 };
        self.pace.taken(Instant::now(), own, self.shared.queue.backlog_bytes());
        // Said before anybody who waits for the batch can go on, and perhaps end the process.
        self.log.recovered();
        self.settle(batch, batch.count - rejected, Drop::PeerRefused);
    }

    fn refused(&mut self, batch: &Batch, reason: Drop) {
        self.settle(batch, 0, reason);
    }

    fn settle(&self, batch: &Batch, sent: u64, reason: Drop) {
        self.shared.queue.settle(batch, &mut || {
            if batch.is_own() {
                self.shared.counters.add_sent(sent);
                self.shared.lose(reason, batch.count - sent);
            } else {
                self.shared.counters.add_adopted_sent(sent);
                self.shared.counters.add_adopted_lost(batch.count - sent);
            }
        });
    }

    /// Nothing more is sent for a while.
    fn rest(&mut self, now: Instant, wait: Duration, hurried: Duration) {
        self.window = 1;
        self.pace.failed(now);
        // Of several requests that fail together the one that asks for the longest rest counts.
        let wait = wait.min(DAY).max(self.pause.map_or(Duration::ZERO, |pause| pause.wait));
        self.pause = Some(Pause { since: now, wait, hurried: hurried.min(DAY) });
    }

    /// Until when nothing may be sent, where that is not over.
    fn paused(&mut self) -> (Option<Instant>, bool) {
        let (now, is_hurried) = (Instant::now(), self.shared.queue.is_hurried());
        if let Some(Pause { since, wait, hurried }) = self.pause {
            let until = since + if is_hurried { wait.min(hurried) } else { wait };
            if until > now {
                return (Some(until), true);
            }
            self.pause = None;
        }
        match self.pace.not_before(now).filter(|_| !is_hurried) {
            Some(until) => (Some(until), true),
            None => (None, false),
        }
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
