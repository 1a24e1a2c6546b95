//! Records as events: which kind of record goes where, and the paths and times that all events have.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use bytestring::ByteString;
use serde_json::Value;
use zeroize::Zeroizing;

use super::bodies::Bodies;
use super::folder::Folder;
use super::ids::{self, TracePer, UNKNOWN};
use super::known::{Begun, Known, Of};
use super::record::{PayloadRef, Record, Unread};
use super::{Place, Reason};
use crate::event::{
    At, Attrs, CallKind, Closed, Event, Given, Key, KeyIdentity, Kind, Mark, MarkKind, Measure, Noted, Opened, Outcome,
    ProducerId, Returned, Scope, Source, Statement, Subject, Veiled, wipe,
};
use crate::privacy::Policy;
use crate::semconv::{self, ERROR_KIND, EVIDENCE_KIND, EVIDENCE_REF, Field, OPERATION_ID, OPERATION_NAME};

/// The largest payload that is read, in bytes.
const MAX_PAYLOAD: u64 = 64 << 20;

/// Turns records into events.
pub(super) struct Mapper {
    folder: Folder,
    pub(super) bodies: Bodies,
    pub(super) known: Known,
    pub(super) per: TracePer,
    /// The names of agents, by thread.
    pub(super) agents: HashMap<ByteString, ByteString>,
    rollout: Option<ByteString>,
    /// What was set aside before it was known of which rollout it is.
    early: Vec<(u64, Unread)>,
    root: Option<ByteString>,
    producer: ProducerId,
    policy: ByteString,
    /// The latest time that a record has told.
    latest: u64,
    /// What has been told and not yet taken.
    pub(super) told: VecDeque<Event<Veiled>>,
}

/// Where and when a record was made.
pub(super) struct Here {
    pub(super) scope: Arc<Scope>,
    pub(super) at: At,
    /// How many calls of the record's id the thread had before.
    pub(super) uses: u32,
}

impl Here {
    /// The turn that it is in.
    pub(super) fn turn(&self) -> Key {
        ids::key(&self.scope, CallKind::Turn, &self.scope.turn)
    }

    /// The call that the record is about.
    pub(super) fn key(&self, kind: CallKind, id: &str) -> Key {
        ids::again(ids::key(&self.scope, kind, id), self.uses)
    }
}

/// The bytes of a payload, wiped when dropped.
pub(super) struct Body(Vec<u8>);

impl Body {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

impl Mapper {
    pub(super) fn new(folder: Folder, policy: Policy) -> Self {
        let snapshot = policy.snapshot().clone();
        Self {
            folder,
            bodies: Bodies::new(policy),
            known: Known::default(),
            per: TracePer::Turn,
            agents: HashMap::new(),
            rollout: None,
            early: Vec::new(),
            root: None,
            producer: ids::producer(""),
            policy: snapshot,
            latest: 0,
            told: VecDeque::new(),
        }
    }

    pub(super) fn manifest(&mut self, manifest: &Value) {
        let text = |name: &str| manifest.get(name).and_then(Value::as_str);
        let (rollout, root) = (text("rollout_id").or_else(|| text("root_thread_id")), text("root_thread_id"));
        self.rollout = rollout.map(|id| self.label(id));
        self.root = root.map(|id| self.label(id));
        self.producer = ids::producer(text("trace_id").unwrap_or_default());
        let started = manifest.get("started_at_unix_ms").and_then(Value::as_u64).unwrap_or_default();
        let at = At { time_unix_nano: started.saturating_mul(1_000_000), producer: Some(self.producer), seq: Some(0) };
        if let Some(rollout) = &self.rollout {
            let (mut attrs, rollout) = (Attrs::default(), rollout.clone());
            let thread = self.root.clone().unwrap_or_else(|| rollout.clone());
            attrs.set(semconv::ROOT_THREAD_ID, thread.clone());
            if let Some(id) = text("trace_id") {
                attrs.set(OPERATION_ID, self.label(id));
            }
            let scope = Arc::new(Scope { tenant: None, rollout, thread, turn: ByteString::new() });
            self.state(&Here { scope, at, uses: 0 }, Subject::Rollout, Statement::Began, attrs);
        }
    }

