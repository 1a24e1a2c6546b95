//! A recorded answer, as the parts that every API has in its own shape.

use serde_json::Value;

use crate::event::{Closed, Output, Veiled};
use crate::replay::whole::Whole;
use crate::semconv::{FINISH_REASONS, INPUT_TOKENS, OUTPUT_TOKENS, RESPONSE_ID, RESPONSE_MODEL};

/// What stands for a reason that nobody told.
const UNTOLD: &str = "unknown";

/// A recorded answer. Holds content: no `Debug`.
pub(super) struct Recorded {
    pub(super) id: Option<String>,
    pub(super) model: Option<String>,
    /// One for each choice.
    pub(super) messages: Vec<Said>,
    pub(super) input_tokens: i64,
    pub(super) output_tokens: i64,
}

/// One message of a model.
pub(super) struct Said {
    pub(super) parts: Vec<Part>,
    /// Why the model stopped, in the conventions' words.
    reason: Option<String>,
    /// The same in the provider's.
    providers: Option<String>,
}

pub(super) enum Part {
    Text(String),
    Reasoning(String),
    Call { id: String, name: String, arguments: Value },
}

impl Recorded {
    /// Nothing where not all of its content was kept, or where it holds what no API has a place for here.
    pub(super) fn read(closed: &Closed<Veiled>, output: &Output, whole: &Whole<'_>) -> Option<Self> {
        if !whole.answer(output) {
            return None;
        }
        let Ok(Value::Array(messages)) = serde_json::from_str(output.shown.content()?) else { return None };
        let label = |text: Option<bytestring::ByteString>| text.map(|text| text.to_string());
        let tokens = |count: Option<i64>| count.filter(|count| *count >= 0).unwrap_or(0);
        let reasons = closed.attrs.get(FINISH_REASONS).unwrap_or_default();
        let said = |(place, message): (usize, &Value)| {
            let parts = message.get("parts").and_then(Value::as_array).into_iter().flatten();
            let parts: Option<Vec<Part>> =
                parts.enumerate().map(|(number, part)| self::part(place, number, part)).collect();
            let told = message.get("finish_reason").and_then(Value::as_str).filter(|reason| *reason != UNTOLD);
            let providers = reasons.get(place).map(|reason| reason.to_string());
            Some(Said { parts: parts?, reason: told.map(str::to_owned), providers })
        };
        Some(Self {
            id: label(closed.attrs.get(RESPONSE_ID)),
            model: label(closed.attrs.get(RESPONSE_MODEL)),
            messages: messages.iter().enumerate().map(said).collect::<Option<_>>()?,
            input_tokens: tokens(closed.attrs.get(INPUT_TOKENS)),
            output_tokens: tokens(closed.attrs.get(OUTPUT_TOKENS)),
        })
    }

    pub(super) fn id(&self) -> &str {
        self.id.as_deref().unwrap_or("recorded")
    }
}

impl Said {
    /// Its text, joined; nothing where it has none.
    pub(super) fn text(&self) -> Option<String> {
        self.joined(|part| if let Part::Text(text) = part { Some(text) } else { None })
    }

    /// Why the model stopped, in the words of an API: the provider's own where the API has it, else the conventions' by the
    /// pairs of `words`.
    pub(super) fn reason<'r>(&'r self, own: &[&str], words: &[(&str, &'r str)]) -> &'r str {
        if let Some(told) = self.providers.as_deref().filter(|told| own.contains(told)) {
            return told;
        }
        let by_parts = if self.calls().next().is_some() { "tool_call" } else { "stop" };
        let told = self.reason.as_deref().unwrap_or(by_parts);
        words.iter().find(|(known, _)| *known == told).map_or(told, |(_, word)| word)
    }

    pub(super) fn reasoning(&self) -> Option<String> {
        self.joined(|part| if let Part::Reasoning(text) = part { Some(text) } else { None })
    }

    fn joined(&self, of: impl Fn(&Part) -> Option<&String>) -> Option<String> {
        let texts: Vec<&str> = self.parts.iter().filter_map(of).map(String::as_str).collect();
        (!texts.is_empty()).then(|| texts.concat())
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.parts.iter().filter_map(|part| match part {
            Part::Call { id, name, arguments } => Some((id.as_str(), name.as_str(), arguments)),
            _ => None,
        })
    }
}

fn part(message: usize, number: usize, part: &Value) -> Option<Part> {
    let text = |name: &str| part.get(name).and_then(Value::as_str);
    Some(match text("type")? {
        "text" => Part::Text(text("content")?.to_owned()),
        "reasoning" => Part::Reasoning(text("content")?.to_owned()),
        "tool_call" => Part::Call {
            id: text("id").map_or_else(|| format!("call_{message}_{number}"), str::to_owned),
            name: text("name")?.to_owned(),
            arguments: part.get("arguments").cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new())),
        },
        _ => return None,
    })
}

/// Arguments as the text that OpenAI's APIs have them in.
pub(super) fn as_text(arguments: &Value) -> String {
    match arguments {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A text in the pieces in which it is streamed.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(' ')
}
