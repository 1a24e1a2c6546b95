//! What the files of one import know of each other: whose turn is whose, and which call started which thread.

use std::collections::HashMap;

use bytestring::ByteString;

use super::items::known;
use crate::event::SpanIds;
use crate::import::session::{Origin, Recent};

/// The turns, and the threads, that are remembered: those of some gigabytes of sessions.
const REMEMBERED: usize = 50_000;
/// The calls of one thread that started others and are remembered.
const MAX_SPAWNS: usize = 1 << 12;

/// The calls of other names that are remembered, since one of them may have started a thread: it is told soon after.
const MAX_CALLS: usize = 1 << 9;

/// A call that started a thread.
struct Spawn {
    call: String,
    span: SpanIds,
    at: u64,
    child: Option<String>,
}

/// What is told of a thread that a call started.
struct Child {
    parent: String,
    origin: Origin,
}

/// The threads of an import.
pub(super) struct Family {
    /// Whose turn it is, by the number of the thread.
    turns: Recent<u32>,
    threads: HashMap<String, u32>,
    roots: Recent<ByteString>,
    spawns: HashMap<String, Vec<Spawn>>,
    /// Other calls, by their ids, each with a hash of its thread.
    calls: Recent<(u64, SpanIds)>,
    children: Recent<Child>,
    /// The threads that calls started, as hooks told before the calls were read.
    hooked: Recent<Box<str>>,
    triggers: Recent<ByteString>,
    /// Whether a turn of a thread runs, as far as its file was read.
    running: Recent<bool>,
    /// When hooks said that sessions have ended, by their labels.
    ends: Recent<u64>,
}

/// Which of several calls started a thread is still to be told.
pub(super) struct Unsure;

impl Family {
    pub(super) fn new() -> Self {
        Self {
            turns: Recent::new(REMEMBERED),
            threads: HashMap::new(),
            roots: Recent::new(REMEMBERED),
            spawns: HashMap::new(),
            calls: Recent::new(MAX_CALLS),
            children: Recent::new(REMEMBERED),
            hooked: Recent::new(MAX_SPAWNS),
            triggers: Recent::new(REMEMBERED),
            running: Recent::new(REMEMBERED),
            ends: Recent::new(REMEMBERED),
        }
    }

    /// Whether another thread has told this turn; else it is this one's.
    pub(super) fn is_anothers(&mut self, turn: &str, thread: &str) -> bool {
        if let Some(owner) = self.turns.get(turn) {
            return self.threads.get(thread) != Some(owner);
        }
        let next = u32::try_from(self.threads.len()).unwrap_or(u32::MAX);
        let own = *self.threads.entry(thread.to_owned()).or_insert(next);
        self.turns.set(turn, own);
        false
    }

    /// Whether a thread is known to have told this turn.
    pub(super) fn has_owner_but(&self, turn: &str, thread: &str) -> bool {
        self.turns.get(turn).is_some_and(|owner| self.threads.get(thread) != Some(owner))
    }

    pub(super) fn root(&self, thread: &str) -> Option<ByteString> {
        self.roots.get(thread).cloned()
    }

    pub(super) fn set_root(&mut self, thread: &str, root: ByteString) {
        self.roots.set(thread, root);
    }

    /// A call began: by its name one that starts a thread, or any other.
    pub(super) fn called(&mut self, thread: &str, (call, name): (&str, &str), span: SpanIds, at: u64) {
        if !is_spawn(name) {
            let call = self.calls.know(call);
            self.calls.note(call, (known(thread), span));
            return;
        }
        let spawns = self.spawns.entry(thread.to_owned()).or_default();
        if spawns.len() < MAX_SPAWNS {
            spawns.push(Spawn { call: call.to_owned(), span, at, child: None });
        }
        if let Some(child) = self.hooked.get(&of_thread(thread, call)).cloned() {
            self.returned(thread, call, &child);
        }
    }