    pub(super) fn label(&self, text: &str) -> ByteString {
        self.bodies.items.label(text)
    }

    /// Tells all that a record says.
    pub(super) fn record(&mut self, line: u64, mut record: Record) {
        if self.rollout.is_none() {
            let rollout = record.rollout.as_deref().or(record.thread.as_deref()).unwrap_or("unknown");
            self.rollout = Some(self.label(rollout));
            self.tell_early();
        }
        // A clock may step back; what was written later happened later.
        self.latest = self.latest.max(record.time_unix_nano);
        record.time_unix_nano = self.latest;
        self.evidence(&record);
        let told = match record.kind() {
            "rollout_started" => self.rollout_started(&record),
            "rollout_ended" => self.rollout_ended(&record),
            "thread_started" => self.thread_started(line, &record),
            "thread_ended" => self.thread_ended(&record),
            "codex_turn_started" => self.turn_started(&record),
            "codex_turn_ended" => self.turn_ended(&record),
            "inference_started" => self.inference_started(line, &record),
            "inference_completed" => self.inference_ended(line, &mut record, Outcome::Completed),
            "inference_failed" => self.inference_ended(line, &mut record, Outcome::Failed),
            "inference_cancelled" => self.inference_ended(line, &mut record, Outcome::Cancelled),
            "tool_call_started" => self.tool_started(line, &record),
            "mcp_tool_call_correlation_assigned" => self.tool_correlated(&record),
            "tool_call_runtime_started" => self.runtime_started(line, &record),
            "tool_call_runtime_ended" => self.runtime_ended(line, &record),
            "tool_call_ended" => self.tool_ended(line, &record),
            "code_cell_started" => self.cell_started(&mut record),
            "code_cell_initial_response" => self.cell_responded(&record),
            "code_cell_ended" => self.cell_ended(&record),
            "compaction_request_started" => self.compaction_started(&record),
            "compaction_request_completed" => self.compaction_ended(&mut record, Outcome::Completed),
            "compaction_request_failed" => self.compaction_ended(&mut record, Outcome::Failed),
            "compaction_installed" => self.compaction_installed(line, &record),
            "agent_result_observed" => self.agent_result(&mut record),
            // What it says is in its payload, which is registered.
            "protocol_event_observed" => Ok(()),
            _ => self.unknown(line, &record),
        };
        if let Err(unread) = told {
            self.quarantine(line, &unread);
        }
    }

    /// Kept, so that it can be reported.
    fn unknown(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        let here = self.here(record, None, None);
        let key =
            Key { kind: CallKind::Turn, id: KeyIdentity::None, occurrence: u32::try_from(line).unwrap_or(u32::MAX) };
        let name = self.label(record.kind());
        self.tell(&here, key, Kind::Unknown { name });
        Ok(())
    }

    /// Every payload that a record names is registered, whatever the record says.
    fn evidence(&mut self, record: &Record) {
        let here = self.here(record, None, None);
        for payload in record.payloads() {
            let mut attrs = Attrs::default();
            attrs.set(EVIDENCE_REF, self.label(&payload.id));
            attrs.set(EVIDENCE_KIND, self.label(&payload.kind));
            self.state(&here, Subject::Rollout, Statement::Evidence, attrs);
        }
    }

    /// Where a record belongs: what it says itself, else its envelope, else what is known of its call.
    pub(super) fn here(&self, record: &Record, thread: Option<&str>, begun: Option<&Begun>) -> Here {
        let own = thread.or(record.thread.as_deref()).map(|thread| self.label(thread));
        let thread = own.or_else(|| begun.map(|begun| begun.thread.clone())).or_else(|| self.root.clone());
        let turn = record.text("codex_turn_id").or(record.turn.as_deref()).map(|turn| self.label(turn));
        let turn = turn.or_else(|| begun.map(|begun| begun.turn.clone())).unwrap_or(UNKNOWN);
        self.at(record, thread.unwrap_or(UNKNOWN), turn)
    }

