//! The command line: one file for each command.
//!
//! Data goes to stdout, everything else to stderr. Exit codes are those of `sysexits.h`: 64 usage, 65 bad data, 69
//! something that is needed is not there.

mod cassette;
mod collector;
mod diff;
mod doctor;
mod hook;
mod import;
mod input;
mod mask;
mod outlet;
mod output;
mod paint;
#[cfg(unix)]
mod payload;
mod reduce;
mod replay;
mod restore;
mod sessions;
mod stop;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use tracing::Level;
use tracing_subscriber::filter::{FilterExt, filter_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::environment::Environment;
use crate::privacy::Policy;

/// Record, reduce and replay LLM-agent runs over OpenTelemetry, without leaking what was said.
#[derive(Debug, Parser)]
#[command(name = "veilspan", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Cassette(cassette::Arguments),
    Collector(collector::Arguments),
    Diff(diff::Arguments),
    Doctor(doctor::Arguments),
    Hook(hook::Arguments),
    Import(import::Arguments),
    Mask(mask::Arguments),
    #[cfg(unix)]
    Payload(payload::Arguments),
    Reduce(reduce::Arguments),
    Replay(replay::Arguments),
    Restore(restore::Arguments),
    Sessions(sessions::Arguments),
}

/// The policy that commands read content under. Its key is kept for this user, so that what one command told can be held
/// against what another tells.
fn policy() -> Policy {
    Policy::builder().keep_key().build()
}

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    BadData(String),
    #[error("{0}")]
    Unavailable(String),
}

impl Failure {
    fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 64,
            Self::BadData(_) => 65,
            Self::Unavailable(_) => 69,
        })
    }
}

/// Only our own targets: the libraries below log headers. Why a command failed is said in any case: a filter that was meant
/// for other programs must not keep it back.
fn log_to_stderr() {
    let environment = Environment::from_process();
    let wanted = environment.otel("RUST_LOG").and_then(|filter| EnvFilter::try_new(filter).ok());
    let ours = filter_fn(|metadata| metadata.target().split("::").next() == Some("veilspan"));
    let wanted = wanted.unwrap_or_else(|| EnvFilter::new("veilspan=info"));
    let errors = filter_fn(|metadata| *metadata.level() == Level::ERROR);
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // Colours would come with a feature that somebody else may switch on, and would stand in files.
        .with_ansi(false)
        .with_filter(wanted.or(errors).and(ours));
    tracing_subscriber::registry().with(layer).init();
}

/// Runs the command that `arguments` name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    if hook::is_called(&arguments) {
        hook::run();
        return ExitCode::SUCCESS;
    }
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Where nothing can be written nothing can be said of it either.
            let _ = error.print();
            return ExitCode::from(if asked_for { 0 } else { 64 });
        }
    };
    log_to_stderr();
    let done = match arguments.command {
        Command::Cassette(arguments) => cassette::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Collector(arguments) => collector::run(arguments).map(|()| ExitCode::SUCCESS),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments).map(|()| ExitCode::SUCCESS),
        // It was called above.
        Command::Hook(_) => Ok(ExitCode::SUCCESS),
        Command::Import(arguments) => import::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Mask(arguments) => mask::run(&arguments).map(|()| ExitCode::SUCCESS),
        #[cfg(unix)]
        Command::Payload(arguments) => payload::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Reduce(arguments) => reduce::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Replay(arguments) => replay::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Restore(arguments) => restore::run(&arguments).map(|()| ExitCode::SUCCESS),
        Command::Sessions(arguments) => sessions::run(&arguments).map(|()| ExitCode::SUCCESS),
    };
    match done {
        Ok(code) => code,
        Err(failure) => {
            tracing::error!(target: "veilspan", "{failure}");
            failure.code()
        }
    }
}
