//! Fields whose text is JSON where the conventions have an array, numbers or several names.

use serde_json::Value;
use smallvec::smallvec;
use zeroize::Zeroizing;

use super::given::Given;
use super::held::json;
use super::told::Told;
use crate::event::RawValue;
use crate::event::shape::Usage;
use crate::semconv::{self as names, KeyId, lookup};

/// One reason, or a JSON array of them.
pub(super) fn finish_reasons(told: &mut Told, text: &str) {
    told.reasons = match json(text) {
        Some(Value::Array(elements)) => elements.into_iter().filter_map(string).map(Zeroizing::new).collect(),
        Some(Value::String(reason)) => smallvec![Zeroizing::new(reason)],
        // A structure is no reason, nor is the empty text.
        Some(_) => return,
        None if text.is_empty() => return,
        None => smallvec![Zeroizing::new(text.to_owned())],
    };
}

/// One text, or a JSON array of them.
pub(super) fn texts(told: &mut Told, id: KeyId, is_own: bool, text: &str) {
    match json(text) {
        Some(Value::Array(elements)) => {
            elements.into_iter().filter_map(string).map(Zeroizing::new).for_each(|element| {
                told.set(id, RawValue::Element(element.as_bytes()), is_own);
            });
        }
        Some(_) => {}
        None => told.set(id, RawValue::Element(text.as_bytes()), is_own),
    }
}

/// An object of request parameters.
pub(super) fn parameters(told: &mut Told, text: &str) {
    let Some(Value::Object(members)) = json(text) else { return };
    for (key, value) in &members {
        let key = match key.as_str() {
            "n" => "choice.count",
            "max_completion_tokens" | "max_output_tokens" => "max_tokens",
            other => other,
        };
        let Some(id) = lookup(&format!("gen_ai.request.{key}")) else { continue };
        let given = match value {
            Value::Number(number) => match number.as_i64() {
                Some(number) => Given::Int(i128::from(number)),
                None => Given::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::Bool(flag) => Given::Bool(*flag),
            // Texts among parameters are stop sequences and the like: content.
            _ => continue,
        };
        if let Some(value) = given.typed(id, &mut String::new()) {
            told.set(id, value, false);
        }
    }
}

/// A provider's object of token counts.
pub(super) fn usage(told: &mut Told, text: &str) {
    let Some(value) = json(text) else { return };
    let usage = Usage::read(&value);
    let counts = [
        (names::INPUT_TOKENS, usage.input),
        (names::OUTPUT_TOKENS, usage.output),
        (names::CACHE_READ_TOKENS, usage.cache_read),
        (names::CACHE_CREATION_TOKENS, usage.cache_creation),
        (names::CACHE_WRITE_TOKENS, usage.cache_creation),
        (names::REASONING_TOKENS, usage.reasoning),
    ];
    for (attr, count) in counts {
        if let Some(count) = count {
            told.set(attr.id(), RawValue::Int(count), false);
        }
    }
}

fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
