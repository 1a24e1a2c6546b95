//! The files of an import.

use std::collections::BTreeMap;

use super::family::Family;
use super::file::File;
use crate::import::hook::{self, Fact, Hook};
use crate::import::session::{Aside, AsideReason, Desk, Set, Tally, Told};

/// Reads session files. A file's bytes come in order and may be cut anywhere; ancestors come before their children. Files
/// are known by their paths or names; what is told of one is its own name alone.
#[allow(missing_debug_implementations)]
pub struct Sessions {
    desk: Desk,
    family: Family,
    files: BTreeMap<String, File>,
}

impl Sessions {
    /// Sessions read in this way.
    pub fn new(set: Set) -> Self {
        Self { desk: Desk::new(set), family: Family::new(), files: BTreeMap::new() }
    }

    /// Takes a portion of the file of this name.
    pub fn feed(&mut self, file: &str, portion: &[u8]) {
        let Self { desk, family, files } = self;
        if !files.contains_key(file) {
            files.insert(file.to_owned(), File::new(desk, file));
        }
        if let Some(file) = files.get_mut(file) {
            file.feed(desk, family, portion);
        }
    }

    /// The file of this name ends here: what is open in it ends, and all is told that is known of it.
    pub fn finish(&mut self, file: &str) {
        if let Some(mut file) = self.files.remove(file) {
            file.finish(&mut self.desk, &mut self.family);
        }
    }

    /// The file of this name ends here for now: what is complete is told, and what is open is not. What belongs to a turn
    /// may come `grace` nanoseconds after it seemed to have ended. Gives the number of turns that are left open.
    pub fn leave(&mut self, file: &str, unix_nanos: u64, grace: u64) -> u64 {
        let Some(mut file) = self.files.remove(file) else { return 0 };
        u64::from(file.leave(&mut self.desk, &mut self.family, unix_nanos, grace))
    }

    /// Whether a turn of a file still runs, as far as it was read.
    pub fn is_open(&self, file: &str, unix_nanos: u64, grace: u64) -> bool {
        self.files.get(file).is_some_and(|file| !file.thread.is_whole(unix_nanos, grace))
    }

    /// Whether nothing of a file is told yet, since it is still to be told which call started its thread. It has to be read
    /// once more then, after the file of the thread that started it.
    pub fn is_withheld(&self, file: &str) -> bool {
        self.files.get(file).is_some_and(File::is_withheld)
    }

    /// Forgets the file of this name, as if it had not been read.
    pub fn forget(&mut self, file: &str) {
        self.files.remove(file);
    }

    /// The file of this name begins anew: it was replaced, or became shorter.
    pub fn restart(&mut self, file: &str) {
        if self.files.remove(file).is_some() {
            self.aside(file, 0, AsideReason::Replaced);
        }
    }

    /// Takes what a hook told, as the journal has it.
    pub fn fact(&mut self, fact: Fact) {
        self.desk.tally.rows += 1;
        let fact = fact.under(&self.desk.set.policy);
        if let (Hook::PostToolUse, Some(call), Some(child)) = (fact.hook, &fact.tool_id, &fact.started) {
            self.family.hooked(&fact.session, call, child);
        }
        match (fact.hook, fact.turn, fact.trigger) {
            (Hook::PreCompact | Hook::PostCompact, Some(turn), Some(trigger)) => {
                self.family.triggered(&turn, trigger.into());
            }
            (Hook::SessionEnd, ..) => self.family.session_ended(&fact.session, Some(fact.time_unix_nano)),
            (Hook::SessionStart, ..) => self.family.session_ended(&fact.session, None),
            _ => {}
        }
    }

    /// Takes what a hook told, as the agent wrote it. Whether it was one.
    pub fn hook(&mut self, payload: &[u8], name: Option<&str>, time_unix_nano: u64) -> bool {
        let fact = hook::read(payload, name, time_unix_nano, &self.desk.set.policy);
        fact.map(|fact| self.fact(fact)).is_some()
    }

    /// What is taken from now on is read at this time of the host's clock.
    pub const fn now(&mut self, unix_nanos: u64) {
        self.desk.clock = unix_nanos;
    }

    /// The host's clock stands here: what ended long ago is told.
    pub fn tick(&mut self, unix_nanos: u64) {
        let Self { desk, family, files } = self;
        desk.clock = unix_nanos;
        files.values_mut().for_each(|file| file.tick(desk, family));
    }

    /// Sets a place of a file aside.
    pub fn aside(&mut self, file: &str, line: u64, reason: AsideReason) {
        let of = |file: &File| (file.thread.scope().clone(), file.name.clone());
        let (scope, name) = self.files.get(file).map_or_else(|| of(&File::new(&self.desk, file)), of);
        self.desk.aside(&scope, &name, line, reason);
    }

    /// What has been read so far.
    pub fn tally(&self) -> Tally {
        self.desk.tally
    }

    /// What was set aside since this was asked last.
    pub fn take_asides(&mut self) -> Vec<Aside> {
        std::mem::take(&mut self.desk.asides)
    }

    /// The next thing that they tell.
    pub fn next_told(&mut self) -> Option<Told> {
        self.desk.next()
    }
}
