//! Code cells.

use bytestring::ByteString;
use zeroize::Zeroizing;

use super::ids;
use super::known::{Begun, Of};
use super::mapper::{Mapper, outcome};
use super::record::{Record, Unread};
use crate::event::{Attrs, CallKind, Given, MarkKind, Noted, Returned};
use crate::semconv::{CODE_CELL_ID, CODE_CELL_RUNTIME_ID, CODE_CELL_STATUS, EVIDENCE_RESPONSE, Field};

/// What a runtime may say of a cell.
const STATUSES: [&str; 6] = ["starting", "running", "yielded", "completed", "failed", "terminated"];

impl Mapper {
    pub(super) fn cell_started(&mut self, record: &mut Record) -> Result<(), Unread> {
        let id = record.required("runtime_cell_id")?.to_owned();
        let call = record.required("model_visible_call_id")?.to_owned();
        let source = record.take_text("source_js").map(Zeroizing::new);
        let here = self.here(record, None, None);
        let key = ids::key(&here.scope, CallKind::CodeCell, &id);
        let mut attrs = Attrs::default();
        attrs.set(CODE_CELL_ID, self.label(&call));
        attrs.set(CODE_CELL_RUNTIME_ID, self.label(&id));
        let begun = Begun { thread: here.scope.thread.clone(), turn: here.scope.turn.clone(), ..Begun::default() };
        self.known.begin(Of::Cell, &id, begun);
        let turn = ids::key(&here.scope, CallKind::Turn, &here.scope.turn);
        let given = Given::Texts(
            source.iter().map(|source| self.bodies.text(&[Field::Completions, Field::ToolArguments], source)).collect(),
        );
        self.open(&here, key, Some(turn), &call, (attrs, given));
        Ok(())
    }

    pub(super) fn cell_responded(&mut self, record: &Record) -> Result<(), Unread> {
        let id = record.required("runtime_cell_id")?;
        let (attrs, word) = self.cell_state(record)?;
        let here = self.here_of(record, Of::Cell, id);
        let kind = if word == "yielded" { MarkKind::Yielded } else { MarkKind::Responded };
        self.mark(&here, ids::key(&here.scope, CallKind::CodeCell, id), kind, attrs, Noted::Nothing);
        Ok(())
    }

    pub(super) fn cell_ended(&mut self, record: &Record) -> Result<(), Unread> {
        let id = record.required("runtime_cell_id")?;
        let (attrs, word) = self.cell_state(record)?;
        let here = self.here_of(record, Of::Cell, id);
        let key = ids::key(&here.scope, CallKind::CodeCell, id);
        self.close(&here, key, outcome(word), (attrs, Returned::empty(CallKind::CodeCell)));
        Ok(())
    }

    fn cell_state<'r>(&self, record: &'r Record) -> Result<(Attrs, &'r str), Unread> {
        let word = record.required("status")?;
        let mut attrs = Attrs::default();
        if let Some(status) = STATUSES.into_iter().find(|status| *status == word) {
            attrs.set(CODE_CELL_STATUS, ByteString::from_static(status));
        }
        if let Some(payload) = record.payload("response_payload")? {
            attrs.set(EVIDENCE_RESPONSE, self.label(&payload.id));
        }
        Ok((attrs, word))
    }
}
