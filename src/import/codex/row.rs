//! One row of a session file.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::import::session::{Loose, Object, Text};

/// A row's envelope.
#[derive(Default)]
pub(super) struct Row<'a> {
    pub(super) timestamp: Text<'a>,
    pub(super) kind: Text<'a>,
    pub(super) told: Option<Told<'a>>,
    pub(super) ordinal: Loose<u64>,
}

/// What a row tells, by its kind. Agents write the kind first, so that the row is read in one pass.
pub(super) enum Told<'a> {
    Meta(Box<Meta<'a>>),
    Item(Value),
    Event(Box<Payload<'a>>),
    /// The kind is yet to come.
    Unread(&'a RawValue),
    /// No object.
    Other,
}

impl<'a> Told<'a> {
    /// Reads what stood before its kind.
    pub(super) fn read(self, kind: &str) -> serde_json::Result<Self> {
        let Self::Unread(told) = self else { return Ok(self) };
        OfKind(kind).deserialize(&mut serde_json::Deserializer::from_str(told.get()))
    }
}

struct OfKind<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for OfKind<'_> {
    type Value = Told<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Told<'de>, D::Error> {
        Ok(match self.0 {
            "session_meta" => Object::deserialize(deserializer)?.0.map_or(Told::Other, Told::Meta),
            "response_item" => match Value::deserialize(deserializer)? {
                item @ Value::Object(_) => Told::Item(item),
                _ => Told::Other,
            },
            _ => Object::deserialize(deserializer)?.0.map_or(Told::Other, Told::Event),
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Row<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfRow)
    }
}

struct OfRow;

impl<'de> Visitor<'de> for OfRow {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
        let mut row = Row::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            match (key.or_empty(), row.kind.get()) {
                ("timestamp", _) => row.timestamp = map.next_value()?,
                ("ordinal", _) => row.ordinal = map.next_value()?,
                // What was read by its kind has no other one.
                ("type", None) => row.kind = map.next_value()?,
                ("payload", Some(kind)) => row.told = Some(map.next_value_seed(OfKind(kind))?),
                ("payload", None) => row.told = Some(Told::Unread(map.next_value()?)),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(row)
    }
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
    match row.told?.read(row.kind.get()?).ok()? {
        Told::Meta(meta) => meta.spawned().parent,
        _ => None,
    }
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
