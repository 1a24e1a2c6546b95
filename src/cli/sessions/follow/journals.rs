//! Journals of Ouroboros that grow.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::super::Failure;
use super::super::files::Found;
use super::super::report::{Report, log};
use super::super::tail::{Added, Tail};
use super::{Follower, Out};
use crate::import::ouroboros::Journal;
use crate::import::session::{AsideReason, Set};

pub(super) struct Followed {
    set: Set,
    journals: BTreeMap<PathBuf, (Found, Journal, Tail)>,
}

impl Followed {
    pub(super) fn new(set: &Set) -> Self {
        Self { set: set.clone(), journals: BTreeMap::new() }
    }
}

impl Follower for Followed {
    fn find(&mut self, found: Found, report: &mut Report) {
        if !self.journals.contains_key(&found.path) {
            (report.files, report.sessions) = (report.files + 1, report.sessions + 1);
            let journal = Journal::new(self.set.clone(), found.name());
            self.journals.insert(found.path.clone(), (found, journal, Tail::default()));
        }
    }

    fn read(&mut self, all: bool, _: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        for (path, (found, journal, tail)) in &mut self.journals {
            if !(all || tail.is_warm()) {
                continue;
            }
            loop {
                match tail.look(path) {
                    Added::Nothing => break,
                    Added::Broken(reason) => journal.aside(0, reason),
                    Added::Anew => {
                        *journal = Journal::new(self.set.clone(), found.name());
                        journal.aside(0, AsideReason::Replaced);
                    }
                    Added::Bytes(mut bytes) => {
                        journal.feed(&bytes);
                        crate::event::wipe(&mut bytes);
                    }
                }
                log(journal.take_asides());
                out.drain(std::iter::from_fn(|| journal.next_told()))?;
            }
        }
        Ok(())
    }

    fn arrived(&mut self, _: u64, _: u64) {}

    fn leave(&mut self, _: u64, _: u64, out: &mut Out<'_, '_>) -> Result<(), Failure> {
        for (_, journal, _) in self.journals.values_mut() {
            out.report.open += journal.leave();
            log(journal.take_asides());
            out.drain(std::iter::from_fn(|| journal.next_told()))?;
            out.report.add(journal.tally(), Vec::new());
        }
        Ok(())
    }
}
