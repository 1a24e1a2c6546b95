//! What a command is to read: a Codex bundle, a session's transcript, OTLP JSON lines of a Collector's file exporter, or
//! traces of a back end.

mod access;
mod answers;
mod lines;
mod traces;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(super) use self::access::Access;
use self::traces::Traces;
use super::sessions::{Agent, Open};
use super::{Failure, sessions};
use crate::environment;
use crate::event::{Event, Veiled};
use crate::import::TracePer;
use crate::import::bundle::{BundleError, BundleReader};
use crate::import::session::{Set, Told};
#[cfg(unix)]
use crate::privacy::PayloadReader;
use crate::privacy::Policy;
use crate::reduce::{Facts, Rollout};
#[cfg(unix)]
use crate::replay::PayloadsRead;
use crate::replay::Recording;

/// How long a command waits for long content to be kept.
const LONGEST: Duration = Duration::from_secs(60);
/// The variable that says where Codex puts its bundles.
const CODEX_ROOT: &str = "CODEX_ROLLOUT_TRACE_ROOT";

/// What could not be used of an input, by what it was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Aside {
    /// Lines that are no OTLP request.
    pub(super) lines: u64,
    /// Spans of calls that cannot be read.
    pub(super) spans: u64,
    /// Whether some of what was named could not be had.
    pub(super) incomplete: bool,
}

impl Aside {
    /// Whether the run may have more than what was read of it.
    const fn is_incomplete(&self) -> bool {
        self.incomplete || self.lines > 0
    }
}

/// Whether an argument names a bundle, and no session: `latest` does where it is said where bundles are.
pub(super) fn is_bundle(path: &Path) -> bool {
    let is_latest = path == Path::new("latest") && environment::named_in_a_file(CODEX_ROOT).is_some();
    is_latest || path.join("trace.jsonl").is_file()
}

/// The path that an argument names; `latest` is the newest bundle.
pub(super) fn resolve(input: &Path) -> Result<PathBuf, Failure> {
    if input != Path::new("latest") {
        return Ok(input.to_path_buf());
    }
    let root = environment::named_in_a_file(CODEX_ROOT)
        .ok_or_else(|| Failure::Usage(format!("`latest` needs {CODEX_ROOT}, where Codex puts its bundles")))?;
    let folders = std::fs::read_dir(&root)
        .map_err(|error| Failure::BadData(format!("{CODEX_ROOT}: cannot be read: {}", error.kind())))?;
    let bundles = folders.filter_map(|entry| {
        let path = entry.ok()?.path();
        Some((std::fs::metadata(path.join("trace.jsonl")).ok()?.modified().ok()?, path))
    });
    let newest = bundles.max().map(|(_, path)| path);
    newest.ok_or_else(|| Failure::BadData(format!("{CODEX_ROOT}: there is no bundle")))
}

/// Reads inputs, and reduces what they tell together; and whether some of it may be missing. What could not be used is
/// logged.
pub(super) fn rollouts(inputs: &[PathBuf], policy: &Policy) -> Result<(Vec<Rollout>, bool), Failure> {
    let mut facts = Facts::default();
    let mut incomplete = false;
    for given in inputs {
        let path = resolve(given)?;
        let before = facts.refused();
        let aside = read(&path, policy, |event| {
            facts.absorb(&event);
        })?;
        incomplete |= aside.is_incomplete();
        let Aside { lines, spans, .. } = aside;
        let refused = facts.refused() - before;
        if lines + spans + refused > 0 {
            let input = path.display();
            tracing::warn!(target: "veilspan", %input, lines, spans, refused, "not everything could be used");
        }
    }
    facts.close_what_ended();
    let rollouts = facts.derive();
    if rollouts.is_empty() {
        return Err(Failure::BadData("there is no call in what was read".to_owned()));
    }
    Ok((rollouts, incomplete))
}

