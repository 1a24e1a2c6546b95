//! A running stage.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::capture::Capture;
use super::config::{self, Config, ConfigError, Processor};
use super::following::Following;
use super::forward::Forward;
use super::health::Health;
use super::input_log;
use super::listen::{Listener, Protocol, TraceDoor};
use super::output::{Findings, Output};
use super::recordings::{self, Folder, RecordingsError};
use super::rollouts::{RolloutDoor, Rollouts};
use super::tasks::{beat, run, serve, tick};
use super::telemetry::{Pages, Report};
use crate::event::{Clock, SystemClock};
use crate::export::ExporterError;
use crate::otlp::{Gate, GateLimits};
use crate::privacy::Policy;
use crate::processor::dialect::Dialect;
use crate::processor::follow::Follow;
use crate::processor::privacy::Privacy;
use crate::reduce::{Limits, Rollout};

/// What the listener of `RolloutService` is called beside the receivers.
const ROLLOUTS: &str = "rollouts";

/// A stage that could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// The configuration cannot be used.
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    /// An address cannot be listened on.
    #[error("an address cannot be listened on")]
    Listen(#[source] std::io::Error),
    /// A listener's files for TLS cannot be used.
    #[error("a listener's certificate cannot be used")]
    Certificate(#[source] crate::otlp::ConfigError),
    /// A listener's token cannot be used.
    #[error("a listener's token cannot be used")]
    Token(#[source] std::io::Error),
    /// A next hop's address cannot be used.
    #[error("the next hop cannot be used")]
    Export(#[from] ExporterError),
    /// Recordings cannot be read.
    #[error("recordings cannot be read")]
    Recordings(#[from] RecordingsError),
    /// A file cannot be written.
    #[error("a file cannot be written")]
    File(#[source] std::io::Error),
    /// No threads could be started.
    #[error("no threads could be started")]
    Threads(#[source] std::io::Error),
}

/// The same error with what it is about: an address, or a name of the configuration.
pub(in crate::collector) fn about(what: impl fmt::Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{what}: {error}"))
}

/// Builds a [`Stage`].
#[derive(Debug)]
#[must_use]
pub struct StageBuilder {
    config: Config,
    policy: Option<Policy>,
    limits: Limits,
    gate: GateLimits,
    capture: Option<Arc<Capture>>,
}

/// A stage at work, on threads of its own.
pub struct Stage {
    addresses: Vec<(String, SocketAddr)>,
    telemetry: Option<SocketAddr>,
    report: Arc<Report>,
    runtime: Option<Runtime>,
    stop: watch::Sender<bool>,
    stopped: Receiver<std::convert::Infallible>,
}

/// What a stage leaves behind when it stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Left {
    /// Rollouts that were still open: whoever goes on with them tells of them.
    pub open_rollouts: usize,
    /// Spans of the stage's own, and of best-effort exporters, that could not be sent, now or before.
    pub unsent_spans: u64,
    /// Log records of findings that could not be sent, now or before.
    pub unsent_findings: u64,
    /// Requests that were still being answered at the deadline.
    pub requests_cut_off: u64,
    /// Whether contents that are to be kept whole were still being written at the deadline.
    pub payloads_unkept: bool,
}

impl StageBuilder {
    /// What may leave, where `privacy` is a step. Without one the environment's policy holds.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// How long reduction waits and what it may hold, in each pipeline.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How much may be taken in at once, over all listeners.
    pub const fn gate(mut self, limits: GateLimits) -> Self {
        self.gate = limits;
        self
    }

    /// Keeps what leaves in memory instead of sending it.
    pub fn capture(mut self, capture: Arc<Capture>) -> Self {
        self.capture = Some(capture);
        self
    }

    /// Starts it. When this returns, it listens. Nothing has been started where it fails: every address is bound, every
    /// file read and opened and every exporter made before anything runs.
    ///
    /// # Errors
    ///
    /// [`StageError`]: the first thing that is in the way.
    pub fn start(self) -> Result<Stage, StageError> {
        self.config.check()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("veilspan-stage")
            .enable_all()
            .build()
            .map_err(StageError::Threads)?;
        let inside = runtime.enter();
        let gate = Arc::new(Gate::new(self.gate));
        let health = Arc::new(Health::new());
        let policy = match self.policy {
            Some(policy) => policy,
            None => Policy::from_env(),
        };
        let (mut pipelines, mut listeners) = (Vec::new(), Vec::new());
        for pipeline in &self.config.pipelines {
            let forward = Arc::new(forward(pipeline, &policy, &self.limits, self.capture.as_ref())?);
            for receiver in &pipeline.receivers {
                for (protocol, listen) in [(Protocol::Grpc, &receiver.grpc), (Protocol::Http, &receiver.http)] {
                    let Some(listen) = listen else { continue };
                    let listener = Listener::<TraceDoor<Forward>>::bind(listen, protocol, &forward, &gate, &health)?;
                    listeners.push((receiver.name.clone(), listener));
                }
            }
            pipelines.push(forward);
        }
        let rollouts = self.config.rollouts.as_ref().map(|rollouts| {
            let recordings = rollouts.recordings.as_deref().map(Folder::at);
            let rollouts_of = Arc::new(Rollouts::new(pipelines.clone(), recordings));
            let door = |guard| RolloutDoor { guard, rollouts: rollouts_of };
            Listener::guarded(&rollouts.listen, Protocol::Grpc, &gate, &health, door)
        });
        let rollouts = rollouts.transpose()?;
        let tallies = listeners.iter().map(|(name, listener)| (name.clone(), listener.protocol, listener.tally()));
        let of_rollouts = rollouts.iter().map(|listener| (ROLLOUTS.to_owned(), listener.protocol, listener.tally()));
        let tallies = tallies.chain(of_rollouts).collect();
        let report = Arc::new(Report { health, gate, pipelines, listeners: tallies });
        let pages = self.config.telemetry.map(|address| pages(address, &report)).transpose()?;

        let addresses = listeners
            .iter()
            .map(|(name, listener)| (format!("{name}/{}", listener.protocol.as_str()), listener.address));
        let of_rollouts = rollouts.iter().map(|listener| (format!("{ROLLOUTS}/grpc"), listener.address));
        let addresses = addresses.chain(of_rollouts).collect();
        let telemetry = pages.as_ref().map(|pages| pages.address);
        let (stop, stopping) = watch::channel(false);
        let (running, stopped) = channel();
        report.health.beat();
        for (_, listener) in listeners {
            run(&runtime, listener, &report.health, &stopping, running.clone());
        }
        if let Some(rollouts) = rollouts {
            run(&runtime, rollouts, &report.health, &stopping, running.clone());
        }
        if let Some(pages) = pages {
            // Nobody is kept from stopping by a scrape.
            let worker = report.health.worker();
            runtime.spawn(serve(pages, stopping.clone(), worker));
        }
        for pipeline in &report.pipelines {
            runtime.spawn(tick(Arc::clone(pipeline), stopping.clone(), report.health.worker()));
            if pipeline.following.is_some() {
                runtime.spawn(input_log::emit(Arc::clone(pipeline), stopping.clone(), report.health.worker()));
            }
        }
        runtime.spawn(beat(Arc::clone(&report.health), Arc::clone(&report.gate), stopping, report.health.worker()));
        drop(inside);
        Ok(Stage { addresses, telemetry, report, runtime: Some(runtime), stop, stopped })
    }
}

fn forward(
    pipeline: &config::Pipeline,
    policy: &Policy,
    limits: &Limits,
    capture: Option<&Arc<Capture>>,
) -> Result<Forward, StageError> {
    let listens = pipeline.receivers.iter().flat_map(|receiver| receiver.grpc.iter().chain(&receiver.http));
    let largest = listens.map(|listen| listen.max_message_bytes).max().unwrap_or_default();
    let output = match capture {
        Some(capture) => Output::capture(Arc::clone(capture)),
        None => Output::new(&pipeline.exporters, largest)?,
    };
    let has = |processor| pipeline.processors.contains(&processor);
    let place_of = |is: fn(&Processor) -> bool| pipeline.processors.iter().position(is);
    let dialect = pipeline.processors.iter().find_map(|processor| match processor {
        Processor::Dialect(options) => Some(Dialect::new(options.clone())),
        _ => None,
    });
    let clock = SystemClock::default();
    let following = following(pipeline, policy, limits, clock.unix_nanos())?;
    Ok(Forward {
        name: pipeline.name.clone(),
        privacy: has(Processor::Privacy).then(|| Privacy::new(policy.clone()).of_all_spans(pipeline.veils_all_spans)),
        dialect,
        reduces_translated: place_of(|processor| matches!(processor, Processor::Dialect(_)))
            < place_of(|processor| matches!(processor, Processor::Reduce | Processor::Replay)),
        following,
        output,
        clock: Arc::new(clock),
        tally: Default::default(),
    })
}

/// What follows from what passes; nothing where no processor wants that.
fn following(
    pipeline: &config::Pipeline,
    policy: &Policy,
    limits: &Limits,
    now: u64,
) -> Result<Option<Following>, StageError> {
    let baselines = match &pipeline.replay {
        Some(replay) => Some(recordings::baselines(replay, policy)?),
        None => None,
    };
    let follow = match (pipeline.processors.contains(&Processor::Reduce), baselines) {
        (true, None) => Follow::reducing(limits.clone()),
        (true, Some(baselines)) => Follow::reducing(limits.clone()).and_comparing(baselines),
        (false, Some(baselines)) => Follow::comparing(limits.clone(), baselines),
        (false, None) => return Ok(None),
    };
    let findings = Findings::new(&pipeline.findings)?;
    Ok(Some(match &pipeline.input_log {
        Some(log) => Following::with_log(follow, findings, log, now).map_err(ExporterError::Spool)?,
        None => Following::new(follow, findings),
    }))
}

fn pages(address: SocketAddr, report: &Arc<Report>) -> Result<Listener<Pages>, StageError> {
    let is_loopback = address.ip().is_loopback();
    Listener::plain(address, Pages { report: Arc::clone(report), is_loopback, tally: Arc::default() })
}

impl Stage {
    /// A stage of this configuration.
    pub fn builder(config: Config) -> StageBuilder {
        StageBuilder { config, policy: None, limits: Limits::default(), gate: GateLimits::default(), capture: None }
    }

    /// Where its first listener listens.
    pub fn address(&self) -> SocketAddr {
        self.addresses.first().map_or_else(|| SocketAddr::from(([0, 0, 0, 0], 0)), |(_, address)| *address)
    }

    /// Where it listens: `otlp/grpc` and `otlp/http` for the receiver `otlp`, `rollouts/grpc` for who asks.
    pub fn addresses(&self) -> &[(String, SocketAddr)] {
        &self.addresses
    }

    /// Where `/metrics` and `/healthz` are.
    pub const fn telemetry(&self) -> Option<SocketAddr> {
        self.telemetry
    }

    /// What is counted, in Prometheus' text format.
    pub fn metrics(&self) -> String {
        self.report.metrics()
    }

    /// From now on spans leave under this policy, by every pipeline that has `privacy` as a step.
    pub fn set_policy(&self, policy: &Policy) {
        let privacy = self.report.pipelines.iter().filter_map(|pipeline| pipeline.privacy.as_ref());
        privacy.for_each(|privacy| privacy.set_policy(policy.clone()));
    }

    /// How many spans it has refused because they cannot be read.
    pub fn refused_spans(&self) -> u64 {
        let unreadable =
            |pipeline: &Arc<Forward>| pipeline.tally.unreadable_spans.load(std::sync::atomic::Ordering::Relaxed);
        self.report.pipelines.iter().map(unreadable).sum()
    }

    /// The rollouts that are open, or closed and not forgotten, in the order in which they were first seen, pipeline by
    /// pipeline; none without `reduce`. Derives all of them, in time linear in what they hold.
    pub fn rollouts(&self) -> Vec<Rollout> {
        let following = self.report.pipelines.iter().filter_map(|pipeline| pipeline.following.as_ref());
        following.flat_map(Following::rollouts).collect()
    }

    /// Takes no more requests, answers those it has, closes what waits for late data alone, and sends what it has added;
    /// all of it until `timeout` has passed. Blocks the calling thread.
    pub fn shutdown(mut self, timeout: Duration) -> Left {
        let timeout = timeout.min(Duration::from_secs(24 * 60 * 60));
        let deadline = Instant::now() + timeout;
        self.report.health.stop();
        self.stop.send_replace(true);
        // A slow request must not take the time in which the stage's own spans can leave. Nothing is ever sent: this ends
        // when the last who could send is gone.
        let _ = self.stopped.recv_timeout(timeout.mul_f32(0.75));
        let requests_cut_off = self.report.listeners.iter().map(|(_, _, tally)| tally.open_requests()).sum();
        let mut left = Left { requests_cut_off, ..Left::default() };
        for Forward { following, output, clock, .. } in self.report.pipelines.iter().map(AsRef::as_ref) {
            let open = following.as_ref().map_or(0, |following| following.shutdown(clock.unix_nanos(), output));
            left.open_rollouts += open;
        }
        self.emit_the_rest(deadline);
        for pipeline in &self.report.pipelines {
            left.unsent_spans += pipeline.output.shutdown(deadline);
            left.unsent_findings += pipeline.following.as_ref().map_or(0, |it| it.findings().shutdown(deadline));
        }
        let privacy = self.report.pipelines.iter().filter_map(|pipeline| pipeline.privacy.as_ref());
        left.payloads_unkept = privacy.filter(|privacy| !privacy.flush(deadline)).count() > 0;
        self.end();
        left
    }

    /// Sends what the input logs hold. What has no answer by then stays in them.
    fn emit_the_rest(&self, deadline: Instant) {
        let Some(runtime) = &self.runtime else { return };
        let (sending, sent) = channel::<std::convert::Infallible>();
        for pipeline in &self.report.pipelines {
            let (pipeline, sending) = (Arc::clone(pipeline), sending.clone());
            runtime.spawn(async move {
                if let Some(following) = &pipeline.following {
                    input_log::send_all(&pipeline, following).await;
                }
                drop(sending);
            });
        }
        drop(sending);
        let _ = sent.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }

    fn end(&mut self) {
        self.report.health.stop();
        if let Some(runtime) = self.runtime.take() {
            // Never waits, so that it may be called from anywhere.
            runtime.shutdown_background();
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.end();
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}
