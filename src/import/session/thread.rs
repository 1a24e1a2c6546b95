//! One agent's thread: the turn that runs, the answer that a model is giving, and the tools that have not returned.

use std::sync::Arc;

use bytestring::ByteString;
use hashbrown::HashMap;

use super::answer::Answer;
use super::desk::Desk;
use super::seen::Recent;
use super::tool::{Called, Early, Tool};
use super::turn::Turn;
use crate::event::{
    Attrs, CallKind, CallRecord, Histories, Link, Message, RawText, Scope, SpanIds, Statement, Subject, Veiled,
};
use crate::privacy::conversation::{Conversation, Place};
use crate::privacy::heard::Heard;
use crate::semconv::{
    AGENT_ID, AGENT_NAME, CONVERSATION_ID, EVIDENCE_KIND, EVIDENCE_REF, OPERATION_NAME, PARENT_THREAD_ID,
    PROVIDER_NAME, ROOT_THREAD_ID,
};

/// The call that started a thread: its trace and its span, which is the parent of the thread's turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import) struct Origin {
    pub(in crate::import) span: SpanIds,
}

/// Whose thread it is. All are labels.
#[derive(Clone, Debug, Default)]
pub(in crate::import) struct Who {
    pub(in crate::import) rollout: ByteString,
    pub(in crate::import) thread: ByteString,
    /// `gen_ai.agent.name`
    pub(in crate::import) agent: ByteString,
    /// `gen_ai.provider.name`
    pub(in crate::import) provider: ByteString,
    /// The thread that started it.
    pub(in crate::import) parent: Option<ByteString>,
    /// The own name of the file that tells of it.
    pub(in crate::import) file: Option<ByteString>,
}

impl Who {
    /// Where what is told of the thread belongs while no turn of it has begun.
    fn scope(&self) -> Arc<Scope> {
        let (rollout, thread) = (self.rollout.clone(), self.thread.clone());
        Arc::new(Scope { tenant: None, rollout, thread, turn: ByteString::new() })
    }
}

/// The calls whose names are remembered, so that one that is told again is not another one.
const REMEMBERED: usize = 1 << 12;
/// The labels that a call begins with, about.
pub(in crate::import) const LABELS: usize = 12;
/// The tools that may be open at once.
pub(super) const MAX_OPEN: usize = 1 << 14;

/// A thread.
pub(in crate::import) struct Thread {
    pub(in crate::import) who: Who,
    pub(in crate::import) origin: Option<Origin>,
    pub(super) talk: Conversation,
    pub(in crate::import) turn: Option<Turn>,
    /// The scope of the last turn, for what comes after its end.
    pub(super) scope: Arc<Scope>,
    /// The turn that the next one follows.
    pub(in crate::import) before: Option<Link>,
    pub(in crate::import) answer: Option<Answer>,
    pub(super) tools: HashMap<String, Tool>,
    /// What was said while a model was still answering.
    pub(super) waiting: Vec<Heard>,
    pub(super) calls: Recent<Called>,
    /// What tools of this turn returned whose calls were not told yet.
    pub(super) early: Vec<Early>,
    pub(super) turns: Recent<()>,
    pub(super) turns_begun: u32,
    pub(in crate::import) model: Option<ByteString>,
    pub(in crate::import) effort: Option<ByteString>,
    has_begun: bool,
}

impl Thread {
    pub(in crate::import) fn new(desk: &Desk, who: Who) -> Self {
        let scope = who.scope();
        Self {
            who,
            origin: None,
            talk: Conversation::new(desk.set.policy.clone(), Vec::new()),
            turn: None,
            scope,
            before: None,
            answer: None,
            tools: HashMap::new(),
            waiting: Vec::new(),
            calls: Recent::new(REMEMBERED),
            early: Vec::new(),
            turns: Recent::new(2 * REMEMBERED),
            turns_begun: 0,
            model: None,
            effort: None,
            has_begun: false,
        }
    }

    /// Tells once that the thread is there.
    pub(in crate::import) fn begin(&mut self, desk: &mut Desk, at: u64, system: Vec<RawText>) {
        if std::mem::replace(&mut self.has_begun, true) {
            return;
        }
        self.talk.begin(system, Vec::new());
        self.tell(desk, at);
    }

