//! `veilspan sessions`: what there is to import.

use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};

use super::super::{Failure, output};
use super::files::Agent;
use super::send::Since;

/// List the sessions of coding agents on this machine.
#[derive(Debug, Args)]
pub(in crate::cli) struct Arguments {
    /// Whose sessions; all of them where nobody is named.
    #[arg(value_enum)]
    agent: Option<Of>,
    /// Only those that changed since then: a time, a day, or a while such as `12h`.
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Of {
    Codex,
    ClaudeCode,
}

pub(in crate::cli) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for (of, agent, name) in [(Of::Codex, Agent::Codex, "codex"), (Of::ClaudeCode, Agent::ClaudeCode, "claude-code")] {
        if arguments.agent.is_some_and(|wanted| wanted != of) {
            continue;
        }
        let Some(home) = agent.home() else { continue };
        for found in agent.below(&home) {
            if arguments.since.is_none_or(|since| since.admits(found.modified)) {
                lines.push((found.modified, name, found.bytes, found.stem().to_owned()));
            }
        }
    }
    lines.sort_by(|one, other| other.cmp(one));
    let text: String = lines
        .into_iter()
        .map(|(modified, name, bytes, stem)| format!("{}\t{name}\t{bytes}\t{stem}\n", seconds(modified)))
        .collect();
    output::write(None, &format!("changed_unix\tagent\tbytes\tsession\n{text}"))
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs())
}
