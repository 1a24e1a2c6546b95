//! Session files, each read once from its beginning to its end.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::Failure;
use super::bytes::{Bytes, open};
use super::files::{Agent, Found, sub_agents};
use super::ledger::{hidden_name, state_folder};
use crate::environment::Environment;
use crate::import::claude::{Of, Session};
use crate::import::codex::Sessions;
use crate::import::ouroboros::Journal;
use crate::import::session::{Aside, AsideReason, Set, Tally, Told, unix_nanos};

const PORTION: usize = 256 << 10;
/// The sessions without a transcript that are told of.
const MAX_ALONE: usize = 4096;
/// The longest line of a hook journal.
const MAX_LINE: u64 = 16 << 20;

/// What was read, and what could not be.
#[derive(Default)]
pub(in crate::cli) struct Report {
    pub(in crate::cli) files: u64,
    pub(in crate::cli) sessions: u64,
    pub(in crate::cli) rows: u64,
    pub(in crate::cli) unknown: u64,
    pub(in crate::cli) aside: u64,
    pub(in crate::cli) empty: u64,
    pub(in crate::cli) over_bound: u64,
}

impl Report {
    /// Adds what a reader has read, and logs each place that it has set aside.
    pub(super) fn add(&mut self, tally: Tally, asides: Vec<Aside>) {
        self.rows += tally.rows;
        self.unknown += tally.unknown;
        self.aside += tally.aside;
        self.over_bound += tally.over_bound;
        log(asides);
    }

    /// Whether all could be read.
    pub(in crate::cli) const fn is_whole(&self) -> bool {
        self.aside + self.empty + self.over_bound == 0
    }
}

pub(super) fn log(asides: Vec<Aside>) {
    for Aside { file, line, reason } in asides {
        let reason = reason.as_str();
        tracing::warn!(target: "veilspan", %file, line, reason, "a line could not be used");
    }
}

/// A bar on stderr, where that is a terminal.
struct Progress(ProgressBar);

