//! Rollouts, threads, and what passes between them.

use bytestring::ByteString;
use serde_json::Value;
use zeroize::Zeroizing;

use super::Reason;
use super::known::{Begun, Of};
use super::mapper::{Here, Mapper, STATUS, outcome};
use super::record::{Record, Unread};
use crate::event::{Attrs, EdgeKind, Key, MarkKind, Measure, Noted, Outcome, Statement, Subject};
use crate::semconv::{
    AGENT_NICKNAME, AGENT_PATH, AGENT_ROLE, AGENT_TASK, EDGE_KIND, EDGE_THREAD, EVIDENCE_REF, Field, OPERATION_ID,
    PARENT_THREAD_ID, REQUEST_MODEL, ROOT_THREAD_ID,
};

/// What one agent says to another is an answer here and a prompt there.
pub(super) const PASSED: [Field; 2] = [Field::Prompts, Field::Completions];

/// The threads whose agents' names are remembered.
const AGENTS: usize = 1 << 16;

impl Mapper {
    pub(super) fn rollout_started(&mut self, record: &Record) -> Result<(), Unread> {
        let root = record.required("root_thread_id")?;
        let here = self.here(record, Some(root), None);
        let mut attrs = Attrs::default();
        attrs.set(ROOT_THREAD_ID, self.label(root));
        self.state(&here, Subject::Rollout, Statement::Began, attrs);
        Ok(())
    }

    pub(super) fn rollout_ended(&mut self, record: &Record) -> Result<(), Unread> {
        let (outcome, attrs) = (outcome(record)?, super::mapper::end_attrs(record.required(STATUS)?));
        let here = self.here(record, None, None);
        self.end_of(&here, Subject::Rollout, outcome, attrs);
        Ok(())
    }

    pub(super) fn thread_started(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        let thread = record.required("thread_id")?;
        let here = self.here(record, Some(thread), None);
        let mut attrs = Attrs::default();
        let mut path = record.text("agent_path").map(str::to_owned);
        if let Some((_, body)) = self.body(line, record, "metadata_payload") {
            let read = serde_json::from_slice::<Value>(body.bytes()).map_err(|_| Reason::NotJson);
            if let Some(told) = self.or_aside(line, record, "metadata_payload", read) {
                self.metadata(&told, &mut path, &mut attrs);
            }
        }
        if let Some(path) = path {
            let label = self.bodies.items.agent(&path);
            let name = self.label(path.rsplit('/').next().unwrap_or_default());
            if self.agents.len() >= AGENTS {
                self.agents.clear();
            }
            self.agents.insert(here.scope.thread.clone(), name);
            attrs.set(AGENT_PATH, label);
        }
        self.state(&here, Subject::Thread, Statement::Began, attrs);
        Ok(())
    }

    /// What the session says of itself; that it was spawned is said over what its event says.
    fn metadata(&self, told: &Value, path: &mut Option<String>, attrs: &mut Attrs) {
        let spawn = told.pointer("/session_source/subagent/thread_spawn");
        let word = |value: Option<&Value>, name: &str| value?.get(name)?.as_str().map(str::to_owned);
        let told = Some(told);
        if let Some(own) = word(spawn, "agent_path").or_else(|| word(told, "agent_path")) {
            *path = Some(own);
        }
        let either = |name: &str, in_spawn: &str| word(told, name).or_else(|| word(spawn, in_spawn));
        let last_of_path = || path.as_deref().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
        let task = word(told, "task_name").or_else(|| spawn.and_then(|_| last_of_path()));
        for (attr, value) in [
            (AGENT_TASK, task),
            (AGENT_NICKNAME, either("nickname", "agent_nickname")),
            (AGENT_ROLE, either("agent_role", "agent_role")),
            (REQUEST_MODEL, word(told, "model")),
            (PARENT_THREAD_ID, word(spawn, "parent_thread_id")),
        ] {
            if let Some(value) = value {
                attrs.set(attr, self.label(&value));
            }
        }
    }

