//! Files of Codex that grow.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::super::Failure;
use super::super::files::Found;
use super::super::hooked;
use super::super::kin::{self, Kin};
use super::super::report::{Report, log};
use super::super::tail::{Added, Lines, Tail};
use super::{Follower, Out};
use crate::import::codex::Sessions;
use crate::import::hook::Fact;
use crate::import::session::Set;

/// A file of a thread, and what hooks told of it.
struct File {
    found: Found,
    /// Nothing while its first row is not there.
    kin: Option<Kin>,
    tail: Tail,
    hooks: Option<(PathBuf, Lines)>,
    /// The latest time of a hook, and up to when it was said that all was sent.
    hooked: (u64, u64),
    /// Nobody wrote it for so long that it was read to its end.
    is_over: bool,
}

pub(super) struct Followed {
    sessions: Sessions,
    /// By their names, which begin with the time.
    files: BTreeMap<Key, File>,
    /// Ancestors before their descendants; nothing where it is to be found out anew.
    order: Option<Vec<Key>>,
}

type Key = (String, PathBuf);

impl Followed {
    pub(super) fn new(set: &Set) -> Self {
        Self { sessions: Sessions::new(set.clone()), files: BTreeMap::new(), order: None }
    }

    fn order(&mut self) -> Vec<Key> {
        if let Some(order) = &self.order {
            return order.clone();
        }
        let nameless: Vec<Kin> = self.files.values().map(|file| kin::nameless(&file.found)).collect();
        let kin: Vec<&Kin> =
            self.files.values().zip(&nameless).map(|(file, nameless)| file.kin.as_ref().unwrap_or(nameless)).collect();
        let keys: Vec<&Key> = self.files.keys().collect();
        let order = kin::order(&kin, 0..kin.len()).into_iter().filter_map(|place| keys.get(place).copied().cloned());
        self.order.insert(order.collect()).clone()
    }

    fn drain(&mut self, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        log(self.sessions.take_asides());
        out.drain(std::iter::from_fn(|| self.sessions.next_told()))
    }
}

impl Follower for Followed {
    fn find(&mut self, found: Found, report: &mut Report) {
        let key = (found.name().to_owned(), found.path.clone());
        match self.files.get_mut(&key) {
            Some(file) => {
                let has_changed = file.found.bytes != found.bytes;
                file.found = found;
                if has_changed && file.kin.is_none() {
                    file.kin = kin::of(&file.found);
                    self.order = None;
                }
                if file.is_over && has_changed {
                    (file.is_over, file.tail) = (false, Tail::default());
                }
            }
            None => {
                (report.files, report.sessions) = (report.files + 1, report.sessions + 1);
                let hooks = hooked::journal(found.id()).map(|path| (path, Lines::default()));
                let (kin, tail) = (kin::of(&found), Tail::default());
                self.files.insert(key, File { found, kin, tail, hooks, hooked: (0, 0), is_over: false });
                self.order = None;
            }
        }
    }

    fn read(&mut self, all: bool, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        self.sessions.now(now);
        for key in self.order() {
            let Some(file) = self.files.get_mut(&key).filter(|file| !file.is_over) else { continue };
            if !(all || file.tail.is_warm()) {
                continue;
            }
            if let Some((path, lines)) = &mut file.hooks {
                lines.read(path, |line| {
                    let line = line.map(|(_, line)| line);
                    if let Some(Ok(fact)) = line.map(serde_json::from_slice::<Fact>) {
                        file.hooked.0 = file.hooked.0.max(fact.time_unix_nano);
                        self.sessions.fact(fact);
                    }
                });
            }
            let path = &key.1;
            let name = path.to_string_lossy();
            // A file is read to its end before the next one, which may be that of a thread that it has started.
            while let Some(file) = self.files.get_mut(&key) {
                match file.tail.look(path) {
                    Added::Nothing => break,
                    Added::Broken(reason) => self.sessions.aside(&name, 0, reason),
                    Added::Anew => self.sessions.restart(&name),
                    Added::Bytes(mut bytes) => {
                        self.sessions.feed(&name, &bytes);
                        crate::event::wipe(&mut bytes);
                    }
                }
                self.drain(out)?;
            }
            let Some(file) = self.files.get_mut(&key) else { continue };
            if self.sessions.is_withheld(&name) {
                self.sessions.forget(&name);
                file.tail = Tail::default();
            } else if file.found.is_over(now) {
                self.sessions.finish(&name);
                file.is_over = true;
            }
        }
        self.sessions.tick(now);
        self.drain(out)
    }

    fn arrived(&mut self, now: u64, grace: u64) {
        for ((_, path), file) in self.files.iter_mut().filter(|(_, file)| file.hooked.0 > file.hooked.1) {
            if !self.sessions.is_open(&path.to_string_lossy(), now, grace) {
                file.hooked.1 = file.hooked.0;
                file.hooks.iter().for_each(|(journal, _)| hooked::note_sent(journal, file.hooked.1));
            }
        }
    }

    fn leave(&mut self, now: u64, grace: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        for (_, path) in self.files.keys() {
            out.report.open += self.sessions.leave(&path.to_string_lossy(), now, grace);
        }
        self.drain(out)?;
        out.report.add(self.sessions.tally(), Vec::new());
        Ok(())
    }
}
