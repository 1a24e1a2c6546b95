//! `veilspan reduce`: what the agents of a recording did.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Failure, input};
use crate::privacy::Policy;
use crate::reduce::{Absorbed, Facts, Rollout, tree};

/// Reduce recordings to what their agents did.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// A Codex bundle, OTLP JSON lines, or `latest` for the newest bundle. Several are taken together.
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
    /// A tree for people.
    Tree,
    /// The shape that Codex' own reducer writes.
    CodexState,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let policy = Policy::from_env();
    let mut facts = Facts::default();
    for given in &arguments.inputs {
        let path = input::resolve(given)?;
        let mut refused = 0u64;
        let aside = input::read(&path, &policy, |event| {
            refused += u64::from(facts.absorb(&event) == Absorbed::Refused);
        })?;
        let input::Aside { lines, spans } = aside;
        if lines + spans + refused > 0 {
            let input = path.display();
            tracing::warn!(target: "veilspan", %input, lines, spans, refused, "not everything could be used");
        }
    }
    let rollouts = facts.derive();
    if rollouts.is_empty() {
        return Err(Failure::BadData("there is no call in what was read".to_owned()));
    }
    write(arguments.output.as_deref(), &text(arguments.format, &rollouts))
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

fn write(output: Option<&Path>, text: &str) -> Result<(), Failure> {
    match output {
        Some(path) => std::fs::write(path, text)
            .map_err(|error| Failure::Unavailable(format!("{}: cannot be written: {}", path.display(), error.kind()))),
        None => match std::io::stdout().write_all(text.as_bytes()) {
            // Whoever reads it has seen enough.
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(Failure::Unavailable("stdout cannot be written to".to_owned()))
            }
            _ => Ok(()),
        },
    }
}
