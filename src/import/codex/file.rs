//! One file: which of its rows are its own, and what each kind of row does.

use std::collections::HashMap;

use super::family::Family;
use super::rollbacks::Rollbacks;
use super::row::{Meta, Row};
use super::turns::Turns;
use super::{events, items, twice};
use crate::event::{CallRecord, Message, Part, RawText, Role, Veiled};
use crate::import::ids;
use crate::import::session::{
    AsideReason, Cut, Cutter, Desk, Newest, Recent, Thread, UsageMissing, Who, messages, read_line,
};
use crate::json::{Escapes, Node, Tape};
use crate::semconv::COMPACTION_TRIGGER;
use bytestring::ByteString;
use rustc_hash::FxHashSet;

/// The runtime tells again, in its own events, what stands in the items of the model: nobody asks for it there.
const ESCAPES: Escapes =
    Escapes::LeftOf(&["stdout", "stderr", "aggregated_output", "formatted_output", "last_agent_message"]);

/// The windows that are remembered.
const WINDOWS: usize = 1 << 8;

/// A file that is read.
pub(super) struct File {
    pub(super) name: String,
    pub(super) id: String,
    /// Turns that have no id are named by their number.
    pub(super) nameless: u64,
    pub(super) thread: Thread,
    cutter: Cutter,
    pub(super) meta: Option<Own>,
    /// The rows are an ancestor's.
    is_copy: bool,
    /// What a model said in copied rows, until something else was said.
    copied: Vec<Part>,
    pub(super) turn_id: String,
    /// The same, and another one where the id was that of an older turn.
    pub(super) turn_name: String,
    /// Whether rows tell where turns begin.
    pub(super) turns: Turns,
    pub(super) rollbacks: Rollbacks,
    /// What the user said in the turn: hashes, since it is told twice.
    pub(super) heard: FxHashSet<u64>,
    /// The rows that have no name by which it is seen that they stand twice.
    rows: Newest,
    /// When calls began that are told once they have ended.
    pub(super) begun: HashMap<String, u64>,
    pub(super) skills: Vec<String>,
    pub(super) compaction: Option<Box<CallRecord<Veiled>>>,
    pub(super) compactions: u64,
    /// How often a window was compacted before.
    pub(super) windows: Recent<u32>,
    /// The calls of the turn that have no id.
    pub(super) unnamed: u64,
    time: u64,
    /// Which call started it is not known yet, so that nothing of it is told.
    pub(super) is_withheld: bool,
}

/// What the file's own session says.
pub(super) struct Own {
    pub(super) at: u64,
    pub(super) parent: Option<String>,
    pub(super) is_fork: bool,
    pub(super) role: Option<ByteString>,
    begins_at: Option<u64>,
}

impl File {
    pub(super) fn new(desk: &Desk, path: &str) -> Self {
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let name = name.strip_suffix(".zst").unwrap_or(name);
        let stem = name.strip_suffix(".jsonl").unwrap_or(name);
        // `rollout-2026-01-02T03-04-05-<uuid>`
        let id = stem.get(stem.len().saturating_sub(36)..).filter(|id| uuid_millis(id).is_some()).unwrap_or(stem);
        Self {
            name: name.to_owned(),
            id: id.to_owned(),
            nameless: 0,
            thread: Thread::new(desk, who(desk, id, name)),
            cutter: Cutter::default(),
            meta: None,
            is_copy: false,
            copied: Vec::new(),
            turn_id: String::new(),
            turn_name: String::new(),
            turns: Turns::Untold,
            rollbacks: Rollbacks::default(),
            heard: FxHashSet::default(),
            rows: Newest::default(),
            begun: HashMap::new(),
            skills: Vec::new(),
            compaction: None,
            compactions: 0,
            windows: Recent::new(WINDOWS),
            unnamed: 0,
            time: 0,
            is_withheld: false,
        }
    }

    pub(super) fn feed(&mut self, desk: &mut Desk, family: &mut Family, portion: &[u8]) {
        let (mut cutter, mut tape) = (std::mem::take(&mut self.cutter), std::mem::take(&mut desk.tape));
        cutter.feed(portion, |number, cut| self.line(desk, family, &mut tape, number, &cut, false));
        (self.cutter, desk.tape) = (cutter, tape);
        self.thread.end_whole_answer(desk);
    }

    pub(super) fn finish(&mut self, desk: &mut Desk, family: &mut Family) {
        let mut cutter = std::mem::take(&mut self.cutter);
        let mut tape = Tape::default();
        cutter.finish(|number, cut| self.line(desk, family, &mut tape, number, &cut, true));
        self.thread.end_whole_answer(desk);
        self.end_turn(desk, family, None);
    }

