//! Sessions of Claude Code that grow.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use super::super::super::Failure;
use super::super::copies::Copies;
use super::super::files::{Found, sub_agents};
use super::super::hooked;
use super::super::read::Taker;
use super::super::report::{Report, log};
use super::super::tail::{Added, Lines, Tail};
use super::{Follower, Out};
use crate::import::claude::{Of, Session};
use crate::import::session::{AsideReason, Set};

/// A session, and how far each of its files was read.
struct OfSession {
    found: Found,
    id: String,
    /// Hooks alone tell of it; since when some of what they told waits for a transcript that tells it better.
    is_alone: bool,
    waits: Option<u64>,
    session: Session,
    tails: BTreeMap<String, Tail>,
    hooks: Vec<(PathBuf, Lines)>,
    /// The latest time of a hook, and up to when it was said that all was sent.
    hooked: (u64, u64),
    /// Nobody wrote its files for so long that it was told to its end.
    is_over: bool,
    /// When it was seen that a hook has told its end.
    ended: Option<u64>,
    /// Whether it is known which of its rows are copies, before which none is read; and whether it is read again.
    knows_copies: bool,
    is_anew: bool,
}

pub(super) struct Followed {
    set: Set,
    sessions: BTreeMap<PathBuf, OfSession>,
    /// Files of hooks, in which sessions may be named that have no transcript.
    hooks: BTreeMap<PathBuf, (Found, Lines)>,
    copies: Copies,
}

impl Followed {
    pub(super) fn new(set: &Set) -> Self {
        Self { set: set.clone(), sessions: BTreeMap::new(), hooks: BTreeMap::new(), copies: Copies::default() }
    }

    /// Finds out which rows of new sessions are copies.
    fn find_copies(&mut self, now: u64) {
        let Self { sessions, copies, .. } = self;
        let is_new = |known: &OfSession| !known.knows_copies && !known.is_alone && !known.is_over;
        let new: Vec<PathBuf> =
            sessions.iter().filter(|(_, known)| is_new(known)).map(|(path, _)| path.clone()).collect();
        for path in new {
            let Some(OfSession { found, is_anew, .. }) = sessions.get(&path) else { continue };
            // What it has of one that is followed already is a copy, and may not be all of it yet.
            let was_there = |other: &OfSession| other.knows_copies && !other.tails.is_empty() && !is_anew;
            let copied = copies.of(found, |other| sessions.get(other).is_some_and(was_there));
            let copied = copied.or_else(|| found.is_over(now).then(HashSet::new));
            let beside = copies.sessions(found);
            if let Some((known, copied)) = sessions.get_mut(&path).zip(copied) {
                known.session.copies(copied);
                known.session.stands_beside(beside);
                known.knows_copies = true;
            }
        }
    }

    /// Takes note of sessions that hooks have told of, and no transcript.
    fn find_alone(&mut self, all: bool, report: &mut Report) {
        let Self { set, sessions, hooks, .. } = self;
        for (path, (found, lines)) in hooks.iter_mut().filter(|(_, (_, lines))| all || lines.is_warm()) {
            let mut named = BTreeSet::new();
            lines.read(path, |line| match line.map(|(number, line)| (number, hooked::session_in(line))) {
                Some((number, Err(reason))) => {
                    report.aside += 1;
                    log(vec![hooked::aside(&set.policy, path, number, reason)]);
                }
                told => named.extend(told.and_then(|(_, session)| session.ok().flatten())),
            });
            named.retain(|id| sessions.values().all(|known| known.id != *id));
            for id in named {
                if sessions.values().filter(|known| known.is_alone).count() >= hooked::MAX_ALONE {
                    report.over_bound += 1;
                    continue;
                }
                report.sessions += 1;
                // It has no file of its own.
                sessions.insert(path.join(&id), OfSession::alone(set, found.clone(), &id));
            }
        }
    }
}

impl Follower for Followed {
    fn find(&mut self, found: Found, report: &mut Report) {
        if hooked::is_of_hooks(&found) {
            let set = &self.set;
            let of_file = |known: &&mut OfSession| known.is_alone && known.found.path == found.path;
            self.sessions.values_mut().filter(of_file).for_each(|known| known.is_now(set, found.clone()));
            match self.hooks.get_mut(&found.path) {
                Some((known, _)) => *known = found,
                None => {
                    report.files += 1;
                    self.hooks.insert(found.path.clone(), (found, Lines::default()));
                }
            }
            return;
        }
        // A transcript tells of a session what its hooks do, and more.
        let before = self.sessions.len();
        self.sessions.retain(|_, known| !(known.is_alone && known.id == found.stem()));
        report.sessions -= (before - self.sessions.len()) as u64;
        match self.sessions.get_mut(&found.path) {
            Some(known) => known.is_now(&self.set, found),
            None => {
                (report.files, report.sessions) = (report.files + 1, report.sessions + 1);
                self.sessions.insert(found.path.clone(), OfSession::new(&self.set, found));
            }
        }
    }

    fn read(&mut self, all: bool, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        self.find_alone(all, &mut out.report);
        self.find_copies(now);
        for followed in self.sessions.values_mut().filter(|followed| !followed.is_over) {
            if all || followed.is_warm() {
                followed.read(&self.set, now, out)?;
            }
        }
        Ok(())
    }

