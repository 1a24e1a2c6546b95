//! Compactions: attempts to make a history shorter, and what took its place.

use super::known::{Begun, Of};
use super::mapper::Mapper;
use super::record::{Record, Unread};
use crate::event::{Attrs, CallKind, Given, MarkKind, Noted, Outcome, Returned};
use crate::semconv::{COMPACTION_ID, EVIDENCE_REF, EVIDENCE_REQUEST, EVIDENCE_RESPONSE, PROVIDER_NAME, REQUEST_MODEL};

impl Mapper {
    pub(super) fn compaction_started(&mut self, record: &Record) -> Result<(), Unread> {
        let id = record.required("compaction_request_id")?;
        let mut here = self.here(record, record.text("thread_id"), None);
        self.begin(&mut here, Of::Compaction, id, Begun::default());
        let mut attrs = Attrs::default();
        for (name, attr) in
            [("compaction_id", COMPACTION_ID), ("model", REQUEST_MODEL), ("provider_name", PROVIDER_NAME)]
        {
            if let Some(text) = record.text(name) {
                attrs.set(attr, self.label(text));
            }
        }
        if let Some(payload) = record.payload("request_payload")? {
            attrs.set(EVIDENCE_REQUEST, self.label(&payload.id));
        }
        self.open(
            &here,
            here.key(CallKind::Compaction, id),
            Some(here.turn()),
            id,
            (attrs, Given::empty(CallKind::Compaction)),
        );
        Ok(())
    }

    pub(super) fn compaction_ended(&mut self, record: &mut Record, how: Outcome) -> Result<(), Unread> {
        let id = record.required("compaction_request_id")?.to_owned();
        let here = self.here_of_end(record, Of::Compaction, &id);
        let mut attrs = Attrs::default();
        if let Some(payload) = record.payload("response_payload")? {
            attrs.set(EVIDENCE_RESPONSE, self.label(&payload.id));
        }
        let key = here.key(CallKind::Compaction, &id);
        let error = self.error(record.take_text("error"));
        self.close_with(&here, key, Some(how), error, (attrs, Returned::empty(CallKind::Compaction)));
        Ok(())
    }

    /// Told inside the turn: there may have been no attempt that was seen.
    pub(super) fn compaction_installed(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        let id = record.required("compaction_id")?;
        let here = self.here(record, None, None);
        let mut attrs = Attrs::default();
        attrs.set(COMPACTION_ID, self.label(id));
        let Some((payload, body)) = self.body(line, record, "checkpoint_payload") else { return Ok(()) };
        attrs.set(EVIDENCE_REF, self.label(&payload.id));
        let read = self.bodies.checkpoint(&here.scope.thread, body.bytes());
        let histories = read.map_err(|reason| record.unread("checkpoint_payload", reason))?;
        let key = here.turn();
        let noted = Noted::Histories(Box::new(histories));
        self.mark(&here, key, MarkKind::CompactionInstalled, attrs, noted);
        Ok(())
    }
}