    /// The file may still grow. Whether its turn is left open.
    pub(super) fn leave(&mut self, desk: &mut Desk, family: &mut Family, now: u64, grace: u64) -> bool {
        let (mut cutter, mut tape) = (std::mem::take(&mut self.cutter), Tape::default());
        cutter.finish(|number, cut| match &cut {
            Cut::Line(line) if read_line(&mut tape, line, Escapes::Left, |_| ()).is_err() => desk.tally.torn += 1,
            _ => self.line(desk, family, &mut tape, number, &cut, true),
        });
        self.thread.end_whole_answer(desk);
        let has_ended = family.has_ended(&self.thread.who.thread, self.time);
        if has_ended || self.thread.is_whole(now, grace) {
            self.end_turn(desk, family, None);
            return self.is_withheld;
        }
        true
    }

    pub(super) fn tick(&mut self, desk: &mut Desk, family: &mut Family) {
        if self.thread.turn_is_over(desk) {
            self.tell_compaction(desk, family);
        }
        self.thread.settle(desk, None);
    }

    fn line(
        &mut self,
        desk: &mut Desk,
        family: &mut Family,
        tape: &mut Tape,
        number: u64,
        cut: &Cut<'_>,
        is_last: bool,
    ) {
        let read = match cut {
            Cut::Oversize => Err(AsideReason::Oversize),
            Cut::Line(line) => {
                read_line(tape, line, ESCAPES, |row| self.row(desk, family, row)).and_then(std::convert::identity)
            }
        };
        if let Err(reason) = read {
            self.thread.end_whole_answer(desk);
            let reason = if is_last && reason == AsideReason::NotJson { AsideReason::Truncated } else { reason };
            let (scope, name) = (self.thread.scope().clone(), self.name.clone());
            desk.aside(&scope, &name, number, reason);
        }
    }

    fn row(&mut self, desk: &mut Desk, family: &mut Family, row: Node<'_>) -> Result<(), AsideReason> {
        let row = Row::of(row).ok_or(AsideReason::Field)?;
        desk.tally.rows += 1;
        // Those of a copy may all have the time of the copy.
        if let Some(at) = row.at.filter(|_| !self.is_copy && row.may_be_twice())
            && self.rows.is_again(twice::row(at, row.told.json()))
        {
            return Ok(());
        }
        if self.thread.has_whole_answer() && !row.is_of_tools() {
            self.thread.end_whole_answer(desk);
        }
        let Row { at, kind, told, what, ordinal } = row;
        // A clock that runs backwards takes no call with it.
        let at = at.unwrap_or(self.time);
        match kind {
            "session_meta" => {
                self.session_meta(desk, family, Meta(told), at);
                return Ok(());
            }
            "response_item" if self.is_copy => {
                desk.tally.replayed += 1;
                self.copy_item(told);
                return Ok(());
            }
            "response_item" => {
                self.own(desk, at);
                items::take(self, desk, family, (what, told), at);
                return Ok(());
            }
            _ => {}
        }
        if kind == "event_msg" && matches!(what, "task_started" | "turn_started") {
            self.is_copy = self.is_anothers(family, told, at, ordinal);
        }
        // A copied context holds until the thread's own says otherwise; the one before its own first turn looks copied.
        if kind == "turn_context" {
            self.thread.model = told.word("model").map(|model| desk.label(model)).or(self.thread.model.take());
            self.thread.effort = told.word("effort").map(|effort| desk.label(effort)).or(self.thread.effort.take());
        }
        if self.is_copy {
            desk.tally.replayed += 1;
            self.copy(desk, kind, what, told);
            return Ok(());
        }
        self.own(desk, at);
        match kind {
            "turn_context" => {}
            "event_msg" => events::take(self, desk, family, (what, told), at),
            "compacted" => events::compacted(self, desk, family, told, at),
            "world_state"
            | "inter_agent_communication"
            | "inter_agent_communication_metadata"
            | "token_usage_record" => {}
            other => desk.unknown(self.thread.scope(), at, if other.is_empty() { "none" } else { other }),
        }
        Ok(())
    }

    /// A row of the file's own thread.
    fn own(&mut self, desk: &mut Desk, at: u64) {
        self.flush_copied();
        self.time = self.time.max(at);
        self.thread.begin(desk, at, Vec::new());
    }

    /// The first one is the file's own; a later one is copied with an ancestor's rows.
    fn session_meta(&mut self, desk: &mut Desk, family: &mut Family, meta: Meta<'_>, at: u64) {
        if self.meta.is_some() {
            let is_ancestors = meta.0.word("id").is_some_and(|id| id != self.id);
            self.is_copy |= is_ancestors && self.thread.turn.is_none() && self.turn_id.is_empty();
            return;
        }
        if let Some(id) = meta.0.word("id") {
            id.clone_into(&mut self.id);
        }
        let parent = meta.parent().or_else(|| family.parent(&self.id)).map(str::to_owned);
        let role = meta.role().map(|role| desk.label(role));
        let mut who = who(desk, &self.id, &self.name);
        if let Some(provider) = meta.0.word("model_provider") {
            who.provider = desk.label(provider);
        }
        if let Some(parent) = &parent {
            starts(&mut who, desk, family, parent, role.as_ref());
        }
        family.set_root(&self.id, who.rollout.clone());
        self.thread = Thread::new(desk, who);
        let begins_at = meta.0.get("subagent_history_start_ordinal").and_then(Node::as_u64);
        let is_fork = meta.forked_from().is_some();
        self.is_copy = is_fork;
        self.meta = Some(Own { at, parent, is_fork, role, begins_at });
        self.time = at;
        let instructions = meta.instructions().map(RawText::from).into_iter().collect();
        self.thread.begin(desk, at, instructions);
    }

