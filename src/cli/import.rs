//! `veilspan import`: recordings as spans.
//!
//! A source makes events of its files; what follows is the same for all: [`Records`] folds them, and the
//! [`Outlet`] takes them under the source's own resource.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::outlet::{Outlet, To};
use super::{Failure, input};
use crate::event::{Event, Veiled};
use crate::import::bundle::{Form, TracePer};
use crate::import::{LeftOut, Records};
use crate::otlp::encode;
use crate::privacy::Policy;

/// Send recordings as spans.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Codex' rollout-trace bundles.
    Codex(Recordings),
}

#[derive(Debug, Args)]
struct Recordings {
    /// The recordings, or `latest` for the newest.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    to: To,
    /// Which spans share a trace.
    #[arg(long, value_enum, default_value_t = Per::Turn)]
    trace_per: Per,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Per {
    /// Those of a turn. Turns are linked.
    Turn,
    /// Those of a whole run, sub-agents included.
    Rollout,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Source::Codex(recordings) = &arguments.source;
    let outlet = Outlet::open(&recordings.to)?;
    let policy = Policy::from_env();
    let mut sent = 0;
    for given in &recordings.paths {
        let path = input::resolve(given)?;
        let mut bundle = input::bundle(&path, &policy)?;
        // What a span tells of a history is its messages.
        bundle.form(Form::Messages);
        bundle.trace_per(match recordings.trace_per {
            Per::Turn => TracePer::Turn,
            Per::Rollout => TracePer::Rollout,
        });
        sent += tell(&path, "codex", bundle, &outlet)?;
    }
    if sent == 0 {
        return Err(Failure::BadData("there is no call in what was read".to_owned()));
    }
    Ok(())
}

/// Hands all calls of a recording on, as spans of this service.
fn tell(
    path: &Path,
    service: &str,
    events: impl Iterator<Item = Event<Veiled>>,
    outlet: &Outlet,
) -> Result<u64, Failure> {
    let mut records = Records::new(events);
    // Who made the recording is known with its first record.
    let first = records.next();
    let resource = encode::resource([("service.name", service)], records.producer());
    let sent = outlet.take(resource, &mut first.into_iter().chain(records.by_ref()))?;
    let LeftOut { orphans, quarantined, unknown, let_go, .. } = records.left_out();
    if orphans + quarantined + unknown + let_go > 0 {
        let recording = path.display();
        tracing::warn!(
            target: "veilspan", %recording, orphans, quarantined, unknown, let_go,
            "not everything could be told as spans"
        );
    }
    Ok(sent)
}
