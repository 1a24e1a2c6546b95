//! One row of a session file.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::import::session::{Loose, Object, Text};

/// A row's envelope.
#[derive(Deserialize)]
pub(super) struct Row<'a> {
    #[serde(borrow, default)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) payload: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) ordinal: Loose<u64>,
}

/// What a row tells: the members of all kinds. Each that has another type than it should is absent.
#[derive(Deserialize, Default)]
pub(super) struct Payload<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) turn_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) call_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) status: Text<'a>,
    #[serde(borrow, default, alias = "text", alias = "prompt")]
    pub(super) message: Text<'a>,
    #[serde(borrow, default)]
    pub(super) result: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) info: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) invocation: Object<Invocation<'a>>,
    #[serde(default)]
    pub(super) exit_code: Loose<i64>,
    #[serde(default)]
    pub(super) success: Loose<bool>,
    #[serde(borrow, default)]
    pub(super) new_thread_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) agent_thread_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) event_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(borrow, default)]
    pub(super) effort: Text<'a>,
    #[serde(borrow, default)]
    pub(super) trigger: Text<'a>,
    #[serde(borrow, default)]
    pub(super) window_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) replacement_history: Option<&'a RawValue>,
    #[serde(default)]
    pub(super) num_turns: Loose<u32>,
}

#[derive(Deserialize)]
pub(super) struct Invocation<'a> {
    #[serde(borrow, default)]
    pub(super) server: Text<'a>,
}

/// What a session says of itself.
#[derive(Deserialize, Default)]
pub(super) struct Meta<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) model_provider: Text<'a>,
    #[serde(borrow, default)]
    pub(super) parent_thread_id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) forked_from_id: Text<'a>,
    #[serde(default)]
    pub(super) subagent_history_start_ordinal: Loose<u64>,
    #[serde(borrow, default)]
    pub(super) source: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) base_instructions: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) agent_role: Text<'a>,
}

/// The session that started the one whose file begins with this line, where another one did.
pub fn parent_of(line: &[u8]) -> Option<String> {
    let row: Row<'_> = serde_json::from_slice(line).ok()?;
    let meta: Meta<'_> = serde_json::from_str(row.payload?.get()).ok()?;
    meta.spawned().parent.filter(|_| row.kind.get() == Some("session_meta"))
}

/// What started a sub-agent.
#[derive(Default)]
pub(super) struct Spawned {
    pub(super) parent: Option<String>,
    pub(super) role: Option<String>,
}

impl Meta<'_> {
    /// Who started the session, where it was another one.
    pub(super) fn spawned(&self) -> Spawned {
        let source: Option<Value> = self.source.and_then(|source| serde_json::from_str(source.get()).ok());
        let spawn = source.as_ref().and_then(|source| source.pointer("/subagent/thread_spawn"));
        let word = |name: &str| spawn?.get(name)?.as_str().map(str::to_owned);
        let kind = source.as_ref().and_then(|source| source.get("subagent")).and_then(Value::as_str);
        Spawned {
            parent: self.parent_thread_id.some().map(str::to_owned).or_else(|| word("parent_thread_id")),
            role: self.agent_role.some().map(str::to_owned).or_else(|| word("agent_role")).or(kind.map(str::to_owned)),
        }
    }

    /// The instructions that the session begins with.
    pub(super) fn instructions(&self) -> Option<String> {
        match serde_json::from_str(self.base_instructions?.get()).ok()? {
            Value::String(text) => Some(text),
            Value::Object(members) => members.get("text").and_then(Value::as_str).map(str::to_owned),
            _ => None,
        }
    }
}

/// The text of a member: of a string what it holds, of anything else its JSON.
pub(super) fn text(value: &Value) -> Cow<'_, str> {
    value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}
