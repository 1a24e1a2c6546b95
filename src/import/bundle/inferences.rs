//! Turns and model requests.

use super::ids;
use super::known::{Begun, Of};
use super::mapper::{Mapper, end_attrs, outcome};
use super::record::{Record, Unread};
use crate::event::{Attrs, CallKind, Given, Input, Outcome, Returned};
use crate::semconv::{
    AGENT_NAME, EVIDENCE_REQUEST, EVIDENCE_RESPONSE, PREVIOUS_RESPONSE_ID, PROVIDER_NAME, REQUEST_MODEL, RESPONSE_ID,
    UPSTREAM_REQUEST_ID,
};

impl Mapper {
    pub(super) fn turn_started(&mut self, record: &Record) -> Result<(), Unread> {
        let turn = record.required("codex_turn_id")?;
        let here = self.here(record, record.text("thread_id"), None);
        let mut attrs = Attrs::default();
        if let Some(agent) = self.agents.get(&here.scope.thread) {
            attrs.set(AGENT_NAME, agent.clone());
        }
        let key = ids::key(&here.scope, CallKind::Turn, &here.scope.turn);
        self.open(&here, key, None, turn, (attrs, Given::empty(CallKind::Turn)));
        Ok(())
    }

    pub(super) fn turn_ended(&mut self, record: &Record) -> Result<(), Unread> {
        record.required("codex_turn_id")?;
        let word = record.required("status")?;
        let here = self.here(record, record.text("thread_id"), None);
        let key = ids::key(&here.scope, CallKind::Turn, &here.scope.turn);
        if let Some(outcome) = outcome(word) {
            self.close(&here, key, Some(outcome), (end_attrs(word), Returned::empty(CallKind::Turn)));
        }
        Ok(())
    }

    pub(super) fn inference_started(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        let id = record.required("inference_call_id")?;
        let here = self.here(record, record.text("thread_id"), None);
        let (mut input, mut attrs) = (Input::default(), Attrs::default());
        if let Some((payload, body)) = self.body(line, record, "request_payload") {
            // A request without its messages is none.
            (input, attrs) =
                self.bodies.request(body.bytes()).map_err(|reason| record.unread("request_payload", reason))?;
            attrs.set(EVIDENCE_REQUEST, self.label(&payload.id));
        }
        self.request_mode(record, &mut attrs);
        for (name, attr) in [("model", REQUEST_MODEL), ("provider_name", PROVIDER_NAME)] {
            if let Some(text) = record.text(name) {
                attrs.set(attr, self.label(text));
            }
        }
        let turn = ids::key(&here.scope, CallKind::Turn, &here.scope.turn);
        let key = ids::key(&here.scope, CallKind::Inference, id);
        let begun = Begun { thread: here.scope.thread.clone(), turn: here.scope.turn.clone(), ..Begun::default() };
        self.known.begin(Of::Inference, id, begun);
        self.open(&here, key, Some(turn), id, (attrs, Given::Request(input)));
        Ok(())
    }

    /// A mode that the record names wins over what the payload looks like.
    fn request_mode(&self, record: &Record, attrs: &mut Attrs) {
        let Some(mode) = record.value("request_input_mode") else { return };
        let word = |name: &str| mode.get(name).and_then(serde_json::Value::as_str);
        match word("type") {
            Some("full_snapshot") => attrs.remove(PREVIOUS_RESPONSE_ID.id()),
            Some(_) => {
                if let Some(id) = word("previous_response_id") {
                    attrs.set(PREVIOUS_RESPONSE_ID, self.label(id));
                }
            }
            None => {}
        }
    }

    pub(super) fn inference_ended(&mut self, line: u64, record: &mut Record, how: Outcome) -> Result<(), Unread> {
        let id = record.required("inference_call_id")?.to_owned();
        let field = if how == Outcome::Completed { "response_payload" } else { "partial_response_payload" };
        let mut response = super::bodies::Response::default();
        let mut payload_id = None;
        if let Some((payload, body)) = self.body(line, record, field) {
            let read = self.bodies.response(body.bytes());
            response = self.or_aside(line, record, field, read).unwrap_or_default();
            payload_id = Some(payload.id);
        }
        for (name, attr) in [("response_id", RESPONSE_ID), ("upstream_request_id", UPSTREAM_REQUEST_ID)] {
            if let Some(text) = record.text(name) {
                response.attrs.set(attr, self.label(text));
            }
        }
        if let Some(payload) = payload_id {
            response.attrs.set(EVIDENCE_RESPONSE, self.label(&payload));
        }
        let here = self.here_of(record, Of::Inference, &id);
        let key = ids::key(&here.scope, CallKind::Inference, &id);
        let error = self.error(record.take_text(if how == Outcome::Cancelled { "reason" } else { "error" }));
        self.close_with(&here, key, Some(how), error, (response.attrs, Returned::Answer(response.output)));
        Ok(())
    }
}
