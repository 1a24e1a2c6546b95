//! What a command is to read: a Codex bundle, or OTLP JSON lines of a Collector's file exporter.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;

use super::{Failure, sessions};
use crate::environment;
use crate::event::{Event, Source, Veiled};
use crate::import::TracePer;
use crate::import::bundle::{BundleError, BundleReader};
use crate::import::session::{Set, Told};
use crate::otlp::assemble::patched;
use crate::otlp::{Look, Request, decode, dialects};
use crate::privacy::Policy;
use crate::processor::privacy::Privacy;
use crate::reduce::{Facts, Rollout};
use crate::replay::Recording;

/// The longest line that is read, in bytes: a Collector's file exporter writes a batch a line.
const MAX_LINE: u64 = 256 << 20;
/// The variable that says where Codex puts its bundles.
const CODEX_ROOT: &str = "CODEX_ROLLOUT_TRACE_ROOT";

/// What could not be used of an input, by what it was.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Aside {
    /// Lines that are no OTLP request.
    pub(super) lines: u64,
    /// Spans that are no call, or name no rollout.
    pub(super) spans: u64,
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

/// Reads inputs, and reduces what they tell together. What could not be used is logged.
pub(super) fn rollouts(inputs: &[PathBuf], policy: &Policy) -> Result<Vec<Rollout>, Failure> {
    let mut facts = Facts::default();
    for given in inputs {
        let path = resolve(given)?;
        let before = facts.refused();
        let Aside { lines, spans } = read(&path, policy, |event| {
            facts.absorb(&event);
        })?;
        let refused = facts.refused() - before;
        if lines + spans + refused > 0 {
            let input = path.display();
            tracing::warn!(target: "veilspan", %input, lines, spans, refused, "not everything could be used");
        }
    }
    let rollouts = facts.derive();
    if rollouts.is_empty() {
        return Err(Failure::BadData("there is no call in what was read".to_owned()));
    }
    Ok(rollouts)
}

/// Reads the one run of an input, with its content as far as the policy lets it be seen.
pub(super) fn recording(given: &Path, policy: &Policy) -> Result<Recording, Failure> {
    let path = resolve(given)?;
    let mut events = Vec::new();
    let Aside { lines, spans } = read(&path, policy, |event| events.push(event))?;
    if lines + spans > 0 {
        let input = path.display();
        tracing::warn!(target: "veilspan", %input, lines, spans, "not everything could be used");
    }
    let mut recording = Recording::new(events).map_err(|error| bad(&path, &error.to_string()))?;
    recording.incomplete |= lines > 0;
    Ok(recording)
}

/// Reads an input, event by event.
pub(super) fn read(path: &Path, policy: &Policy, mut take: impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
    let found = std::fs::metadata(path).map_err(|error| cannot_be_read(path, &error))?;
    if found.is_dir() && sessions::is_recorded(path) {
        return recorded(path, policy, &mut take);
    }
    if found.is_dir() {
        bundle(path, policy)?.for_each(take);
        return Ok(Aside::default());
    }
    if let Some(agent) = sessions::is_session(path) {
        let files = agent.resolve(path)?;
        return session(|take| sessions::read(agent, &files, &set(policy), take), &mut take);
    }
    otlp_lines(path, policy, &mut take)
}

fn set(policy: &Policy) -> Set {
    Set { policy: policy.clone(), per: TracePer::Turn, grace: 0 }
}

/// A folder with what hooks told, and perhaps transcripts.
fn recorded(folder: &Path, policy: &Policy, take: &mut impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
    session(|take| sessions::read_recorded(folder, &set(policy), take), take)
}

fn session(
    read: impl FnOnce(&mut dyn FnMut(Told) -> Result<(), Failure>) -> Result<sessions::Report, Failure>,
    take: &mut impl FnMut(Event<Veiled>),
) -> Result<Aside, Failure> {
    let report = read(&mut |told| {
        told.into_events().for_each(&mut *take);
        Ok(())
    })?;
    Ok(Aside { lines: report.aside, ..Aside::default() })
}

pub(super) fn bundle(path: &Path, policy: &Policy) -> Result<BundleReader, Failure> {
    BundleReader::open(path, policy.clone()).map_err(|error: BundleError| bad(path, &error.to_string()))
}

fn otlp_lines(path: &Path, policy: &Policy, take: &mut impl FnMut(Event<Veiled>)) -> Result<Aside, Failure> {
    let file = File::open(path).map_err(|error| cannot_be_read(path, &error))?;
    let mut lines = BufReader::new(file);
    let privacy = Privacy::new(policy.clone());
    let (mut aside, mut line, mut good) = (Aside::default(), Vec::new(), 0u64);
    loop {
        line.clear();
        let read = (&mut lines).take(MAX_LINE).read_until(b'\n', &mut line);
        match read.map_err(|error| cannot_be_read(path, &error))? {
            0 => break,
            _ if line.trim_ascii().is_empty() => continue,
            _ => match request(&line, &privacy) {
                Some(request) => {
                    good += 1;
                    aside.spans += calls(&request, take);
                }
                None => aside.lines += 1,
            },
        }
    }
    crate::event::wipe(&mut line);
    if good == 0 && aside.lines > 0 {
        return Err(bad(path, "neither a recording nor OTLP JSON lines"));
    }
    Ok(aside)
}

/// The request of a line, with nothing in it but what the policy lets leave.
fn request(line: &[u8], privacy: &Privacy) -> Option<Request> {
    let said: ExportTraceServiceRequest = serde_json::from_slice(line).ok()?;
    let request = Request::parse(Bytes::from(said.encode_to_vec()), Look::Inside).ok()?;
    let patches = privacy.request(&request);
    if patches.is_empty() {
        return Some(request);
    }
    Request::parse(patched(&request, &patches).into_bytes(), Look::Outside).ok()
}

/// How many of its spans tell of no call.
fn calls(request: &Request, take: &mut impl FnMut(Event<Veiled>)) -> u64 {
    let mut others = 0;
    for resource in request.resources() {
        let producer = decode::producer(&resource.resource());
        for span in resource.scopes().flat_map(|scope| scope.spans()) {
            match span.view().map(|view| dialects::call(&view, producer)) {
                Ok(Ok(call)) => call.into_events(Source::Otlp).for_each(&mut *take),
                _ => others += 1,
            }
        }
    }
    others
}

fn cannot_be_read(path: &Path, error: &std::io::Error) -> Failure {
    bad(path, &format!("cannot be read: {}", error.kind()))
}

fn bad(path: &Path, what: &str) -> Failure {
    Failure::BadData(format!("{}: {what}", path.display()))
}
