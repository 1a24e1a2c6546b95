//! Sessions of Claude Code that grow.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::super::Failure;
use super::super::files::{Found, sub_agents};
use super::super::hooked;
use super::super::report::{Report, log};
use super::super::tail::{Added, Lines, Tail};
use super::{Follower, Out};
use crate::import::claude::{Of, Session};
use crate::import::session::{AsideReason, Set};

/// A session, and how far each of its files was read.
struct OfSession {
    found: Found,
    session: Session,
    tails: BTreeMap<String, Tail>,
    hooks: Vec<(PathBuf, Lines)>,
    /// The latest time of a hook, and up to when it was said that all was sent.
    hooked: (u64, u64),
    /// Nobody wrote its files for so long that it was told to its end.
    is_over: bool,
    /// When it was seen that a hook has told its end.
    ended: Option<u64>,
}

pub(super) struct Followed {
    set: Set,
    sessions: BTreeMap<PathBuf, OfSession>,
}

impl Followed {
    pub(super) fn new(set: &Set) -> Self {
        Self { set: set.clone(), sessions: BTreeMap::new() }
    }
}

impl Follower for Followed {
    fn find(&mut self, found: Found, report: &mut Report) {
        if hooked::is_of_hooks(&found) {
            return;
        }
        match self.sessions.get_mut(&found.path) {
            Some(known) => {
                let has_changed = known.found.bytes != found.bytes;
                known.found = found;
                if known.is_over && has_changed {
                    known.restart(&self.set);
                }
            }
            None => {
                (report.files, report.sessions) = (report.files + 1, report.sessions + 1);
                self.sessions.insert(found.path.clone(), OfSession::new(&self.set, found));
            }
        }
    }

    fn read(&mut self, all: bool, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        for followed in self.sessions.values_mut().filter(|followed| !followed.is_over) {
            if all || followed.is_warm() {
                followed.read(&self.set, now, out)?;
            }
        }
        Ok(())
    }

    fn arrived(&mut self, now: u64, grace: u64) {
        for followed in self.sessions.values_mut().filter(|followed| followed.hooked.0 > followed.hooked.1) {
            if !followed.session.is_open(now, grace) {
                followed.hooked.1 = followed.hooked.0;
                if let Some(journal) = hooked::journal(followed.found.stem()) {
                    hooked::note_sent(&journal, followed.hooked.1);
                }
            }
        }
    }

    fn leave(&mut self, now: u64, grace: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        for followed in self.sessions.values_mut() {
            if !followed.is_over {
                out.report.open += followed.session.leave(now, grace);
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
        let hooks = paths.into_iter().flatten().map(|path| (path, Lines::default())).collect();
        let session = Session::new(set.clone(), found.stem());
        Self { found, session, tails: BTreeMap::new(), hooks, hooked: (0, 0), is_over: false, ended: None }
    }

    fn restart(&mut self, set: &Set) {
        *self = Self::new(set, self.found.clone());
    }

    fn is_warm(&self) -> bool {
        self.tails.values().any(Tail::is_warm) || self.hooks.iter().any(|(_, lines)| lines.is_warm())
    }

    fn read(&mut self, set: &Set, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        let Self { hooks, hooked, session, found, .. } = self;
        session.now(now);
        for (path, lines) in hooks {
            lines.read(path, |line| {
                hooked.0 = hooked.0.max(hooked::take(line, found.stem(), session).unwrap_or(0));
            });
        }
        let path = self.found.path.clone();
        self.file(set, Of::Session, &path, out)?;
        let agents = sub_agents(&self.found);
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
