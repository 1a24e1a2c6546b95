//! The command line: one file for each command.
//!
//! Data goes to stdout, everything else to stderr. Exit codes are those of `sysexits.h`: 64 usage, 65 bad data, 69
//! something that is needed is not there.

mod collector;
mod doctor;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

/// Record, reduce and replay LLM-agent runs over OpenTelemetry, without leaking what was said.
#[derive(Debug, Parser)]
#[command(name = "veilspan", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Collector(collector::Arguments),
    Doctor(doctor::Arguments),
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

/// Runs the command that `arguments` name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(error) => {
            let asked_for = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            // Where nothing can be written nothing can be said of it either.
            let _ = error.print();
            return ExitCode::from(if asked_for { 0 } else { 64 });
        }
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("veilspan=info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    let done = match arguments.command {
        Command::Collector(arguments) => collector::run(arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tracing::error!(target: "veilspan", "{failure}");
            failure.code()
        }
    }
}
