//! What the examples share: a scripted model, where spans go, and how what has left is shown. Each uses a part of it.
#![allow(dead_code, clippy::indexing_slicing)]

pub(crate) mod genai_client;
pub(crate) mod scripted;
pub(crate) mod telemetry;
pub(crate) mod told;

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

/// Prints what a program tells, or logs why it failed.
pub(crate) fn report(told: Result<String, Box<dyn Error>>) -> ExitCode {
    match told.and_then(|told| Ok(std::io::stdout().write_all(told.as_bytes())?)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}