    pub(super) fn at(&self, record: &Record, thread: ByteString, turn: ByteString) -> Here {
        let rollout = self.rollout.clone().unwrap_or(UNKNOWN);
        let at = At { time_unix_nano: record.time_unix_nano, producer: Some(self.producer), seq: Some(record.seq) };
        Here { scope: Arc::new(Scope { tenant: None, rollout, thread, turn }), at, uses: 0 }
    }

    /// Where the end of a call belongs.
    pub(super) fn here_of(&mut self, record: &Record, of: Of, id: &str) -> Here {
        let thread = record.thread.as_deref().map(|thread| self.label(thread));
        let begun = self.known.find(of, id, thread.as_deref()).cloned();
        // The envelope of an end may name another turn: a code cell may outlive its own.
        match begun {
            Some(begun) => Here { uses: begun.uses, ..self.at(record, begun.thread, begun.turn) },
            None => self.here(record, None, None),
        }
    }

    /// The same, for the record that ends it.
    pub(super) fn here_of_end(&mut self, record: &Record, of: Of, id: &str) -> Here {
        let here = self.here_of(record, of, id);
        if let Some(begun) = self.known.find(of, id, Some(&here.scope.thread)) {
            begun.ended = true;
        }
        here
    }

    /// A call of this id begins here.
    pub(super) fn begin(&mut self, here: &mut Here, of: Of, id: &str, begun: Begun) {
        let (thread, turn) = (here.scope.thread.clone(), here.scope.turn.clone());
        let began = here.at.time_unix_nano;
        here.uses = self.known.begin(of, id, Begun { thread, turn, began, ..begun });
    }

    pub(super) fn tell(&mut self, here: &Here, key: Key, kind: Kind<Veiled>) {
        let scope = Arc::clone(&here.scope);
        self.told.push_back(Event { scope, key, at: here.at, source: Source::Import, kind });
    }

    pub(super) fn state(&mut self, here: &Here, subject: Subject, statement: Statement, attrs: Attrs) {
        let key = Key { kind: CallKind::Turn, id: KeyIdentity::None, occurrence: 0 };
        self.tell(here, key, Kind::Stated { subject, statement, attrs });
    }

    /// A call of this kind and id, inside the call `parent`.
    pub(super) fn open(&mut self, here: &Here, key: Key, parent: Option<Key>, id: &str, call: (Attrs, Given<Veiled>)) {
        let (mut attrs, given) = call;
        attrs.set(OPERATION_NAME, ByteString::from_static(key.kind.default_operation()));
        attrs.set(OPERATION_ID, self.label(id));
        let Some(span) = ids::span(&here.scope, key, parent, self.per) else { return };
        let opened = Opened { span, attrs, links: Vec::new(), policy: Some(self.policy.clone()) };
        self.tell(here, key, Kind::Opened(opened, given));
    }

    pub(super) fn close(&mut self, here: &Here, key: Key, outcome: Option<Outcome>, call: (Attrs, Returned<Veiled>)) {
        self.close_with(here, key, outcome, Measure::default(), call);
    }

    pub(super) fn close_with(
        &mut self,
        here: &Here,
        key: Key,
        outcome: Option<Outcome>,
        error: Measure,
        (attrs, returned): (Attrs, Returned<Veiled>),
    ) {
        let closed = Closed { outcome, attrs, error, links: Vec::new() };
        self.tell(here, key, Kind::Closed(closed, returned));
    }

    /// What an error says of itself, digested.
    pub(super) fn error(&self, said: Option<String>) -> Measure {
        let said = said.map(Zeroizing::new);
        said.map_or_else(Measure::default, |said| self.bodies.text(&[Field::Errors], &said))
    }

