//! `veilspan collector`: the stage between two pipelines of an OpenTelemetry Collector.

use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::{Failure, stop};
use crate::collector::{Config, Left, Pipeline, Stage, StageError};
use crate::environment;

/// How long a stage that is told to stop may take to finish what it has.
const DRAIN: Duration = Duration::from_secs(10);

/// Run the stage between two pipelines of an OpenTelemetry Collector.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// A configuration file, shaped like the Collector's.
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
    let snapshot = policy.snapshot().clone();
    let pipelines = told(&config);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|_| Failure::Unavailable("no runtime could be started".to_owned()))?;
    // Signals are taken before the stage listens, so that none is missed.
    let stop = {
        let _inside = runtime.enter();
        stop::signal().map_err(|_| Failure::Unavailable("signals cannot be received".to_owned()))?
    };
    let stage = Stage::builder(config).policy(policy).start().map_err(|error| failure(&error))?;
    let listen: Vec<_> = stage.addresses().iter().map(|(name, address)| format!("{name}={address}")).collect();
    let listen = listen.join(" ");
    if let Some(address) = stage.telemetry() {
        tracing::info!(target: "veilspan", %address, "metrics and health are served");
    }
    tracing::info!(target: "veilspan", listen, pipelines, policy = %snapshot, "the stage is ready");
    runtime.block_on(stop);
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
    Ok(())
}

/// Each pipeline and its steps.
fn told(config: &Config) -> String {
    let one = |pipeline: &Pipeline| {
        let processors: Vec<_> = pipeline.processors.iter().map(ToString::to_string).collect();
        format!("{}=[{}]", pipeline.name, processors.join(", "))
    };
    config.pipelines.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn read(file: &std::path::Path) -> Result<Config, Failure> {
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
