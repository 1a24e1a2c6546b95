//! One row of a transcript.

use std::fmt;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::import::session::{Loose, Object, Text, Usage};

/// A row. Each member that has another type than it should is absent.
#[derive(Deserialize)]
pub(super) struct Row<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) subtype: Text<'a>,
    #[serde(borrow, default)]
    pub(super) uuid: Text<'a>,
    #[serde(borrow, default, rename = "parentUuid")]
    pub(super) parent: Text<'a>,
    #[serde(borrow, default)]
    pub(super) timestamp: Text<'a>,
    #[serde(borrow, default, rename = "sessionId")]
    pub(super) session: Text<'a>,
    #[serde(borrow, default, rename = "requestId")]
    pub(super) request: Text<'a>,
    #[serde(borrow, default, rename = "promptId")]
    pub(super) prompt: Text<'a>,
    #[serde(borrow, default, rename = "agentId")]
    pub(super) agent: Text<'a>,
    #[serde(borrow, default, rename = "attributionAgent")]
    pub(super) agent_type: Text<'a>,
    #[serde(default, rename = "isSidechain")]
    pub(super) is_sidechain: Loose<bool>,
    #[serde(default, rename = "isMeta")]
    pub(super) is_meta: Loose<bool>,
    #[serde(default, rename = "isCompactSummary")]
    pub(super) is_summary: Loose<bool>,
    #[serde(default, rename = "isApiErrorMessage")]
    pub(super) is_api_error: Loose<bool>,
    #[serde(default, rename = "apiErrorStatus")]
    pub(super) api_error_status: Loose<u16>,
    #[serde(borrow, default)]
    pub(super) message: Object<Said<'a>>,
    #[serde(borrow, default, rename = "toolUseResult")]
    pub(super) returned: Outcome<'a>,
    #[serde(borrow, default, rename = "compactMetadata")]
    pub(super) compacted: Object<Compacted<'a>>,
    #[serde(default, rename = "retryAttempt")]
    pub(super) attempt: Loose<i64>,
    #[serde(default)]
    pub(super) error: Object<ApiError>,
}

/// What was said.
#[derive(Deserialize)]
pub(super) struct Said<'a> {
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) model: Text<'a>,
    #[serde(default)]
    pub(super) content: Option<Value>,
    #[serde(borrow, default)]
    pub(super) stop_reason: Text<'a>,
    #[serde(default)]
    usage: Object<Tokens>,
}

/// Anthropic's count of tokens.
#[derive(Deserialize, Clone, Copy, Default)]
#[serde(default)]
struct Tokens {
    input_tokens: Loose<i64>,
    output_tokens: Loose<i64>,
    cache_read_input_tokens: Loose<i64>,
    cache_creation_input_tokens: Loose<i64>,
}

/// What the agent itself says of a tool that has returned.
#[derive(Default)]
pub(super) enum Outcome<'a> {
    #[default]
    None,
    Known(Returned<'a>),
    /// A person would not have it run.
    Rejected,
    /// Anything else.
    Said,
}

/// What the agent itself knows of what a tool returned. Much else is in it, and is passed over.
#[derive(Deserialize, Default)]
pub(super) struct Returned<'a> {
    #[serde(borrow, default, rename = "agentId")]
    pub(super) agent: Text<'a>,
    #[serde(borrow, default, rename = "agentType")]
    pub(super) agent_type: Text<'a>,
    #[serde(default)]
    pub(super) interrupted: Loose<bool>,
    #[serde(default, rename = "exitCode")]
    pub(super) exit_code: Loose<i64>,
}

#[derive(Deserialize)]
pub(super) struct Compacted<'a> {
    #[serde(borrow, default)]
    pub(super) trigger: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct ApiError {
    #[serde(default)]
    pub(super) status: Loose<u16>,
}

impl Said<'_> {
    /// The tokens. Anthropic counts cached ones beside the input.
    pub(super) fn usage(&self) -> Usage {
        let tokens = self.usage.0.unwrap_or_default();
        let count = |count: Loose<i64>| count.0.filter(|count| *count >= 0);
        let (read, written) = (count(tokens.cache_read_input_tokens), count(tokens.cache_creation_input_tokens));
        let cached = [read, written].into_iter().flatten().try_fold(0i64, |sum, more| sum.checked_add(more));
        Usage {
            input: count(tokens.input_tokens).and_then(|input| input.checked_add(cached?)),
            output: count(tokens.output_tokens),
            cache_read: read,
            cache_creation: written,
            ..Usage::default()
        }
    }
}

impl Row<'_> {
    /// What was said, which is taken out of the row; nothing where there is nothing.
    pub(super) fn take_content(&mut self) -> Option<Value> {
        self.message.0.as_mut()?.content.take()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Outcome<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfOutcome)
    }
}

struct OfOutcome;

impl<'de> Visitor<'de> for OfOutcome {
    type Value = Outcome<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Outcome::None)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Returned::deserialize(MapAccessDeserializer::new(map)).map(Outcome::Known)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(if text.starts_with("User rejected") { Outcome::Rejected } else { Outcome::Said })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Outcome::Said)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Outcome::Said)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Outcome::Said)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Outcome::Said)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Outcome::Said)
    }
}