    /// Where the file does not say which thread started its own, that thread's file may have told by now.
    pub(super) fn learn_parent(&mut self, desk: &mut Desk, family: &mut Family, at: u64) {
        let Some(own) = self.meta.as_mut().filter(|own| own.parent.is_none() && !self.thread.has_had_turns()) else {
            return;
        };
        let Some(parent) = family.parent(&self.id).map(str::to_owned) else { return };
        let mut who = self.thread.who.clone();
        starts(&mut who, desk, family, &parent, own.role.as_ref());
        family.set_root(&self.id, who.rollout.clone());
        self.thread.is_now(desk, at, who);
        own.parent = Some(parent);
    }

    /// Whether a turn that begins here was an ancestor's.
    fn is_anothers(&self, family: &mut Family, told: Node<'_>, at: u64, ordinal: Option<u64>) -> bool {
        let Some(turn) = told.word("turn_id") else { return false };
        if family.has_owner_but(turn, &self.id) {
            return true;
        }
        if let Some(own) = self.meta.as_ref().filter(|_| self.is_copy) {
            let by_ordinal = own.begins_at.zip(ordinal).is_some_and(|(begins_at, ordinal)| ordinal < begins_at);
            let by_id = uuid_millis(turn).zip(uuid_millis(&self.id)).is_some_and(|(turn, own)| turn < own);
            if at < own.at || by_id || by_ordinal {
                return true;
            }
        }
        family.is_anothers(turn, &self.id)
    }

    /// Whether nothing of the file is told, since it is not known yet which call started its thread.
    pub(super) const fn is_withheld(&self) -> bool {
        self.is_withheld
    }

    /// The answer that is being given has no tokens yet, and will hardly get any.
    pub(super) fn no_token_count(&mut self) {
        if let Some(answer) = &mut self.thread.answer {
            answer.missing.get_or_insert(UsageMissing::NoTokenCount);
        }
    }

    pub(super) fn tell_compaction(&mut self, desk: &mut Desk, family: &Family) {
        let Some(mut record) = self.compaction.take() else { return };
        if let Some(trigger) = family.trigger(&self.turn_id) {
            record.opened.attrs.set(COMPACTION_TRIGGER, trigger);
        }
        desk.call(record);
    }

    /// A row of an ancestor is history, and no call.
    fn copy(&mut self, desk: &mut Desk, kind: &str, what: &str, told: Node<'_>) {
        match kind {
            "event_msg" => match what {
                "token_count" => self.flush_copied(),
                "task_started" | "turn_started" => {
                    self.flush_copied();
                    self.heard.clear();
                    self.rollbacks.begin(&self.thread);
                }
                "thread_rolled_back" => {
                    self.flush_copied();
                    events::rolled_back(self, desk, told);
                }
                "user_message" => {
                    self.flush_copied();
                    self.rollbacks.asked();
                    items::heard(self, events::said(told).unwrap_or_default());
                }
                _ => {}
            },
            "compacted" => {
                self.flush_copied();
                let messages = told.get("replacement_history").map(messages);
                _ = self.thread.replace(messages.unwrap_or_default());
            }
            _ => {}
        }
    }

    fn copy_item(&mut self, item: Node<'_>) {
        if items::is_user_s(item) {
            self.rollbacks.asked();
        }
        for message in messages(item) {
            if message.role == Role::Assistant {
                self.copied.extend(message.parts);
            } else {
                self.flush_copied();
                self.thread.hear(message);
            }
        }
    }

    fn flush_copied(&mut self) {
        if !self.copied.is_empty() {
            let parts = std::mem::take(&mut self.copied);
            self.thread.hear(Message { role: Role::Assistant, parts });
        }
    }
}

fn who(desk: &Desk, id: &str, file: &str) -> Who {
    let thread = desk.label(id);
    Who {
        rollout: thread.clone(),
        thread,
        agent: ByteString::from_static("codex"),
        provider: ByteString::from_static("openai"),
        parent: None,
        file: Some(desk.label(file)),
    }
}

/// A thread is one that this parent started.
fn starts(who: &mut Who, desk: &Desk, family: &Family, parent: &str, role: Option<&ByteString>) {
    who.parent = Some(desk.label(parent));
    who.rollout = family.root(parent).unwrap_or_else(|| desk.label(parent));
    who.agent = role.cloned().unwrap_or_else(|| ByteString::from_static("codex"));
}

/// When a UUID of version 7 was made, in milliseconds since 1970.
fn uuid_millis(id: &str) -> Option<u64> {
    let uuid = ids::uuid(id).filter(|uuid| uuid >> 76 & 0xf == 7)?;
    u64::try_from(uuid >> 80).ok()
}