    pub(super) fn thread_ended(&mut self, record: &Record) -> Result<(), Unread> {
        let thread = record.required("thread_id")?;
        let (outcome, attrs) = (outcome(record)?, super::mapper::end_attrs(record.required(STATUS)?));
        let here = self.here(record, Some(thread), None);
        self.end_of(&here, Subject::Thread, outcome, attrs);
        Ok(())
    }

    /// What says that it goes on is no end.
    fn end_of(&mut self, here: &Here, subject: Subject, outcome: Option<Outcome>, attrs: Attrs) {
        if outcome.is_some() {
            self.state(here, subject, Statement::Ended(outcome), attrs);
        }
    }

    /// What the runtime tells of a tool that reaches another agent.
    ///
    /// # Errors
    ///
    /// Where that is not what the tool does, or its end says otherwise than its beginning: nothing is passed on by guessing.
    pub(super) fn agent_runtime(
        &mut self,
        here: &Here,
        (id, tool): (&str, Key),
        begun: &Begun,
        told: &Value,
    ) -> Result<(), Reason> {
        let word = |name: &str| told.get(name).and_then(Value::as_str);
        let kind = match begun.tool.as_str() {
            "spawn_agent" => EdgeKind::Spawn,
            "assign_agent_task" => EdgeKind::Task,
            "send_message" => EdgeKind::Message,
            _ => EdgeKind::Close,
        };
        let activity = match kind {
            EdgeKind::Spawn => "started",
            EdgeKind::Close => "interrupted",
            _ => "interacted",
        };
        if word("agent_thread_id").is_some() && word("kind").is_some_and(|kind| kind != activity) {
            return Err(Reason::Conflict);
        }
        let to = ["new_thread_id", "receiver_thread_id", "agent_thread_id"].into_iter().find_map(word);
        // A spawn that gave no thread went nowhere.
        let Some(to) = to else { return Ok(()) };
        let message = match word("prompt") {
            Some(prompt) if kind != EdgeKind::Close => self.bodies.text(&PASSED, prompt),
            _ if kind == EdgeKind::Close => Measure::default(),
            _ => Measure { digest: begun.message, length: begun.message_length, ..Measure::default() },
        };
        if let Some(known) = self.known.find(Of::Tool, id, Some(&here.scope.thread)) {
            let is_other = known.passed.is_some() && known.passed != message.digest && message.digest.is_some();
            if known.receiver.get_or_insert_with(|| to.to_owned()) != to || is_other {
                return Err(Reason::Conflict);
            }
            known.passed = known.passed.or(message.digest);
        }
        self.edge(here, tool, kind, to, message, Attrs::default());
        Ok(())
    }

    fn edge(&mut self, here: &Here, from: Key, kind: EdgeKind, to: &str, message: Measure, mut attrs: Attrs) {
        attrs.set(EDGE_KIND, ByteString::from_static(kind.as_str()));
        attrs.set(EDGE_THREAD, self.label(to));
        self.mark(here, from, MarkKind::Passed, attrs, Noted::Message(message));
    }

    /// What a child returned to the thread that started it.
    pub(super) fn agent_result(&mut self, record: &mut Record) -> Result<(), Unread> {
        let child = record.required("child_thread_id")?.to_owned();
        let turn = record.required("child_codex_turn_id")?.to_owned();
        let parent = record.required("parent_thread_id")?.to_owned();
        let (thread, turn) = (self.label(&child), self.label(&turn));
        let here = self.at(record, thread, turn);
        let mut attrs = Attrs::default();
        if let Some(id) = record.text("edge_id") {
            attrs.set(OPERATION_ID, self.label(id));
        }
        if let Some(payload) = record.payload("carried_payload")? {
            attrs.set(EVIDENCE_REF, self.label(&payload.id));
        }
        let message = record.take_text("message").map(Zeroizing::new);
        let message = message.map_or_else(Measure::default, |message| self.bodies.text(&PASSED, &message));
        let key = here.turn();
        self.edge(&here, key, EdgeKind::Result, &parent, message, attrs);
        Ok(())
    }
}
