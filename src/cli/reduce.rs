//! `veilspan reduce`: what the agents of a recording did.

use std::io::{self, Write};
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
    let output = arguments.output.as_deref();
    match (arguments.format, rollouts.as_slice()) {
        (Format::Tree, rollouts) => {
            let text = rollouts.iter().map(tree).collect::<Vec<_>>().join("\n");
            let is_coloured = output.is_none() && paint::is_wanted();
            output::write(output, &if is_coloured { paint::tree(&text) } else { text })
        }
        (Format::Json, [one]) => output::write(output, &one.serialise()),
        (Format::Json, rollouts) => {
            output::write_by(output, |to| rollouts.iter().try_for_each(|one| writeln!(to, "{}", one.to_json())))
        }
        (Format::CodexState, rollouts) => output::write_by(output, |to| codex_state(rollouts, to)),
    }
}

/// One rollout indented, several as JSON lines.
fn codex_state(rollouts: &[Rollout], to: &mut dyn Write) -> io::Result<()> {
    for rollout in rollouts {
        match rollouts {
            [one] => serde_json::to_writer_pretty(&mut *to, &one.codex_state())?,
            _ => serde_json::to_writer(&mut *to, &rollout.codex_state())?,
        }
        writeln!(to)?;
    }
    Ok(())
}
