//! Where the turns of a file begin and end.

use super::family::Family;
use super::file::File;
use crate::event::{Attrs, Outcome};
use crate::import::session::Desk;
use crate::semconv::THREAD_FILE;

/// How often an id may be that of another turn.
const MOST_AGAIN: u32 = 1 << 10;

/// Whether rows tell where turns begin: those of older versions do not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Turns {
    /// None has so far.
    Untold,
    /// None has so far, and a turn runs.
    Implied,
    Told,
}

impl File {
    /// A row tells that a turn begins.
    pub(super) fn told_turn(&mut self, desk: &mut Desk, family: &mut Family, id: Option<&str>, at: u64) {
        self.turns = Turns::Told;
        let id = id.map_or_else(|| self.next_name(), str::to_owned);
        self.open_turn(desk, family, &id, at);
    }

    /// Something is asked or answered: where no row tells that turns begin, one begins with what is asked after an answer,
    /// and with what comes first. What others may have written before a thread's own first turn begins none.
    pub(super) fn imply_turn(&mut self, desk: &mut Desk, family: &mut Family, at: u64, is_asked: bool) {
        let is_others = self.meta.as_ref().is_none_or(|own| own.is_fork || own.parent.is_some());
        let begins = match self.turns {
            Turns::Told => false,
            Turns::Untold => !is_others,
            Turns::Implied => is_asked && self.is_answered(),
        };
        if begins {
            let heard = std::mem::take(&mut self.heard);
            let id = self.next_name();
            self.open_turn(desk, family, &id, at);
            self.turns = Turns::Implied;
            // What was asked may have been told as an item already.
            self.heard = heard;
        }
    }

    /// Whether the turn that runs is one that no row began.
    pub(super) fn is_implied(&self) -> bool {
        self.turns == Turns::Implied
    }

    /// Whether a model has answered in the turn, or it was interrupted.
    pub(super) fn is_answered(&self) -> bool {
        self.thread.next_inference() > 0 || self.thread.turn.as_ref().is_none_or(|turn| turn.ended.is_some())
    }

    fn open_turn(&mut self, desk: &mut Desk, family: &mut Family, id: &str, at: u64) {
        if id == self.turn_id {
            return;
        }
        let Some(name) = self.name_of(id, at) else { return };
        self.end_turn(desk, family, None);
        self.learn_parent(desk, family, at);
        if let Some(parent) = self.meta.as_ref().and_then(|own| own.parent.as_deref())
            && self.thread.origin.is_none()
        {
            let began = self.meta.as_ref().map_or(at, |own| own.at);
            let origin = family.origin(&self.id, parent, began.max(at));
            self.is_withheld = origin.is_err();
            self.thread.origin = origin.unwrap_or_default();
        }
        if self.is_withheld {
            return;
        }
        let mut attrs = Attrs::default();
        if let Some(file) = &self.thread.who.file {
            attrs.set(THREAD_FILE, file.clone());
        }
        id.clone_into(&mut self.turn_id);
        self.heard.clear();
        self.skills.clear();
        self.unnamed = 0;
        self.rollbacks.begin(&self.thread);
        self.thread.open_turn(desk, &name, at, attrs);
        self.turn_name = name;
        family.runs(&self.id, true);
    }

    /// What a turn of this id is called that begins now. Nothing where it has begun before: a row that stands twice. That of
    /// a turn which is over may be that of another one later.
    fn name_of(&self, id: &str, at: u64) -> Option<String> {
        if !self.thread.has_begun(id) {
            return Some(id.to_owned());
        }
        let is_over = |last| self.thread.has_said_its_end() && at > last;
        if !self.thread.turn.as_ref().is_none_or(|turn| is_over(turn.last)) {
            return None;
        }
        (1..MOST_AGAIN).map(|again| format!("{id}#{again}")).find(|name| !self.thread.has_begun(name))
    }

    /// Whether the turn that runs has no id that a row told.
    pub(super) fn is_nameless(&self) -> bool {
        self.is_implied() || self.nameless > 0 && self.turn_id == format!("turn-{}", self.nameless)
    }

    /// The name of a turn that has no id.
    fn next_name(&mut self) -> String {
        self.nameless += 1;
        format!("turn-{}", self.nameless)
    }

    pub(super) fn end_turn(&mut self, desk: &mut Desk, family: &mut Family, how: Option<(Outcome, u64)>) {
        family.runs(&self.id, false);
        self.no_token_count();
        self.tell_compaction(desk, family);
        self.thread.end_turn(desk, how);
    }
}
