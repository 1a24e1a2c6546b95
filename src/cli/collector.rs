//! `veilspan collector`: the stage between two pipelines of an OpenTelemetry Collector.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};

use super::Failure;
use super::stop::{Asked, Signals};
use crate::collector::{Config, Left, Pipeline, Stage, StageError};
use crate::environment;
use crate::privacy::Policy;

/// How long a stage that is told to stop may take to finish what it has.
const DRAIN: Duration = Duration::from_secs(10);
/// How long one that has stopped may take to let go of its addresses and files.
const LET_GO: Duration = Duration::from_secs(2);

/// Run the stage between two pipelines of an OpenTelemetry Collector.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// A configuration file, shaped like the Collector's; read again on SIGHUP.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["listen", "export"])]
    config: Option<PathBuf>,
    /// The address to take OTLP gRPC on.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:4317")]
    listen: SocketAddr,
    /// Where to send spans.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:14317")]
    export: String,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read a configuration and say what is wrong with it, without starting anything.
    Validate {
        /// The configuration.
        file: PathBuf,
    },
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    if let Some(Command::Validate { file }) = &arguments.command {
        let config = read(file)?;
        tracing::info!(target: "veilspan", pipelines = config.pipelines.len(), "the configuration can be used");
        return Ok(());
    }
    let config = match &arguments.config {
        Some(file) => read(file)?,
        None => Config::between(arguments.listen, Some(&arguments.export)),
    };
    let policy = super::policy();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| Failure::Unavailable("no runtime could be started".to_owned()))?;
    // Signals are taken before the stage listens, so that none is missed.
    let mut signals = {
        let _inside = runtime.enter();
        Signals::new(arguments.config.is_some())
            .map_err(|_| Failure::Unavailable("signals cannot be received".to_owned()))?
    };
    let mut running = Running { stage: start(&config, &policy).map_err(|error| failure(&error))?, config };
    while let (Asked::Reload, Some(file)) = (runtime.block_on(signals.next()), &arguments.config) {
        let is_over = || runtime.block_on(signals.asks_to_stop());
        match running.again(file, &policy, is_over)? {
            Some(again) => running = again,
            None => return Ok(()),
        }
    }
    drain(running.stage);
    Ok(())
}

/// A stage, and what it was started with.
struct Running {
    stage: Stage,
    config: Config,
}

impl Running {
    /// The stage as its configuration stands now. One that cannot be used changes nothing; what the process was started
    /// with, the policy and its key, stays in any case. Nothing where it `is_over` once the stage has finished what it had.
    fn again(self, file: &Path, policy: &Policy, is_over: impl FnOnce() -> bool) -> Result<Option<Self>, Failure> {
        let config = match read(file) {
            Ok(config) => config,
            Err(error) => {
                tracing::error!(target: "veilspan", %error, "nothing was reloaded: the configuration cannot be used");
                return Ok(Some(self));
            }
        };
        // Both cannot have the same addresses and files: one after the other.
        drain(self.stage);
        if is_over() {
            return Ok(None);
        }
        match start_behind(&config, policy) {
            Ok(stage) => {
                tracing::info!(target: "veilspan", "the configuration was reloaded");
                Ok(Some(Self { stage, config }))
            }
            Err(error) => {
                let error = failure(&error);
                tracing::error!(target: "veilspan", %error, "nothing was reloaded: the stage goes on as it was");
                let stage = start_behind(&self.config, policy).map_err(|error| failure(&error))?;
                Ok(Some(Self { stage, config: self.config }))
            }
        }
    }
}

/// Starts a stage where another one has just ended, which may take a moment to let go of all that it held.
fn start_behind(config: &Config, policy: &Policy) -> Result<Stage, StageError> {
    let until = Instant::now() + LET_GO;
    loop {
        match start(config, policy) {
            Err(_) if Instant::now() < until => std::thread::sleep(LET_GO / 40),
            started => return started,
        }
    }
}

fn start(config: &Config, policy: &Policy) -> Result<Stage, StageError> {
    let stage = Stage::builder(config.clone()).policy(policy.clone()).start()?;
    let listen: Vec<_> = stage.addresses().iter().map(|(name, address)| format!("{name}={address}")).collect();
    let (listen, pipelines) = (listen.join(" "), told(config));
    if let Some(address) = stage.telemetry() {
        tracing::info!(target: "veilspan", %address, "metrics and health are served");
    }
    tracing::info!(target: "veilspan", listen, pipelines, policy = %policy.snapshot(), "the stage is ready");
    Ok(stage)
}

/// Lets a stage finish what it has, and says what is left of that.
fn drain(stage: Stage) {
    let left = stage.shutdown(DRAIN);
    let Left { unsent_spans, unsent_findings, requests_cut_off, payloads_unkept, .. } = left;
    if unsent_spans > 0 || unsent_findings > 0 || requests_cut_off > 0 || payloads_unkept {
        tracing::warn!(
            target: "veilspan",
            unsent_spans,
            unsent_findings,
            requests_cut_off,
            payloads_unkept,
            "not everything could be finished in time"
        );
    }
    tracing::info!(target: "veilspan", open_rollouts = left.open_rollouts, "the stage has stopped");
}

/// Each pipeline and its steps.
fn told(config: &Config) -> String {
    let one = |pipeline: &Pipeline| {
        let processors: Vec<_> = pipeline.processors.iter().map(ToString::to_string).collect();
        format!("{}=[{}]", pipeline.name, processors.join(", "))
    };
    config.pipelines.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn read(file: &Path) -> Result<Config, Failure> {
    let yaml = std::fs::read_to_string(file)
        .map_err(|error| Failure::BadData(format!("{}: cannot be read: {}", file.display(), error.kind())))?;
    let variable = environment::named_in_a_file;
    Config::from_yaml(&yaml, &variable).map_err(|error| Failure::BadData(format!("{}: {error}", file.display())))
}

fn failure(error: &StageError) -> Failure {
    let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
    match error {
        StageError::Config(_) | StageError::Certificate(_) | StageError::Token(_) | StageError::Recordings(_) => {
            Failure::BadData(format!("{error}{cause}"))
        }
        StageError::Export(_) => Failure::Usage(format!("{error}{cause}")),
        _ => Failure::Unavailable(format!("{error}{cause}")),
    }
}
