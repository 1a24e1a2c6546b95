//! One line of the event log: its envelope, and the members of its payload by name.

use serde_json::{Map, Value};
use zeroize::Zeroize;

use super::Reason;

/// A record of the log. Its payload may hold content, so it can be neither printed nor compared, and is wiped.
pub(super) struct Record {
    pub(super) seq: u64,
    pub(super) time_unix_nano: u64,
    pub(super) rollout: Option<String>,
    pub(super) thread: Option<String>,
    pub(super) turn: Option<String>,
    payload: Map<String, Value>,
}

/// A record that could not be read, with its number where that much could.
#[derive(Clone)]
pub(super) struct Unread {
    pub(super) seq: Option<u64>,
    pub(super) field: Option<&'static str>,
    pub(super) reason: Reason,
}

/// A payload that stands in a file of its own.
#[derive(Clone)]
pub(super) struct PayloadRef {
    pub(super) id: String,
    pub(super) kind: String,
    pub(super) path: String,
}

impl Record {
    pub(super) fn parse(line: &[u8]) -> Result<Self, Unread> {
        let unread = |seq, field, reason| Unread { seq, field, reason };
        let Ok(Value::Object(mut envelope)) = serde_json::from_slice(line) else {
            return Err(unread(None, None, Reason::NotJson));
        };
        let seq = envelope.get("seq").and_then(Value::as_u64);
        let time = envelope.get("wall_time_unix_ms").and_then(Value::as_i64);
        let text = |envelope: &mut Map<String, Value>, name: &str| match envelope.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (thread, turn) = (text(&mut envelope, "thread_id"), text(&mut envelope, "codex_turn_id"));
        let rollout = text(&mut envelope, "rollout_id");
        let payload = match envelope.remove("payload") {
            Some(Value::Object(payload)) => payload,
            _ => return Err(unread(seq, Some("payload"), Reason::Field)),
        };
        // From here on the payload is wiped with the record.
        let record = Self { seq: seq.unwrap_or_default(), time_unix_nano: nanos(time), rollout, thread, turn, payload };
        if seq.is_none() {
            return Err(unread(None, Some("seq"), Reason::Field));
        }
        if time.is_none() {
            return Err(unread(seq, Some("wall_time_unix_ms"), Reason::Field));
        }
        if record.text("type").is_none() {
            return Err(unread(seq, Some("type"), Reason::Field));
        }
        Ok(record)
    }

    /// The word that says what the record tells.
    pub(super) fn kind(&self) -> &str {
        self.text("type").unwrap_or_default()
    }

    pub(super) fn text(&self, name: &'static str) -> Option<&str> {
        self.payload.get(name).and_then(Value::as_str)
    }

    /// A text that the record is nothing without.
    pub(super) fn required(&self, name: &'static str) -> Result<&str, Unread> {
        self.text(name).ok_or(self.unread(name, Reason::Field))
    }

    pub(super) fn value(&self, name: &'static str) -> Option<&Value> {
        self.payload.get(name).filter(|value| !value.is_null())
    }

    /// Takes a text that is content out of the record.
    pub(super) fn take_text(&mut self, name: &'static str) -> Option<String> {
        match self.payload.get_mut(name).map(Value::take) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    /// A reference to a payload: nothing where there is none.
    pub(super) fn payload(&self, name: &'static str) -> Result<Option<PayloadRef>, Unread> {
        self.payload_of(name, self.value(name))
    }

    /// The same, inside of a member.
    pub(super) fn payload_of(
        &self,
        name: &'static str,
        reference: Option<&Value>,
    ) -> Result<Option<PayloadRef>, Unread> {
        let Some(reference) = reference else { return Ok(None) };
        payload_ref(reference).map(Some).ok_or(self.unread(name, Reason::Field))
    }

    /// All references to payloads, of a record of whatever kind.
    pub(super) fn payloads(&self) -> impl Iterator<Item = PayloadRef> {
        let is_inside = |value: &&Value| value.is_array() || (value.is_object() && payload_ref(value).is_none());
        let inside = self.payload.values().filter(is_inside).flat_map(members);
        self.payload.values().chain(inside).filter_map(payload_ref)
    }

    pub(super) fn unread(&self, field: &'static str, reason: Reason) -> Unread {
        Unread { seq: Some(self.seq), field: Some(field), reason }
    }
}

fn members(value: &Value) -> impl Iterator<Item = &Value> {
    let (list, object) = (value.as_array(), value.as_object());
    list.into_iter().flatten().chain(object.into_iter().flat_map(Map::values))
}

fn payload_ref(value: &Value) -> Option<PayloadRef> {
    let text = |name| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let kind = value.get("kind")?.get("type")?.as_str()?.to_owned();
    Some(PayloadRef { id: text("raw_payload_id")?, kind, path: text("path")? })
}

/// Times before 1970 are no times of a run.
fn nanos(millis: Option<i64>) -> u64 {
    millis.and_then(|millis| u64::try_from(millis).ok()).unwrap_or_default().saturating_mul(1_000_000)
}

impl Drop for Record {
    fn drop(&mut self) {
        for value in self.payload.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}