/// Reads the one run of an input, with its content as far as the policy lets it be seen.
pub(super) fn recording(given: &Path, policy: &Policy) -> Result<Recording, Failure> {
    let path = resolve(given)?;
    let mut events = Vec::new();
    let aside = read(&path, policy, |event| events.push(event))?;
    let Aside { lines, spans, .. } = aside;
    if lines + spans > 0 {
        let input = path.display();
        tracing::warn!(target: "veilspan", %input, lines, spans, "not everything could be used");
    }
    let mut recording = Recording::new(events).map_err(|error| bad(&path, &error.to_string()))?;
    recording.incomplete |= aside.is_incomplete();
    Ok(recording)
}

/// The same with all the content that was kept of it, cut nowhere: for what stays in this process.
pub(super) fn whole_recording(given: &Path, policy: &Policy) -> Result<Recording, Failure> {
    let mut recording = recording(given, &policy.for_reading())?.read_under(policy);
    #[cfg(unix)]
    payloads(&mut recording, policy);
    Ok(recording)
}

/// Reads what is kept elsewhere. What cannot be had is logged.
#[cfg(unix)]
fn payloads(recording: &mut Recording, policy: &Policy) {
    if !recording.has_payloads(policy) {
        return;
    }
    let tenant = recording.events().first().and_then(|event| event.scope.tenant.clone());
    let read = match PayloadReader::from_env(tenant.as_deref()) {
        Ok(reader) => recording.read_payloads(&reader, policy),
        Err(error) => PayloadsRead { error: Some(error), ..PayloadsRead::default() },
    };
    if let Some(error) = read.error {
        let PayloadsRead { found, missing, .. } = read;
        tracing::warn!(target: "veilspan", found, missing, %error, "not all content that is kept elsewhere could be read");
    }
}

/// Reads an input, event by event, and waits until what is long of it is kept where it is to be.
pub(super) fn read(path: &Path, policy: &Policy, take: impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
    let aside = events(path, policy, take);
    keep_payloads(policy);
    aside
}

/// Waits until long content that was handed over is in the folder of `VEILSPAN_PAYLOADS`: references lead there.
pub(super) fn keep_payloads(policy: &Policy) {
    if policy.payloads().is_some_and(|payloads| !payloads.flush(Instant::now() + LONGEST)) {
        tracing::warn!(target: "veilspan", "not all long content could be kept in the folder of VEILSPAN_PAYLOADS in time");
    }
}

fn events(path: &Path, policy: &Policy, mut take: impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
    if let Some(traces) = Traces::named(path) {
        return traces?.read(policy, &mut take);
    }
    let found = std::fs::metadata(path).map_err(|error| cannot_be_read(path, &error))?;
    if found.is_dir() && sessions::is_recorded(path) {
        return session(Agent::ClaudeCode, path, policy, &mut take);
    }
    if found.is_dir() {
        bundle(path, policy)?.for_each(take);
        return Ok(Aside::default());
    }
    if let Some(agent) = sessions::is_session(path) {
        return session(agent, path, policy, &mut take);
    }
    lines::read(path, policy, &mut take)
}

/// The sessions of a file or a folder, as far as they have come.
fn session(agent: Agent, path: &Path, policy: &Policy, take: &mut impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
    let set = Set { policy: policy.clone(), per: TracePer::Turn, grace: 0 };
    let report = sessions::read(agent, &agent.resolve(path)?, &set, Open::Ends, &mut |told: Told| {
        told.into_events().for_each(&mut *take);
        Ok(())
    })?;
    Ok(Aside { lines: report.aside, ..Aside::default() })
}

pub(super) fn bundle(path: &Path, policy: &Policy) -> Result<BundleReader, Failure> {
    BundleReader::open(path, policy.clone()).map_err(|error: BundleError| bad(path, &error.to_string()))
}

fn cannot_be_read(path: &Path, error: &std::io::Error) -> Failure {
    bad(path, &format!("cannot be read: {}", error.kind()))
}

fn bad(path: &Path, what: &str) -> Failure {
    Failure::BadData(format!("{}: {what}", path.display()))
}