    /// An event tells which thread a call started, whatever the call's name.
    pub(super) fn spawned(&mut self, thread: &str, call: &str, child: &str) {
        // Of what a call did to a thread that runs already it is told in the same words.
        let is_first = self.children.get(child).is_none() && !self.may_have_spawned(thread);
        if !self.returned(thread, call, child)
            && is_first
            && let Some((_, span)) = self.calls.get(call).filter(|(of, _)| *of == known(thread))
        {
            let origin = Origin { span: *span };
            self.children.set(child, Child { parent: thread.to_owned(), origin });
        }
    }

    /// A call returned the name of a thread: it started it, if by its own name it is one that does. Whether it is.
    pub(super) fn returned(&mut self, thread: &str, call: &str, child: &str) -> bool {
        let spawns = self.spawns.get_mut(thread).map(Vec::as_mut_slice).unwrap_or_default();
        let Some(spawn) = spawns.iter_mut().find(|spawn| spawn.call == call) else { return false };
        spawn.child = Some(child.to_owned());
        let origin = Origin { span: spawn.span };
        self.children.set(child, Child { parent: thread.to_owned(), origin });
        true
    }

    /// A hook told which thread a call started: perhaps before the call is read.
    pub(super) fn hooked(&mut self, thread: &str, call: &str, child: &str) {
        if !self.returned(thread, call, child) {
            self.hooked.set(&of_thread(thread, call), child.into());
        }
    }

    /// Whether a call of this thread started one that is not known yet.
    fn may_have_spawned(&self, thread: &str) -> bool {
        self.spawns.get(thread).is_some_and(|spawns| spawns.iter().any(|spawn| spawn.child.is_none()))
    }

    /// The thread that told that it had started this one.
    pub(super) fn parent(&self, child: &str) -> Option<&str> {
        self.children.get(child).map(|known| known.parent.as_str()).filter(|parent| *parent != child)
    }

    /// Which call started a thread: the one that said so, else the last one before it that started no other.
    ///
    /// # Errors
    ///
    /// It may have been one of several, and the parent's turn may still tell.
    pub(super) fn origin(&mut self, child: &str, parent: &str, at: u64) -> Result<Option<Origin>, Unsure> {
        if let Some(known) = self.children.get(child) {
            return Ok(Some(known.origin));
        }
        let may_be_told = self.running.get(parent) == Some(&true);
        let spawns = self.spawns.get_mut(parent).map(Vec::as_mut_slice).unwrap_or_default();
        let mut candidates = spawns.iter_mut().rev().filter(|spawn| spawn.child.is_none() && spawn.at <= at);
        let spawn = candidates.next();
        if may_be_told && (spawn.is_none() || candidates.next().is_some()) {
            return Err(Unsure);
        }
        Ok(spawn.map(|spawn| {
            spawn.child = Some(child.to_owned());
            Origin { span: spawn.span }
        }))
    }

    /// A turn of a thread runs, or has ended.
    pub(super) fn runs(&mut self, thread: &str, is_running: bool) {
        self.running.set(thread, is_running);
    }

    /// A hook told that a session ended, or, without a time, that it began again.
    pub(super) fn session_ended(&mut self, session: &str, at: Option<u64>) {
        self.ends.set(session, at.unwrap_or(0));
    }

    /// Whether a session ended, and nothing was made in it since this time.
    pub(super) fn has_ended(&self, session: &str, last: u64) -> bool {
        self.ends.get(session).is_some_and(|end| *end > 0 && *end >= last)
    }

    /// A hook told what a compaction of this turn was begun by.
    pub(super) fn triggered(&mut self, turn: &str, trigger: ByteString) {
        self.triggers.set(turn, trigger);
    }

    pub(super) fn trigger(&self, turn: &str) -> Option<ByteString> {
        self.triggers.get(turn).cloned()
    }
}

/// Whether a call of this name starts a thread. Some versions put the name of a toolbox before it.
fn is_spawn(name: &str) -> bool {
    let before = name.strip_suffix("spawn_agent");
    before.is_some_and(|before| before.is_empty() || before.ends_with(['.', '/', ':', '-']) || before.ends_with("__"))
}

/// The name of what has one in its thread.
fn of_thread(thread: &str, call: &str) -> String {
    format!("{thread}\0{call}")
}
