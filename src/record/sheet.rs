//! What is kept of a call by its builder, and then by its handle: one piece of memory from its first word to its last, and
//! then for the next call of the thread. Whoever holds it moves one word.

use std::cell::RefCell;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::ambient::ToolId;
use super::stream::Progress;
use crate::event::{CallId, CallKind, Event, Key, KeyIdentity, Outcome, Raw, Scope, SpanId, TraceId};
use crate::intake::{Desk, Handful, Identity, NOWHERE, Spares};

/// What is known of a call.
pub(super) struct Sheet {
    /// Who records it; nothing while the memory waits for a call.
    pub(super) desk: Option<Arc<Desk>>,
    /// Where it belongs, from its start on. Stays for the next call, which mostly belongs there too, so that it needs neither
    /// be shared nor let go.
    pub(super) scope: Arc<Scope>,
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    pub(super) kind: CallKind,
    pub(super) on_drop: Outcome,
    pub(super) has_parent: bool,
    /// The number of the call's id, in a form that makes no room empty beside it.
    pub(super) id: [u8; 16],
    pub(super) opened_unix_nano: u64,
    /// Before its start the event that will open it; after that the one that will close it, as soon as there is anything to
    /// say in it. A call may be open for long, and many may be.
    pub(super) event: Option<Box<Event<Raw>>>,
    /// Of a tool call that has not started: by what an MCP client may know it.
    pub(super) tool: Option<Arc<ToolId>>,
    /// What its builder was told of where it belongs.
    pub(super) identity: Option<Box<Identity>>,
    /// Of a streamed answer.
    pub(super) progress: Option<Box<Progress>>,
}

impl Sheet {
    pub(super) fn key(&self) -> Key {
        let id = CallId::from(u128::from_ne_bytes(self.id));
        Key { kind: self.kind, id: KeyIdentity::Call(id), occurrence: 0 }
    }
}

thread_local! {
    static AT_HAND: Handful<Box<Sheet>> = const { RefCell::new(Vec::new()) };
}

static SPARES: Spares<Box<Sheet>> = Spares::new(&AT_HAND, 16, 512);

/// What a scope that waits for the next call may keep in memory.
const LONGEST_SCOPE: usize = 512;

/// A sheet in memory that goes round.
pub(super) struct Kept(Box<Sheet>);

impl Kept {
    /// One of a call of this kind and span, which nothing is known of yet.
    pub(super) fn new(desk: &Arc<Desk>, kind: CallKind, (trace, span): (TraceId, SpanId)) -> Self {
        let (desk, on_drop) = (Some(Arc::clone(desk)), Outcome::Abandoned);
        if let Some(mut sheet) = SPARES.take() {
            (sheet.desk, sheet.kind, sheet.on_drop, sheet.has_parent) = (desk, kind, on_drop, false);
            (sheet.trace, sheet.span, sheet.opened_unix_nano) = (trace, span, 0);
            return Self(sheet);
        }
        Self(Box::new(Sheet {
            desk,
            scope: Arc::clone(&NOWHERE),
            trace,
            span,
            kind,
            on_drop,
            has_parent: false,
            id: [0; 16],
            opened_unix_nano: 0,
            event: None,
            tool: None,
            identity: None,
            progress: None,
        }))
    }

    /// Keeps the memory for later.
    pub(super) fn give_back(mut self) {
        let sheet = &mut *self.0;
        (sheet.desk, sheet.event, sheet.tool, sheet.identity, sheet.progress) = (None, None, None, None, None);
        // A long one must not be kept alive.
        if sheet.scope.held_bytes() > LONGEST_SCOPE {
            sheet.scope = Arc::clone(&NOWHERE);
        }
        SPARES.give(self.0);
    }
}

impl Deref for Kept {
    type Target = Sheet;

    fn deref(&self) -> &Sheet {
        &self.0
    }
}

impl DerefMut for Kept {
    fn deref_mut(&mut self) -> &mut Sheet {
        &mut self.0
    }
}