    pub(super) fn mark(&mut self, here: &Here, key: Key, kind: MarkKind, attrs: Attrs, noted: Noted<Veiled>) {
        self.tell(here, key, Kind::Marked(Mark { kind, attrs, noted }));
    }

    /// Tells what was set aside before any record was read.
    pub(super) fn tell_early(&mut self) {
        for (line, unread) in std::mem::take(&mut self.early) {
            self.rollout.get_or_insert(UNKNOWN);
            self.quarantine(line, &unread);
        }
    }

    pub(super) fn quarantine(&mut self, line: u64, unread: &Unread) {
        const EARLY: usize = 4096;
        if self.rollout.is_none() && self.early.len() < EARLY {
            return self.early.push((line, unread.clone()));
        }
        let place = Place { line, seq: unread.seq, field: unread.field };
        let rollout = self.rollout.clone().unwrap_or(UNKNOWN);
        let thread = self.root.clone().unwrap_or(UNKNOWN);
        let scope = Arc::new(Scope { tenant: None, rollout, thread, turn: ByteString::new() });
        let at = At { time_unix_nano: 0, producer: Some(self.producer), seq: unread.seq };
        let key =
            Key { kind: CallKind::Turn, id: KeyIdentity::None, occurrence: u32::try_from(line).unwrap_or(u32::MAX) };
        let reason = ByteString::from_static(unread.reason.as_str());
        self.tell(&Here { scope, at, uses: 0 }, key, Kind::Quarantined { place: place.to_string().into(), reason });
    }

    /// Reads a payload that the record can do without: one that cannot be read is set aside alone.
    pub(super) fn body(&mut self, line: u64, record: &Record, field: &'static str) -> Option<(PayloadRef, Body)> {
        self.payload(line, record, field, record.payload(field))
    }

    /// The same, of a reference that stands elsewhere in the field.
    pub(super) fn payload(
        &mut self,
        line: u64,
        record: &Record,
        field: &'static str,
        reference: Result<Option<PayloadRef>, Unread>,
    ) -> Option<(PayloadRef, Body)> {
        let read = match reference {
            Ok(Some(payload)) => self.folder.read(&payload.path, MAX_PAYLOAD).map(|bytes| (payload, Body(bytes))),
            Ok(None) => return None,
            Err(unread) => Err(unread.reason),
        };
        match read {
            Ok(read) => Some(read),
            Err(reason) => {
                self.quarantine(line, &record.unread(field, reason));
                None
            }
        }
    }

    /// Takes what could be read of a payload, and sets aside what could not.
    pub(super) fn or_aside<T>(
        &mut self,
        line: u64,
        record: &Record,
        field: &'static str,
        read: Result<T, Reason>,
    ) -> Option<T> {
        read.map_err(|reason| self.quarantine(line, &record.unread(field, reason))).ok()
    }
}

/// How something ended, from Codex' words. What goes on has not ended.
///
/// # Errors
///
/// For a word that this version does not know: a guess would be a wrong end.
pub(super) fn outcome(record: &Record) -> Result<Option<Outcome>, Unread> {
    match record.required(STATUS)? {
        "completed" => Ok(Some(Outcome::Completed)),
        "failed" => Ok(Some(Outcome::Failed)),
        "cancelled" | "aborted" | "terminated" => Ok(Some(Outcome::Cancelled)),
        "starting" | "running" | "yielded" => Ok(None),
        _ => Err(record.unread(STATUS, Reason::Field)),
    }
}

/// The field that says how something ended.
pub(super) const STATUS: &str = "status";

/// The attributes of an end: `aborted` is a cancellation by another name, and keeps it.
pub(super) fn end_attrs(word: &str) -> Attrs {
    let mut attrs = Attrs::default();
    if word == "aborted" {
        attrs.set(ERROR_KIND, ByteString::from_static("aborted"));
    }
    attrs
}
