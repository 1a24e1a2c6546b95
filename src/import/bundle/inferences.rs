//! Turns and model requests.

use serde_json::Value;

use super::bodies::{Extends, Prefix};
use super::known::{Begun, Of};
use super::mapper::{Body, Mapper, STATUS, end_attrs, outcome};
use super::record::{Record, Unread};
use crate::event::{Attrs, CallKind, Given, Input, Outcome, Returned};
use crate::semconv::{
    AGENT_NAME, EVIDENCE_REQUEST, EVIDENCE_RESPONSE, PREVIOUS_RESPONSE_ID, PROVIDER_NAME, REQUEST_MODEL, RESPONSE_ID,
    UPSTREAM_REQUEST_ID,
};

/// How a request tells what it holds, in later versions.
const MODE: &str = "request_input_mode";

impl Mapper {
    pub(super) fn turn_started(&mut self, record: &Record) -> Result<(), Unread> {
        let turn = record.required("codex_turn_id")?;
        let here = self.here(record, record.text("thread_id"), None);
        let mut attrs = Attrs::default();
        if let Some(agent) = self.agents.get(&here.scope.thread) {
            attrs.set(AGENT_NAME, agent.clone());
        }
        self.open(&here, here.turn(), None, turn, (attrs, Given::empty(CallKind::Turn)));
        Ok(())
    }

    pub(super) fn turn_ended(&mut self, record: &Record) -> Result<(), Unread> {
        record.required("codex_turn_id")?;
        let (outcome, attrs) = (outcome(record)?, end_attrs(record.required(STATUS)?));
        let here = self.here(record, record.text("thread_id"), None);
        if outcome.is_some() {
            self.close(&here, here.turn(), outcome, (attrs, Returned::empty(CallKind::Turn)));
        }
        Ok(())
    }

    pub(super) fn inference_started(&mut self, line: u64, record: &Record) -> Result<(), Unread> {
        let id = record.required("inference_call_id")?;
        let mut here = self.here(record, record.text("thread_id"), None);
        let (mut input, mut attrs) = (Input::default(), Attrs::default());
        let prefix = self.prefix(line, record);
        if let Some((payload, body)) = self.body(line, record, "request_payload") {
            // A request without its messages is none.
            let extends = extends(record, prefix.as_ref().and_then(|prefix| Prefix::read(prefix.bytes()).ok()));
            let read = self.bodies.request(&here.scope.thread, body.bytes(), extends);
            (input, attrs) = read.map_err(|reason| record.unread("request_payload", reason))?;
            attrs.set(EVIDENCE_REQUEST, self.label(&payload.id));
        }
        self.request_mode(record, prefix.is_some(), &mut attrs);
        for (name, attr) in [("model", REQUEST_MODEL), ("provider_name", PROVIDER_NAME)] {
            if let Some(text) = record.text(name) {
                attrs.set(attr, self.label(text));
            }
        }
        self.begin(&mut here, Of::Inference, id, Begun::default());
        self.open(&here, here.key(CallKind::Inference, id), Some(here.turn()), id, (attrs, Given::Request(input)));
        Ok(())
    }

    /// What a request extends that was not traced, where the record has it.
    fn prefix(&mut self, line: u64, record: &Record) -> Option<Body> {
        let mode = record.value(MODE)?;
        let is_untraced = mode.get("type").and_then(Value::as_str) == Some("incremental_with_untraced_prefix");
        let reference = mode.get("prefix_payload").filter(|reference| is_untraced && !reference.is_null());
        let payload = record.payload_of(MODE, reference);
        let (_, body) = self.payload(line, record, MODE, payload)?;
        let read = Prefix::read(body.bytes()).map(drop);
        self.or_aside(line, record, MODE, read).map(|()| body)
    }

    /// A mode that the record names wins over what the payload looks like. With what it extends a request is whole.
    fn request_mode(&self, record: &Record, is_whole: bool, attrs: &mut Attrs) {
        let Some(mode) = record.value(MODE) else { return };
        let word = |name: &str| mode.get(name).and_then(Value::as_str);
        match word("type") {
            Some("full_snapshot") => attrs.remove(PREVIOUS_RESPONSE_ID.id()),
            Some(_) if is_whole => attrs.remove(PREVIOUS_RESPONSE_ID.id()),
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
        let here = self.here_of_end(record, Of::Inference, &id);
        let key = here.key(CallKind::Inference, &id);
        let error = self.error(record.take_text(if how == Outcome::Cancelled { "reason" } else { "error" }));
        self.close_with(&here, key, Some(how), error, (response.attrs, Returned::Answer(response.output)));
        Ok(())
    }
}

/// What a record says that its request goes on from.
fn extends<'a>(record: &Record, list: Option<Prefix<'a>>) -> Extends<'a> {
    let mode = record.value(MODE).and_then(|mode| mode.get("type")?.as_str());
    match (mode, list) {
        (Some("full_snapshot"), _) => Extends::Nothing,
        (Some(_), Some(list)) => Extends::List(list),
        (Some(_), None) => Extends::Response,
        (None, _) => Extends::Unsaid,
    }
}
