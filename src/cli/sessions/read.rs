//! Session files, each read once from its beginning to its end.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use bytestring::ByteString;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::super::Failure;
use super::bytes::Bytes;
use super::copies::Copies;
use super::files::{Agent, EVENTS, Found, sub_agents};
use super::hooked;
use super::kin;
use super::progress::Progress;
use super::report::{Report, log};
use super::tail::broken;
use crate::event::SpanIds;
use crate::import::claude::{Of, Session};
use crate::import::codex::Sessions;
use crate::import::ouroboros::Journal;
use crate::import::session::{AsideReason, Set, Told};
use crate::json::without_mark;

const PORTION: usize = 256 << 10;
/// The longest first line of a file that is looked at to know what it is.
const MAX_LINE: u64 = 16 << 20;

/// What becomes of a turn that has not ended where its file ends.
#[derive(Clone, Copy)]
pub(in crate::cli) enum Open {
    /// It ends there: what is there is all that is looked at.
    Ends,
    /// It stays open, unless the file is so old that nobody writes it any more.
    Stays {
        /// What time it is, in nanoseconds since 1970.
        now: u64,
        /// How long something of a turn may come after it seemed to have ended, in nanoseconds.
        grace: u64,
    },
}

/// What takes what was read.
pub(in crate::cli) trait Taker {
    /// Takes it.
    fn take(&mut self, told: Told) -> Result<(), Failure>;

    /// Whether a span of a rollout was sent before.
    fn has_sent(&mut self, _rollout: &ByteString, _span: SpanIds) -> Result<bool, Failure> {
        Ok(false)
    }
}

impl<F: FnMut(Told) -> Result<(), Failure>> Taker for F {
    fn take(&mut self, told: Told) -> Result<(), Failure> {
        self(told)
    }
}

/// Reads files of sessions. What cannot be read is reported, and the rest is read.
pub(in crate::cli) fn read(
    agent: Agent,
    files: &[Found],
    set: &Set,
    open: Open,
    take: &mut dyn Taker,
) -> Result<Report, Failure> {
    let (progress, report) = (Progress::new(files), Report::default());
    let (hooked, copies) = (BTreeSet::new(), Copies::default());
    let mut reading = Reading { set, open, take, progress, report, is_history: false, hooked, copies };
    match agent {
        Agent::Codex => reading.codex(files)?,
        Agent::Ouroboros => files.iter().try_for_each(|file| reading.journal(file))?,
        Agent::ClaudeCode => {
            for file in files {
                if hooked::is_of_hooks(file) { reading.alone(file, files)? } else { reading.claude(file)? }
            }
        }
    }
    Ok(reading.report)
}

struct Reading<'a> {
    set: &'a Set,
    open: Open,
    take: &'a mut dyn Taker,
    progress: Progress,
    report: Report,
    /// Nothing is told of what is read now.
    is_history: bool,
    /// The files of hooks whose lines were looked at: many sessions may read the same one.
    hooked: BTreeSet<PathBuf>,
    /// What sessions of one folder have of each other.
    copies: Copies,
}

/// A reader of some agent's files.
trait Reader {
    fn take_asides(&mut self) -> Vec<crate::import::session::Aside>;
    fn next_told(&mut self) -> Option<Told>;
    fn tally(&self) -> crate::import::session::Tally;
}

macro_rules! readers {
    ($($reader:ty),*) => {
        $(impl Reader for $reader {
            fn take_asides(&mut self) -> Vec<crate::import::session::Aside> {
                Self::take_asides(self)
            }

            fn next_told(&mut self) -> Option<Told> {
                Self::next_told(self)
            }

            fn tally(&self) -> crate::import::session::Tally {
                Self::tally(self)
            }
        })*
    };
}

readers!(Sessions, Session, Journal);

