//! `veilspan reduce`: what the agents of a recording did.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Failure, input, output, paint};
use crate::reduce::{Rollout, tree};

/// Reduce recordings to what their agents did.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A Codex bundle, a session, a folder of hook events, OTLP JSON lines, traces of Jaeger or Tempo, or
    /// `latest` for the newest bundle. Several are taken together.
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
    /// Where to write it, instead of to stdout.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// `state.json`: one rollout as it is, several as JSON lines.
    Json,
    /// A tree for people, coloured on a terminal.
    Tree,
    /// The shape that Codex' own reducer writes.
    CodexState,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (rollouts, _) = input::rollouts(&arguments.inputs, &super::policy())?;
    let text = text(arguments.format, &rollouts);
    let is_coloured = arguments.output.is_none() && arguments.format == Format::Tree && paint::is_wanted();
    output::write(arguments.output.as_deref(), &if is_coloured { paint::tree(&text) } else { text })
}

fn text(format: Format, rollouts: &[Rollout]) -> String {
    match (format, rollouts) {
        (Format::Tree, _) => rollouts.iter().map(tree).collect::<Vec<_>>().join("\n"),
        (Format::Json, [one]) => one.serialise(),
        (Format::CodexState, [one]) => format!("{:#}\n", one.to_codex_state()),
        (Format::Json, _) => rollouts.iter().map(|one| format!("{}\n", one.to_json())).collect(),
        (Format::CodexState, _) => rollouts.iter().map(|one| format!("{}\n", one.to_codex_state())).collect(),
    }
}