    fn arrived(&mut self, now: u64, grace: u64) {
        for followed in self.sessions.values_mut().filter(|followed| followed.hooked.0 > followed.hooked.1) {
            if followed.waits.is_none() && !followed.session.is_open(now, grace) {
                followed.hooked.1 = followed.hooked.0;
                if let Some(journal) = hooked::journal(&followed.id) {
                    hooked::note_sent(&journal, followed.hooked.1);
                }
            }
        }
    }

    fn leave(&mut self, now: u64, grace: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        for followed in self.sessions.values_mut() {
            match followed.waits {
                // A transcript may still come.
                Some(_) => out.report.open += 1,
                None if followed.is_over => {}
                None => out.report.open += followed.session.leave(now, grace),
            }
            followed.drain(out)?;
            out.report.add(followed.session.tally(), Vec::new());
        }
        Ok(())
    }
}

impl OfSession {
    fn new(set: &Set, found: Found) -> Self {
        let paths = [hooked::journal(found.stem()), hooked::events_of(&found.path)];
        let id = found.stem().to_owned();
        Self::of(set, found, &id, paths.into_iter().flatten())
    }

    /// A session of which the hooks in a file tell, and no transcript.
    fn alone(set: &Set, found: Found, id: &str) -> Self {
        let path = found.path.clone();
        Self { is_alone: true, ..Self::of(set, found, id, [path].into_iter()) }
    }

    fn of(set: &Set, found: Found, id: &str, hooks: impl Iterator<Item = PathBuf>) -> Self {
        Self {
            found,
            id: id.to_owned(),
            is_alone: false,
            waits: None,
            session: Session::new(set.clone(), id),
            tails: BTreeMap::new(),
            hooks: hooks.map(|path| (path, Lines::default())).collect(),
            hooked: (0, 0),
            is_over: false,
            ended: None,
            knows_copies: false,
            is_anew: false,
        }
    }

    /// Its file is so now. One that was over goes on where something was added.
    fn is_now(&mut self, set: &Set, found: Found) {
        let has_changed = self.found.bytes != found.bytes;
        self.found = found;
        if self.is_over && has_changed {
            self.restart(set);
        }
    }

    fn restart(&mut self, set: &Set) {
        let found = self.found.clone();
        *self = if self.is_alone { Self::alone(set, found, &self.id) } else { Self::new(set, found) };
        self.is_anew = true;
    }

    fn is_warm(&self) -> bool {
        self.tails.values().any(Tail::is_warm) || self.hooks.iter().any(|(_, lines)| lines.is_warm())
    }

    fn read(&mut self, set: &Set, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        let Self { hooks, hooked, session, id, is_alone, waits, .. } = self;
        session.now(now);
        for (path, lines) in hooks {
            lines.read(path, |line| match line.map(|(_, line)| hooked::take(line, id, session)) {
                Some(Ok(Some(at))) => {
                    hooked.0 = hooked.0.max(at);
                    if *is_alone {
                        waits.get_or_insert(now);
                    }
                }
                // What cannot be used is set aside where sessions are looked for.
                Some(_) => {}
                // What has no id is known by its place: it is not to be counted twice.
                None if *is_alone => *session = Session::new(set.clone(), id),
                None => {}
            });
        }
        if self.is_alone {
            return self.read_alone(set, now, out);
        }
        let path = self.found.path.clone();
        self.session.recall(|rollout, span| out.wire.has_sent(rollout, span), || hooked::lines(&path))?;
        let mut agents = Vec::new();
        if self.knows_copies {
            self.file(set, Of::Session, &path, out)?;
            agents = sub_agents(&self.found);
        }
        for (agent, found) in &agents {
            // Its spans hang under the call that started it, which says so when it returns.
            if self.session.knows_agent(agent) || !self.session.is_open(now, set.grace) {
                self.file(set, Of::Agent(agent), &found.path, out)?;
            }
        }
        self.session.tick(now);
        let is_over = |found: &Found| found.is_over(now);
        self.is_over = is_over(&self.found) && agents.iter().all(|(_, found)| is_over(found));
        self.ended = self.session.has_ended().then(|| self.ended.unwrap_or(now));
        if self.is_over || self.ended.is_some_and(|since| now.saturating_sub(since) >= set.grace) {
            self.session.finish();
        }
        self.drain(out)
    }

    /// Tells what hooks told as long ago as a transcript would have needed to come.
    fn read_alone(&mut self, set: &Set, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        if self.waits.is_some_and(|since| now.saturating_sub(since) >= set.grace) {
            self.waits = None;
            self.session.tell_alone();
        }
        self.session.tick(now);
        self.is_over = self.found.is_over(now);
        if self.is_over || self.waits.is_none() && self.session.has_ended() {
            self.waits = None;
            self.session.finish();
        }
        self.drain(out)
    }

    /// Reads what was added to one file.
    fn file(&mut self, set: &Set, of: Of<'_>, path: &std::path::Path, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        let name = match of {
            Of::Session => "",
            Of::Agent(agent) => agent,
        };
        loop {
            match self.tails.entry(name.to_owned()).or_default().look(path) {
                Added::Nothing => return Ok(()),
                Added::Bytes(mut bytes) => {
                    self.session.feed(of, &bytes);
                    crate::event::wipe(&mut bytes);
                }
                Added::Broken(reason) => self.session.aside(of, 0, reason),
                // What was read of the others depends on it.
                Added::Anew => {
                    self.restart(set);
                    self.session.aside(of, 0, AsideReason::Replaced);
                    return self.drain(out);
                }
            }
            self.drain(out)?;
        }
    }

    fn drain(&mut self, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        log(self.session.take_asides());
        out.drain(std::iter::from_fn(|| self.session.next_told()))
    }
}
