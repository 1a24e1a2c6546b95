//! A running stage.

use std::fmt;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::capture::Capture;
use super::config::{Config, ConfigError, Processor};
use super::forward::Forward;
use super::output::Output;
use super::reduction::Reduction;
use crate::event::SystemClock;
use crate::export::ExporterError;
use crate::otlp::TraceServer;
use crate::privacy::Policy;
use crate::processor::privacy::Privacy;
use crate::reduce::{Limits, Rollout};

/// A stage that could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StageError {
    /// The configuration cannot be used.
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    /// The address cannot be listened on.
    #[error("the address cannot be listened on")]
    Listen(#[source] std::io::Error),
    /// The next hop's address cannot be used.
    #[error("the next hop cannot be used")]
    Export(#[from] ExporterError),
    /// No threads could be started.
    #[error("no threads could be started")]
    Threads(#[source] std::io::Error),
}

/// Builds a [`Stage`].
#[derive(Debug)]
#[must_use]
pub struct StageBuilder {
    config: Config,
    policy: Option<Policy>,
    limits: Limits,
    capture: Option<Arc<Capture>>,
}

/// A stage at work, on threads of its own.
pub struct Stage {
    address: SocketAddr,
    forward: Arc<Forward>,
    runtime: Option<Runtime>,
    stop: watch::Sender<bool>,
    stopped: Receiver<()>,
}

/// What a stage leaves behind when it stops.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Left {
    /// Rollouts that were still open: whoever goes on with them tells of them.
    pub open_rollouts: usize,
    /// Spans of the stage's own that could not be sent, now or before.
    pub unsent_spans: u64,
    /// Whether requests were still being answered at the deadline.
    pub requests_cut_off: bool,
}

impl StageBuilder {
    /// What may leave, where `privacy` is a step. Without one the environment's policy holds.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// How long reduction waits and what it may hold.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Keeps what leaves in memory instead of sending it.
    pub fn capture(mut self, capture: Arc<Capture>) -> Self {
        self.capture = Some(capture);
        self
    }

    /// Starts it. When this returns, it listens.
    pub fn start(self) -> Result<Stage, StageError> {
        self.config.check()?;
        let listener = TcpListener::bind(self.config.listen).map_err(StageError::Listen)?;
        listener.set_nonblocking(true).map_err(StageError::Listen)?;
        let address = listener.local_addr().map_err(StageError::Listen)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("veilspan-stage")
            .enable_all()
            .build()
            .map_err(StageError::Threads)?;
        let inside = runtime.enter();
        let output = match (self.capture, &self.config.export) {
            (Some(capture), _) => Output::Capture(capture),
            (None, Some(endpoint)) => Output::otlp(endpoint)?,
            (None, None) => Output::Nowhere,
        };
        let has = |processor| self.config.processors.contains(&processor);
        let policy = self.policy;
        let forward = Arc::new(Forward {
            privacy: has(Processor::Privacy).then(|| Privacy::new(policy.unwrap_or_else(Policy::from_env))),
            reduction: has(Processor::Reduce).then(|| Reduction::new(self.limits)),
            output,
            clock: Arc::new(SystemClock::default()),
            refused: AtomicU64::new(0),
        });
        let (stop, stopping) = watch::channel(false);
        let (stopped_sender, stopped) = sync_channel(1);
        let listener = tokio::net::TcpListener::from_std(listener).map_err(StageError::Listen)?;
        let service = TraceServer::new(Arc::clone(&forward));
        runtime.spawn(tick(Arc::clone(&forward), stopping.clone()));
        runtime.spawn(async move {
            let served = serve(listener, service, stopping).await;
            if served.is_err() {
                tracing::error!(target: "veilspan", "the listener stopped");
            }
            // Nobody may be waiting any more.
            let _ = stopped_sender.send(());
        });
        drop(inside);
        Ok(Stage { address, forward, runtime: Some(runtime), stop, stopped })
    }
}

impl Stage {
    /// A stage of this configuration.
    pub fn builder(config: Config) -> StageBuilder {
        StageBuilder { config, policy: None, limits: Limits::default(), capture: None }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many spans it has refused because they cannot be read.
    pub fn refused_spans(&self) -> u64 {
        self.forward.refused.load(Ordering::Relaxed)
    }

    /// The rollouts that are open, or closed and not forgotten, in the order in which they were first seen; none without
    /// `reduce`. Derives all of them, in time linear in what they hold.
    pub fn rollouts(&self) -> Vec<Rollout> {
        self.forward.reduction.as_ref().map(Reduction::rollouts).unwrap_or_default()
    }

    /// Takes no more requests, answers those it has, closes what waits for late data alone, and sends what it has added;
    /// all of it until `timeout` has passed. Blocks the calling thread.
    pub fn shutdown(mut self, timeout: Duration) -> Left {
        let timeout = timeout.min(Duration::from_secs(24 * 60 * 60));
        let deadline = Instant::now() + timeout;
        self.stop.send_replace(true);
        // A slow request must not take the time in which the stage's own spans can leave.
        let requests_cut_off = self.stopped.recv_timeout(timeout.mul_f32(0.75)).is_err();
        let Forward { reduction, output, clock, .. } = &*self.forward;
        let reduction = reduction.as_ref();
        let open_rollouts = reduction.map_or(0, |reduction| reduction.shutdown(clock.unix_nanos(), output));
        let unsent_spans = output.shutdown(deadline);
        self.end();
        Left { open_rollouts, unsent_spans, requests_cut_off }
    }

    fn end(&mut self) {
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
        f.debug_struct("Stage").field("address", &self.address).finish_non_exhaustive()
    }
}

async fn serve(
    listener: tokio::net::TcpListener,
    service: TraceServer<Forward>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), tonic::transport::Error> {
    let incoming = tonic::transport::server::TcpIncoming::from(listener).with_nodelay(Some(true));
    let stop = async move {
        // An error means that the stage itself is gone.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    tonic::transport::Server::builder().add_service(service).serve_with_incoming_shutdown(incoming, stop).await
}

/// What closes by time closes at most this much late.
const TICK: Duration = Duration::from_millis(250);

async fn tick(forward: Arc<Forward>, mut stopping: watch::Receiver<bool>) {
    let Some(reduction) = &forward.reduction else { return };
    loop {
        tokio::select! {
            () = tokio::time::sleep(TICK) => reduction.tick(forward.clock.unix_nanos(), &forward.output),
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}
