//! `veilspan diff`: what a run did otherwise than another.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use super::{Failure, input, output};
use crate::privacy::Policy;
use crate::replay::{Run, Verdict, diff};

/// Say what a run did otherwise than another: exit 0 same, 1 drift, 2 inconclusive.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The run that is taken for right: a Codex bundle, a session, a folder of hook events, OTLP JSON lines, traces of
    /// Jaeger or Tempo, or `latest` for the newest bundle.
    baseline: PathBuf,
    /// The run that is held against it.
    candidate: PathBuf,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Side by side, for people.
    Text,
    /// For gates.
    Json,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let policy = super::policy();
    let baseline = one(&arguments.baseline, &policy)?;
    let candidate = one(&arguments.candidate, &policy)?;
    let report = diff(&baseline, &candidate);
    let text = match arguments.format {
        Format::Text => report.text(&baseline, &candidate),
        Format::Json => format!("{:#}\n", report.to_json()),
    };
    output::write(None, &text)?;
    Ok(ExitCode::from(match report.verdict() {
        Verdict::Same => 0,
        Verdict::Drift => 1,
        Verdict::Inconclusive => 2,
    }))
}

/// The one run of an input.
fn one(path: &PathBuf, policy: &Policy) -> Result<Run, Failure> {
    let (rollouts, incomplete) = input::rollouts(std::slice::from_ref(path), policy)?;
    match &*rollouts {
        [one] => {
            let mut run = Run::of_recording(one);
            run.incomplete |= incomplete;
            Ok(run)
        }
        several => {
            let (path, count) = (path.display(), several.len());
            Err(Failure::BadData(format!("{path}: holds {count} rollouts, and only one can be compared at a time")))
        }
    }
}
