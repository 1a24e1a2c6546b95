//! Code cells.

use bytestring::ByteString;
use zeroize::Zeroizing;

use super::known::{Begun, Of};
use super::mapper::{Here, Mapper, STATUS, outcome};
use super::record::{Record, Unread};
use crate::event::{Attrs, CallKind, Given, MarkKind, Noted, Returned};
use crate::semconv::{CODE_CELL_ID, CODE_CELL_RUNTIME_ID, CODE_CELL_STATUS, EVIDENCE_RESPONSE, Field};

impl Mapper {
    pub(super) fn cell_started(&mut self, record: &mut Record) -> Result<(), Unread> {
        let id = record.required("runtime_cell_id")?.to_owned();
        let call = record.required("model_visible_call_id")?.to_owned();
        let source = record.take_text("source_js").map(Zeroizing::new);
        let mut here = self.here(record, None, None);
        self.begin(&mut here, Of::Cell, &id, Begun::default());
        let mut attrs = Attrs::default();
        attrs.set(CODE_CELL_ID, self.label(&call));
        attrs.set(CODE_CELL_RUNTIME_ID, self.label(&id));
        let given = Given::Texts(
            source.iter().map(|source| self.bodies.text(&[Field::Completions, Field::ToolArguments], source)).collect(),
        );
        self.open(&here, here.key(CallKind::CodeCell, &id), Some(here.turn()), &call, (attrs, given));
        Ok(())
    }

    pub(super) fn cell_responded(&mut self, record: &Record) -> Result<(), Unread> {
        let id = record.required("runtime_cell_id")?;
        outcome(record)?;
        let here = self.here_of(record, Of::Cell, id);
        let attrs = self.cell_state(record, &here, id)?;
        let is_yielded = record.text(STATUS) == Some("yielded");
        let kind = if is_yielded { MarkKind::Yielded } else { MarkKind::Responded };
        self.mark(&here, here.key(CallKind::CodeCell, id), kind, attrs, Noted::Nothing);
        Ok(())
    }

    pub(super) fn cell_ended(&mut self, record: &Record) -> Result<(), Unread> {
        let id = record.required("runtime_cell_id")?;
        let outcome = outcome(record)?;
        // An end that says that the cell goes on is none.
        let here = match outcome {
            Some(_) => self.here_of_end(record, Of::Cell, id),
            None => self.here_of(record, Of::Cell, id),
        };
        let attrs = self.cell_state(record, &here, id)?;
        let returned = Returned::empty(CallKind::CodeCell);
        self.close(&here, here.key(CallKind::CodeCell, id), outcome, (attrs, returned));
        Ok(())
    }

    fn cell_state(&mut self, record: &Record, here: &Here, id: &str) -> Result<Attrs, Unread> {
        let mut attrs = Attrs::default();
        // Of a cell that nobody began this is all that says which its tools mean.
        if self.known.find(Of::Cell, id, Some(&here.scope.thread)).is_none() {
            attrs.set(CODE_CELL_RUNTIME_ID, self.label(id));
        }
        attrs.set(CODE_CELL_STATUS, ByteString::from(record.required(STATUS)?));
        if let Some(payload) = record.payload("response_payload")? {
            attrs.set(EVIDENCE_RESPONSE, self.label(&payload.id));
        }
        Ok(attrs)
    }
}
