//! `veilspan import`: recordings as spans.
//!
//! A source makes calls of its files: [`Records`] folds the events of a bundle into them, and the readers of sessions tell
//! them as they end. What follows is the same for all: the [`Outlet`] takes them under the source's own resource.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{Args, Subcommand, ValueEnum};

use super::outlet::{Outlet, To};
use super::sessions::{Agent, Found, Open, Report, Since, Wire, bundles, distinct, follow, read, unix_now};
use super::{Failure, input};
use crate::event::{Event, Veiled};
use crate::import::TracePer;
use crate::import::session::Set;
use crate::privacy::Policy;

/// How long a call that seems to have ended waits for what comes late, in nanoseconds.
const LATE_GRACE: u64 = 10_000_000_000;

/// Send recordings as spans.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// Codex' sessions and rollout-trace bundles.
    Codex(Recordings),
    /// Claude Code's sessions.
    ClaudeCode(Recordings),
    /// Journals of Ouroboros, as JSON lines.
    Ouroboros(Recordings),
}

#[derive(Debug, Args)]
struct Recordings {
    /// Files, folders, ids of sessions, or `latest` for the newest.
    #[arg(required = true, value_name = "PATH")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    to: To,
    /// Which spans share a trace.
    #[arg(long, value_enum, default_value_t = Per::Turn)]
    trace_per: Per,
    /// Go on reading files that grow, until Ctrl-C.
    #[arg(long)]
    follow: bool,
    /// Only what began since then: a time, a day, or a while such as `12h`.
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
    /// Send what was sent before again.
    #[arg(long)]
    resend: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Per {
    /// Those of a turn. Turns are linked.
    Turn,
    /// Those of a whole run, sub-agents included.
    Rollout,
}

impl Recordings {
    const fn per(&self) -> TracePer {
        match self.trace_per {
            Per::Turn => TracePer::Turn,
            Per::Rollout => TracePer::Rollout,
        }
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let (agent, recordings) = match &arguments.source {
        Source::Codex(recordings) => (Agent::Codex, recordings),
        Source::ClaudeCode(recordings) => (Agent::ClaudeCode, recordings),
        Source::Ouroboros(recordings) => (Agent::Ouroboros, recordings),
    };
    let policy = super::policy();
    let sent = send(agent, recordings, &policy);
    input::keep_payloads(&policy);
    sent
}

fn send(agent: Agent, recordings: &Recordings, policy: &Policy) -> Result<(), Failure> {
    let mut outlet = Outlet::open(&recordings.to)?;
    let (bundles, paths): (Vec<&PathBuf>, Vec<&PathBuf>) =
        recordings.paths.iter().partition(|path| agent == Agent::Codex && input::is_bundle(path));
    let stop = Arc::new(AtomicBool::new(false));
    if recordings.follow {
        stop_on_interrupt(&stop)?;
        outlet.wait_until(Arc::clone(&stop));
    }
    let service = match agent {
        Agent::Codex => "codex",
        Agent::ClaudeCode => "claude-code",
        Agent::Ouroboros => "ouroboros",
    };
    let mut wire = Wire::new(&mut outlet, service, recordings.since, recordings.resend);
    let bundles: Vec<PathBuf> = bundles.into_iter().map(|given| input::resolve(given)).collect::<Result<_, _>>()?;
    if recordings.follow {
        let set = Set { policy: policy.clone(), per: recordings.per(), grace: LATE_GRACE };
        let report = follow(agent, &paths, bundles, &set, &mut wire, &stop)?;
        return wire.finish(&report);
    }
    let mut report = Report::default();
    for path in &bundles {
        report.join(tell(path, (policy, recordings.per()), &mut wire)?);
    }
    wire.observed_by(None)?;
    if paths.is_empty() && report.calls + report.open == 0 {
        return Err(Failure::BadData("there is no call in what was read".to_owned()));
    }
    if !paths.is_empty() {
        report.join(sessions(agent, &paths, recordings, policy.clone(), &mut wire)?);
    }
    wire.finish(&report)
}

fn sessions(
    agent: Agent,
    paths: &[&PathBuf],
    recordings: &Recordings,
    policy: Policy,
    wire: &mut Wire<'_>,
) -> Result<Report, Failure> {
    let set = Set { policy, per: recordings.per(), grace: 0 };
    let mut files: Vec<Found> = Vec::new();
    for path in paths {
        files.extend(agent.resolve(path)?);
    }
    let mut files = distinct(files);
    if let Some(since) = recordings.since {
        files.iter_mut().for_each(|file| file.is_history = !since.admits(file.modified));
        // What is as old as that may still be copied in what is not.
        files.retain(|file| agent == Agent::Codex || !file.is_history);
    }
    let open = Open::Stays { now: unix_now(), grace: LATE_GRACE };
    read(agent, &files, &set, open, wire)
}

/// Sets the flag at the first Ctrl-C, or when the process is asked to end.
fn stop_on_interrupt(stop: &Arc<AtomicBool>) -> Result<(), Failure> {
    let stop = Arc::clone(stop);
    let failed = |_: std::io::Error| Failure::Unavailable("Ctrl-C cannot be waited for".to_owned());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let asked = {
        let _inside = runtime.enter();
        super::stop::signal().map_err(failed)?
    };
    let wait = move || {
        runtime.block_on(asked);
        stop.store(true, Ordering::Relaxed);
    };
    std::thread::Builder::new().spawn(wait).map(drop).map_err(failed)
}

/// Hands all calls of a bundle on. One that is still written keeps those that run.
fn tell(path: &Path, how: (&Policy, TracePer), wire: &mut Wire<'_>) -> Result<Report, Failure> {
    let wire = RefCell::new(wire);
    let goes_on = bundles::log(path).is_some_and(|log| !log.is_over(unix_now()));
    let event = |event: &Event<Veiled>| wire.borrow_mut().event(event.clone());
    let mut records = bundles::calls(path, how, goes_on, event)?;
    let mut report = Report { files: 1, sessions: 1, ..Report::default() };
    while let Some(record) = records.next() {
        let mut wire = wire.borrow_mut();
        // Who made the recording is known with its first record.
        wire.observed_by(records.producer())?;
        report.calls += 1;
        wire.call(Box::new(record))?;
    }
    report.open = records.left_out().open;
    bundles::left_out(path, records.left_out());
    Ok(report)
}
