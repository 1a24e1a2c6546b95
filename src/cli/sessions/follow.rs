//! Session files that still grow.
//!
//! Every [`PAUSE`] the files are looked at: what was added is read, a file that became shorter or was replaced is read from
//! its beginning, and what has ended is sent once nothing can come late any more. What is open when the command ends is
//! not sent: the next import or the next following does it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::super::Failure;
use super::bytes::open;
use super::files::{Agent, Found, sub_agents};
use super::read::{Report, journal, log};
use super::send::{Wire, unix_now};
use crate::import::claude::{Of, Session};
use crate::import::codex::Sessions;
use crate::import::ouroboros::Journal;
use crate::import::session::{AsideReason, Set};

const PAUSE: Duration = Duration::from_millis(300);
const PORTION: usize = 256 << 10;

/// A file and how far it was read.
#[derive(Default)]
struct Tail {
    identity: Option<(u64, u64)>,
    offset: u64,
}

/// What was added to a file.
enum Added {
    Nothing,
    Bytes(Vec<u8>),
    /// It is another file now, or a shorter one.
    Anew,
}

impl Tail {
    fn look(&mut self, path: &std::path::Path) -> Added {
        let Ok(mut file) = open(path) else { return Added::Nothing };
        let Ok(found) = file.metadata() else { return Added::Nothing };
        let identity = identity(&found);
        if self.identity.is_some_and(|known| known != identity) || found.len() < self.offset {
            *self = Self { identity: Some(identity), offset: 0 };
            return Added::Anew;
        }
        self.identity = Some(identity);
        match self.portion(&mut file) {
            Some(bytes) if !bytes.is_empty() => Added::Bytes(bytes),
            _ => Added::Nothing,
        }
    }

    fn portion(&mut self, file: &mut File) -> Option<Vec<u8>> {
        file.seek(SeekFrom::Start(self.offset)).ok()?;
        let mut bytes = Vec::with_capacity(PORTION);
        file.take(PORTION as u64).read_to_end(&mut bytes).ok()?;
        self.offset += bytes.len() as u64;
        Some(bytes)
    }
}