impl Progress {
    fn new(files: &[Found]) -> Self {
        let bar = ProgressBar::new(files.iter().map(|file| file.bytes).sum());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    fn read(&self, bytes: usize, report: &Report) {
        self.0.inc(bytes as u64);
        self.0.set_message(format!("{} files, {} rows", report.files, report.rows));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

type Take<'a> = &'a mut dyn FnMut(Told) -> Result<(), Failure>;

/// Whether a folder holds what hooks told, and perhaps transcripts in a folder of its own.
pub(in crate::cli) fn is_recorded(folder: &Path) -> bool {
    folder.join("events.ndjson").is_file()
}

/// Whose session a file is, by its first row.
pub(in crate::cli) fn is_session(path: &Path) -> Option<Agent> {
    #[derive(Deserialize)]
    struct Row<'a> {
        #[serde(borrow, default)]
        payload: Option<&'a RawValue>,
        #[serde(borrow, default, rename = "sessionId")]
        session: Option<&'a RawValue>,
        #[serde(borrow, default, rename = "type")]
        kind: Option<&'a RawValue>,
        #[serde(borrow, default, rename = "aggregate_id")]
        aggregate: Option<&'a RawValue>,
    }
    let mut line = Vec::new();
    BufReader::new(Bytes::open(path).ok()?).take(MAX_LINE).read_until(b'\n', &mut line).ok()?;
    let row: Row<'_> = serde_json::from_slice(&line).ok()?;
    row.kind?;
    if row.aggregate.is_some() {
        return Some(Agent::Ouroboros);
    }
    match (row.payload, row.session) {
        (Some(_), None) => Some(Agent::Codex),
        _ => Some(Agent::ClaudeCode),
    }
}

/// Reads files of sessions. What cannot be read is reported, and the rest is read.
pub(in crate::cli) fn read(agent: Agent, files: &[Found], set: &Set, take: Take<'_>) -> Result<Report, Failure> {
    let progress = Progress::new(files);
    let mut report = Report::default();
    match agent {
        Agent::Codex => codex(files, set, &progress, &mut report, take)?,
        Agent::Ouroboros => {
            for file in files {
                journal_of_ouroboros(file, set, &progress, &mut report, take)?;
            }
        }
        Agent::ClaudeCode => {
            for file in files {
                claude(file, set, &progress, &mut report, take)?;
            }
        }
    }
    Ok(report)
}

/// Reads a folder in which hooks were recorded: sessions with a transcript, and those without.
pub(in crate::cli) fn read_recorded(folder: &Path, set: &Set, take: Take<'_>) -> Result<Report, Failure> {
    let files = Agent::ClaudeCode.below(&folder.join("transcripts"));
    let mut report = read(Agent::ClaudeCode, &files, set, take)?;
    let events = folder.join("events.ndjson");
    let mut alone = BTreeSet::new();
    for line in lines(&events).into_iter().flatten() {
        let Some(id) = session_of(&line) else {
            report.aside += 1;
            continue;
        };
        if !files.iter().any(|file| file.stem() == id) && alone.len() < MAX_ALONE {
            alone.insert(id);
        }
    }
    for id in alone {
        report.sessions += 1;
        let mut session = Session::new(set.clone(), &id);
        lines(&events).into_iter().flatten().for_each(|line| recorded(&line, &id, &mut session));
        session.finish();
        std::iter::from_fn(|| session.next_told()).try_for_each(&mut *take)?;
        report.add(session.tally(), session.take_asides());
    }
    Ok(report)
}

fn codex(files: &[Found], set: &Set, progress: &Progress, report: &mut Report, take: Take<'_>) -> Result<(), Failure> {
    let mut sessions = Sessions::new(set.clone());
    for file in files {
        report.sessions += 1;
        let name = file.name().to_owned();
        let id = file.stem().get(file.stem().len().saturating_sub(36)..).unwrap_or_default();
        for line in journal(id).into_iter().filter_map(|path| lines(&path)).flatten() {
            if let Ok(fact) = serde_json::from_slice(&line) {
                sessions.fact(fact);
            }
        }
        let read = portions(file, progress, report, |portion| {
            sessions.feed(&name, portion);
            log(sessions.take_asides());
            std::iter::from_fn(|| sessions.next_told()).try_for_each(&mut *take)
        })?;
        if let Some(reason) = read {
            sessions.aside(&name, 0, reason);
        }
        sessions.finish(&name);
        std::iter::from_fn(|| sessions.next_told()).try_for_each(&mut *take)?;
    }
    report.add(sessions.tally(), sessions.take_asides());
    Ok(())
}

fn claude(file: &Found, set: &Set, progress: &Progress, report: &mut Report, take: Take<'_>) -> Result<(), Failure> {
    report.sessions += 1;
    let mut session = Session::new(set.clone(), file.stem());
    hooks(file, &mut session);
    transcript(file, Of::Session, &mut session, progress, report, take)?;
    let mut agents = sub_agents(file);
    // A sub-agent may have started others: those whose call is known come first.
    while !agents.is_empty() {
        let place = agents.iter().position(|(agent, _)| session.knows_agent(agent)).unwrap_or(0);
        let (agent, found) = agents.remove(place);
        transcript(&found, Of::Agent(&agent), &mut session, progress, report, take)?;
    }
    session.finish();
    std::iter::from_fn(|| session.next_told()).try_for_each(&mut *take)?;
    report.add(session.tally(), session.take_asides());
    Ok(())
}

fn journal_of_ouroboros(
    file: &Found,
    set: &Set,
    progress: &Progress,
    report: &mut Report,
    take: Take<'_>,
) -> Result<(), Failure> {
    report.sessions += 1;
    let mut journal = Journal::new(set.clone(), file.name());
    let read = portions(file, progress, report, |portion| {
        journal.feed(portion);
        log(journal.take_asides());
        std::iter::from_fn(|| journal.next_told()).try_for_each(&mut *take)
    })?;
    if let Some(reason) = read {
        journal.aside(0, reason);
    }
    journal.finish();
    std::iter::from_fn(|| journal.next_told()).try_for_each(&mut *take)?;
    report.add(journal.tally(), journal.take_asides());
    Ok(())
}

fn transcript(
    file: &Found,
    of: Of<'_>,
    session: &mut Session,
    progress: &Progress,
    report: &mut Report,
    take: Take<'_>,
) -> Result<(), Failure> {
    let read = portions(file, progress, report, |portion| {
        session.feed(of, portion);
        log(session.take_asides());
        std::iter::from_fn(|| session.next_told()).try_for_each(&mut *take)
    })?;
    if let Some(reason) = read {
        session.aside(of, 0, reason);
    }
    session.end_of_file(of);
    Ok(())
}

/// All portions of a file; why it could not be read to its end, where it could not.
fn portions(
    file: &Found,
    progress: &Progress,
    report: &mut Report,
    mut take: impl FnMut(&[u8]) -> Result<(), Failure>,
) -> Result<Option<AsideReason>, Failure> {
    report.files += 1;
    if file.bytes == 0 {
        report.empty += 1;
        let file = file.name();
        tracing::warn!(target: "veilspan", file, "the file is empty");
        return Ok(None);
    }
    let Ok(mut bytes) = Bytes::open(&file.path) else { return Ok(Some(AsideReason::Unreadable)) };
    let mut buffer = vec![0; PORTION];
    let read = loop {
        match bytes.read(&mut buffer) {
            Ok(0) => break None,
            Ok(read) => {
                take(buffer.get(..read).unwrap_or_default())?;
                progress.read(read, report);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => break Some(AsideReason::Oversize),
            Err(_) => break Some(AsideReason::Unreadable),
        }
    };
    crate::event::wipe(&mut buffer);
    Ok(read)
}

/// Where our own hooks keep what they are told of a session.
pub(super) fn journal(session: &str) -> Option<PathBuf> {
    let folder = state_folder(&Environment::from_process())?;
    Some(folder.join("hooks").join(format!("{}.jsonl", hidden_name("hooks", session))))
}

/// What hooks told of a session: in our own journal, and beside the folder of its transcripts.
fn hooks(file: &Found, session: &mut Session) {
    let own = journal(file.stem());
    for line in own.into_iter().filter_map(|path| lines(&path)).flatten() {
        if let Ok(fact) = serde_json::from_slice(&line) {
            session.fact(fact);
        }
    }
    let folder = file.path.parent().and_then(Path::parent).filter(|folder| is_recorded(folder));
    for line in folder.and_then(|folder| lines(&folder.join("events.ndjson"))).into_iter().flatten() {
        recorded(&line, file.stem(), session);
    }
}

/// A line of `{ts, hook, payload}`, or of the payload's own members beside these.
#[derive(Deserialize)]
struct Line<'a> {
    ts: &'a str,
    #[serde(default)]
    hook: Option<&'a str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

impl Line<'_> {
    /// What the hook was told: the payload, or the whole line where it stands at its top.
    fn payload<'l>(&'l self, line: &'l [u8]) -> &'l [u8] {
        self.payload.map_or(line, |payload| payload.get().as_bytes())
    }
}

/// The session that such a line is about.
fn session_of(line: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Payload {
        session_id: String,
    }
    let told: Line<'_> = serde_json::from_slice(line).ok()?;
    serde_json::from_slice::<Payload>(told.payload(line)).ok().map(|payload| payload.session_id)
}

fn recorded(line: &[u8], id: &str, session: &mut Session) {
    let Ok(told) = serde_json::from_slice::<Line<'_>>(line) else { return };
    let is_of_session = session_of(line).is_some_and(|session| session == id);
    if let Some(at) = unix_nanos(told.ts).filter(|_| is_of_session) {
        session.hook(told.payload(line), told.hook, at);
    }
}

fn lines(path: &Path) -> Option<impl Iterator<Item = Vec<u8>> + use<>> {
    let mut file = BufReader::new(open(path).ok()?);
    Some(std::iter::from_fn(move || {
        let mut line = Vec::new();
        let read = (&mut file).take(MAX_LINE).read_until(b'\n', &mut line).ok()?;
        (read > 0).then_some(line)
    }))
}