    /// It has become known whose thread it is: what is told from now on belongs there.
    pub(in crate::import) fn is_now(&mut self, desk: &mut Desk, at: u64, who: Who) {
        self.scope = who.scope();
        self.who = who;
        if self.has_begun {
            self.tell(desk, at);
        }
    }

    /// Whether a turn of it has begun.
    pub(in crate::import) const fn has_had_turns(&self) -> bool {
        self.turns_begun > 0
    }

    fn tell(&self, desk: &mut Desk, at: u64) {
        let mut attrs = Attrs::default();
        if let Some(parent) = &self.who.parent {
            attrs.set(PARENT_THREAD_ID, parent.clone());
        } else {
            let mut root = Attrs::default();
            root.set(ROOT_THREAD_ID, self.who.thread.clone());
            desk.state(&self.scope, at, (Subject::Rollout, Statement::Began), root);
        }
        desk.state(&self.scope, at, (Subject::Thread, Statement::Began), attrs);
        if let Some(file) = &self.who.file {
            let mut attrs = Attrs::default();
            attrs.set(EVIDENCE_REF, file.clone());
            attrs.set(EVIDENCE_KIND, ByteString::from_static("session_file"));
            desk.state(&self.scope, at, (Subject::Rollout, Statement::Evidence), attrs);
        }
    }

    /// Where what is told now belongs.
    pub(in crate::import) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    /// The span of the turn that runs.
    pub(in crate::import) fn turn_span(&self) -> Option<SpanIds> {
        Some(self.turn.as_ref()?.record.opened.span)
    }

    /// What all calls of this thread begin with.
    pub(super) fn labels(&self, kind: CallKind) -> Attrs {
        let mut attrs = Attrs::with_capacity(LABELS);
        attrs.set(OPERATION_NAME, ByteString::from_static(kind.default_operation()));
        self.label(&mut attrs);
        attrs
    }

    /// Adds what all calls of this thread say of it.
    pub(super) fn label(&self, attrs: &mut Attrs) {
        attrs.set(PROVIDER_NAME, self.who.provider.clone());
        attrs.set(CONVERSATION_ID, self.who.rollout.clone());
    }

    /// Adds what its turns say of it.
    pub(super) fn label_turn(&self, attrs: &mut Attrs) {
        self.label(attrs);
        attrs.set(AGENT_NAME, self.who.agent.clone());
        if self.who.parent.is_some() {
            attrs.set(AGENT_ID, self.who.thread.clone());
        }
    }

    /// A message that becomes part of the history: at once, or once the model has ended its answer.
    pub(in crate::import) fn hear(&mut self, message: Message) {
        let heard = self.talk.telling().heard(message);
        self.has_heard(heard);
    }

    /// The same of a message that has been measured.
    pub(super) fn has_heard(&mut self, heard: Heard) {
        if self.answer.is_some() {
            self.waiting.push(heard);
        } else {
            self.talk.push(heard);
        }
    }

    /// A call of the turn that runs, of any other kind.
    pub(in crate::import) fn open_call(
        &self,
        desk: &Desk,
        call: (CallKind, &str),
        at: u64,
        mut attrs: Attrs,
    ) -> Option<Box<CallRecord<Veiled>>> {
        self.turn.as_ref()?;
        self.label(&mut attrs);
        desk.open(&self.scope, call, self.turn_span(), at, attrs)
    }

    /// How many messages the history has.
    pub(in crate::import) const fn count(&self) -> u64 {
        self.talk.count()
    }

    /// Puts other messages into the place of the history.
    pub(in crate::import) fn replace(&mut self, messages: Vec<Message>) -> Histories<Veiled> {
        self.talk.replace(messages)
    }

    /// Where the history stands.
    pub(in crate::import) fn place(&self) -> Place {
        self.talk.place()
    }

    /// Where the history begins.
    pub(in crate::import) const fn beginning(&self) -> Place {
        self.talk.beginning()
    }

    /// Takes the history back to where it stood.
    pub(in crate::import) fn rewind(&mut self, desk: &mut Desk, place: Place) {
        self.end_answer(desk);
        self.talk.rewind(place);
    }
}