#[cfg(unix)]
fn identity(found: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> (u64, u64) {
    (0, 0)
}

/// Follows what the arguments name until `stop`.
pub(in crate::cli) fn follow(
    agent: Agent,
    paths: &[PathBuf],
    set: &Set,
    wire: &mut Wire<'_>,
    stop: &AtomicBool,
) -> Result<Report, Failure> {
    let mut files = resolve(agent, paths)?;
    let mut followed = match agent {
        Agent::Codex => Followed::Codex(Box::new(Sessions::new(set.clone())), BTreeMap::new()),
        Agent::ClaudeCode => Followed::Claude(set.clone(), BTreeMap::new()),
        Agent::Ouroboros => Followed::Journals(set.clone(), BTreeMap::new()),
    };
    let mut report = Report::default();
    loop {
        let is_last = stop.load(Ordering::Relaxed);
        let mut more = true;
        while more {
            more = followed.read(&files, wire, &mut report)?;
        }
        wire.flush()?;
        if is_last {
            followed.report(&mut report);
            return Ok(report);
        }
        std::thread::sleep(PAUSE);
        // A session that begins in a followed folder is followed too.
        if let Ok(now) = resolve(agent, paths) {
            files = now;
        }
    }
}

fn resolve(agent: Agent, paths: &[PathBuf]) -> Result<Vec<Found>, Failure> {
    let found: Result<Vec<_>, Failure> = paths.iter().map(|path| agent.resolve(path)).collect();
    Ok(found?.into_iter().flatten().filter(|file| file.path.extension().is_none_or(|end| end != "zst")).collect())
}

/// A session of Claude Code, and how far each of its files was read.
struct OfClaude {
    session: Session,
    tails: BTreeMap<String, Tail>,
    journal: Tail,
    begun: Vec<u8>,
}

enum Followed {
    Codex(Box<Sessions>, BTreeMap<PathBuf, Tail>),
    Claude(Set, BTreeMap<PathBuf, OfClaude>),
    Journals(Set, BTreeMap<PathBuf, (Journal, Tail)>),
}

impl Followed {
    /// Reads a portion of each file, and tells what has ended. Whether there was any.
    fn read(&mut self, files: &[Found], wire: &mut Wire<'_>, report: &mut Report) -> Result<bool, Failure> {
        let mut any = false;
        match self {
            Self::Codex(sessions, tails) => {
                for file in files {
                    let tail = tails.entry(file.path.clone()).or_insert_with(|| {
                        (report.files, report.sessions) = (report.files + 1, report.sessions + 1);
                        Tail::default()
                    });
                    match tail.look(&file.path) {
                        Added::Nothing => continue,
                        Added::Anew => sessions.restart(file.name()),
                        Added::Bytes(mut bytes) => {
                            sessions.feed(file.name(), &bytes);
                            crate::event::wipe(&mut bytes);
                        }
                    }
                    any = true;
                }
                sessions.tick(unix_now());
                log(sessions.take_asides());
                std::iter::from_fn(|| sessions.next_told()).try_for_each(|told| wire.take(told))?;
            }
            Self::Journals(set, all) => {
                for file in files {
                    let (journal, tail) = all.entry(file.path.clone()).or_insert_with(|| {
                        (report.files, report.sessions) = (report.files + 1, report.sessions + 1);
                        (Journal::new(set.clone(), file.name()), Tail::default())
                    });
                    match tail.look(&file.path) {
                        Added::Nothing => continue,
                        Added::Anew => {
                            *journal = Journal::new(set.clone(), file.name());
                            journal.aside(0, AsideReason::Replaced);
                        }
                        Added::Bytes(bytes) => journal.feed(&bytes),
                    }
                    any = true;
                    log(journal.take_asides());
                    std::iter::from_fn(|| journal.next_told()).try_for_each(|told| wire.take(told))?;
                }
            }
            Self::Claude(set, all) => {
                for file in files {
                    let of = all.entry(file.path.clone()).or_insert_with(|| {
                        (report.files, report.sessions) = (report.files + 1, report.sessions + 1);
                        OfClaude::new(set, file)
                    });
                    any |= of.read(set, file);
                    of.session.tick(unix_now());
                    log(of.session.take_asides());
                    std::iter::from_fn(|| of.session.next_told()).try_for_each(|told| wire.take(told))?;
                }
            }
        }
        Ok(any)
    }

    fn report(&self, report: &mut Report) {
        match self {
            Self::Codex(sessions, _) => report.add(sessions.tally(), Vec::new()),
            Self::Journals(_, all) => {
                all.values().for_each(|(journal, _)| report.add(journal.tally(), Vec::new()));
            }
            Self::Claude(_, all) => all.values().for_each(|of| report.add(of.session.tally(), Vec::new())),
        }
    }
}

impl OfClaude {
    fn new(set: &Set, file: &Found) -> Self {
        let session = Session::new(set.clone(), file.stem());
        Self { session, tails: BTreeMap::new(), journal: Tail::default(), begun: Vec::new() }
    }

    fn read(&mut self, set: &Set, file: &Found) -> bool {
        let mut any = self.hooks(file);
        match self.tails.entry(String::new()).or_default().look(&file.path) {
            Added::Nothing => {}
            Added::Bytes(mut bytes) => {
                self.session.feed(Of::Session, &bytes);
                crate::event::wipe(&mut bytes);
                any = true;
            }
            Added::Anew => {
                *self = Self::new(set, file);
                self.session.aside(Of::Session, 0, AsideReason::Replaced);
                return true;
            }
        }
        for (agent, found) in sub_agents(file) {
            // Its spans hang under the call that started it, which says so when it returns.
            if !self.session.knows_agent(&agent) {
                continue;
            }
            if let Added::Bytes(bytes) = self.tails.entry(agent.clone()).or_default().look(&found.path) {
                self.session.feed(Of::Agent(&agent), &bytes);
                any = true;
            }
        }
        any
    }

    fn hooks(&mut self, file: &Found) -> bool {
        let Some(path) = journal(file.stem()) else { return false };
        let Added::Bytes(bytes) = self.journal.look(&path) else { return false };
        self.begun.extend(bytes);
        let end = self.begun.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let rest = self.begun.split_off(end);
        for line in std::mem::replace(&mut self.begun, rest).split(|byte| *byte == b'\n') {
            if let Ok(fact) = serde_json::from_slice(line) {
                self.session.fact(fact);
            }
        }
        true
    }
}