impl Reading<'_> {
    /// When it is now and how long what is late may take; nothing where these files end where they end.
    fn stays(&self, files: &[&Found]) -> Option<(u64, u64)> {
        match self.open {
            Open::Ends => None,
            Open::Stays { now, .. } if files.iter().all(|file| file.is_over(now)) => None,
            Open::Stays { now, grace } => Some((now, grace)),
        }
    }

    fn codex(&mut self, files: &[Found]) -> Result<(), Failure> {
        let mut sessions = Sessions::new(self.set.clone());
        for file in kin::ancestors_first(files) {
            self.is_history = file.is_history;
            self.report.sessions += u64::from(!file.is_history);
            let name = file.name().to_owned();
            for line in hooked::journal(file.id()).into_iter().filter_map(|path| hooked::lines(&path)).flatten() {
                if let Ok(fact) = serde_json::from_slice(&line) {
                    sessions.fact(fact);
                }
            }
            let read = self.portions(file, &mut sessions, |sessions, portion| sessions.feed(&name, portion))?;
            if let Some(reason) = read {
                sessions.aside(&name, 0, reason);
            }
            match self.stays(&[file]) {
                Some((now, grace)) => {
                    let open = sessions.leave(&name, now, grace);
                    self.report.open += if file.is_history { 0 } else { open };
                }
                None => sessions.finish(&name),
            }
            self.drain(&mut sessions)?;
        }
        self.report.add(sessions.tally(), Vec::new());
        Ok(())
    }

    fn journal(&mut self, file: &Found) -> Result<(), Failure> {
        self.report.sessions += 1;
        let mut journal = Journal::new(self.set.clone(), file.name());
        if let Some(reason) = self.portions(file, &mut journal, Journal::feed)? {
            journal.aside(0, reason);
        }
        match self.stays(&[file]) {
            Some(_) => self.report.open += journal.leave(),
            None => journal.finish(),
        }
        self.drain(&mut journal)?;
        self.report.add(journal.tally(), Vec::new());
        Ok(())
    }

    fn claude(&mut self, file: &Found) -> Result<(), Failure> {
        self.report.sessions += 1;
        let mut session = Session::new(self.set.clone(), file.stem());
        session.copies(self.copies.of(file, |_| false).unwrap_or_default());
        session.stands_beside(self.copies.sessions(file));
        for journal in [hooked::journal(file.stem()), hooked::events_of(&file.path)].into_iter().flatten() {
            let is_first = self.hooked.insert(journal.clone());
            for (number, line) in (1..).zip(hooked::lines(&journal).into_iter().flatten()) {
                if let Err(reason) = hooked::take(&line, file.stem(), &mut session)
                    && is_first
                {
                    self.hook_aside(&journal, number, reason);
                }
            }
        }
        session.recall(|rollout, span| self.take.has_sent(rollout, span), || hooked::lines(&file.path))?;
        let mut agents = sub_agents(file);
        let all: Vec<&Found> = agents.iter().map(|(_, file)| file).chain([file]).collect();
        let stays = self.stays(&all);
        self.transcript(file, Of::Session, &mut session, stays.is_none())?;
        while !agents.is_empty() {
            // A sub-agent may have started others: those whose call is known come first.
            let known = agents.iter().position(|(agent, _)| session.knows_agent(agent));
            let may_be_told = stays.is_some_and(|(now, grace)| session.is_open(now, grace));
            let Some(place) = known.or((!may_be_told).then_some(0)) else { break };
            let (agent, found) = agents.remove(place);
            self.transcript(&found, Of::Agent(&agent), &mut session, stays.is_none())?;
        }
        // The call that started them has not returned.
        self.report.open += agents.len() as u64;
        self.end(session, stays)
    }

    /// The sessions in a file of hooks that have no transcript among these files.
    fn alone(&mut self, file: &Found, files: &[Found]) -> Result<(), Failure> {
        let is_first = self.hooked.insert(file.path.clone());
        let (ids, more) = hooked::sessions_in(&file.path, |number, reason| {
            if is_first {
                self.hook_aside(&file.path, number, reason);
            }
        });
        self.report.files += 1;
        self.report.over_bound += more;
        let stays = self.stays(&[file]);
        for id in ids.iter().filter(|id| !files.iter().any(|file| file.stem() == id.as_str())) {
            self.report.sessions += 1;
            let mut session = Session::new(self.set.clone(), id);
            for line in hooked::lines(&file.path).into_iter().flatten() {
                // What cannot be used was set aside when the sessions were looked for.
                _ = hooked::take(&line, id, &mut session);
            }
            self.end(session, stays)?;
        }
        Ok(())
    }

    /// Sets a line of a file of hooks aside: it belongs to no session, or to many.
    fn hook_aside(&mut self, file: &Path, line: u64, reason: AsideReason) {
        if reason == AsideReason::Truncated && matches!(self.open, Open::Stays { .. }) {
            // It is being written.
            self.report.torn += 1;
            return;
        }
        self.report.aside += 1;
        log(vec![hooked::aside(&self.set.policy, file, line, reason)]);
    }

    fn end(&mut self, mut session: Session, stays: Option<(u64, u64)>) -> Result<(), Failure> {
        match stays {
            Some((now, grace)) => self.report.open += session.leave(now, grace),
            None => session.finish(),
        }
        self.drain(&mut session)?;
        self.report.add(session.tally(), Vec::new());
        Ok(())
    }

    fn transcript(&mut self, file: &Found, of: Of<'_>, session: &mut Session, is_over: bool) -> Result<(), Failure> {
        if let Some(reason) = self.portions(file, session, |session, portion| session.feed(of, portion))? {
            session.aside(of, 0, reason);
        }
        session.end_of_file(of, is_over);
        Ok(())
    }

    /// Hands on what a reader tells so far.
    fn drain(&mut self, reader: &mut impl Reader) -> Result<(), Failure> {
        log(reader.take_asides());
        while let Some(told) = reader.next_told() {
            if !self.is_history {
                self.report.calls += u64::from(matches!(told, Told::Call(_)));
                self.take.take(told)?;
            }
        }
        Ok(())
    }

    /// Feeds all portions of a file; why it could not be read to its end, where it could not.
    fn portions<R: Reader>(
        &mut self,
        file: &Found,
        reader: &mut R,
        mut feed: impl FnMut(&mut R, &[u8]),
    ) -> Result<Option<AsideReason>, Failure> {
        self.report.files += 1;
        if file.bytes == 0 {
            self.empty(file);
            return Ok(None);
        }
        let Ok(mut bytes) = Bytes::open(&file.path) else { return Ok(Some(AsideReason::Unreadable)) };
        let (mut buffer, mut length) = (vec![0; PORTION], 0);
        let mut is_blank = true;
        let read = loop {
            match bytes.read(&mut buffer) {
                Ok(0) => break bytes.was_replaced(&file.path, length).then_some(AsideReason::Replaced),
                Ok(read) => {
                    length += read as u64;
                    let portion = buffer.get(..read).unwrap_or_default();
                    is_blank = is_blank && portion.trim_ascii().is_empty();
                    feed(reader, portion);
                    self.drain(reader)?;
                    self.progress.read(read, reader.tally().rows, &self.report);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => break Some(broken(&error)),
            }
        };
        crate::event::wipe(&mut buffer);
        if is_blank && read.is_none() {
            self.empty(file);
        }
        Ok(read)
    }

    fn empty(&mut self, file: &Found) {
        self.report.empty += 1;
        let file = file.name();
        tracing::warn!(target: "veilspan", file, "the file is empty");
    }
}

/// Whether a folder holds what hooks told, and perhaps transcripts in a folder of its own.
pub(in crate::cli) fn is_recorded(folder: &Path) -> bool {
    folder.join(EVENTS).is_file()
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
    let row: Row<'_> = serde_json::from_slice(without_mark(&line)).ok()?;
    row.kind?;
    if row.aggregate.is_some() {
        return Some(Agent::Ouroboros);
    }
    match (row.payload, row.session) {
        (Some(_), None) => Some(Agent::Codex),
        _ => Some(Agent::ClaudeCode),
    }
}
