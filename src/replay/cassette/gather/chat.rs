//! OpenAI's chat completions, chunk by chunk.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{add_text, merge};

#[derive(Default)]
pub(super) struct Chunks {
    head: Map<String, Value>,
    usage: Option<Value>,
    choices: BTreeMap<u64, Choice>,
    is_done: bool,
    has_failed: bool,
}

#[derive(Default)]
struct Choice {
    content: String,
    reasoning: String,
    refusal: String,
    calls: BTreeMap<u64, Call>,
    reason: Option<Value>,
}

#[derive(Default)]
struct Call {
    id: String,
    name: String,
    arguments: String,
}

impl Chunks {
    pub(super) fn take(&mut self, data: &str) {
        if data.trim() == "[DONE]" {
            self.is_done = true;
            return;
        }
        let Ok(chunk) = serde_json::from_str::<Value>(data) else { return };
        self.has_failed |= chunk.get("error").is_some_and(|error| !error.is_null());
        for name in ["id", "model", "created"] {
            if let Some(value) = chunk.get(name).filter(|_| !self.head.contains_key(name)) {
                self.head.insert(name.to_owned(), value.clone());
            }
        }
        self.usage = chunk.get("usage").filter(|usage| !usage.is_null()).cloned().or(self.usage.take());
        for choice in chunk.get("choices").and_then(Value::as_array).into_iter().flatten() {
            let index = choice.get("index").and_then(Value::as_u64).unwrap_or_default();
            self.choices.entry(index).or_default().take(choice);
        }
    }

    pub(super) fn finish(self) -> (Option<Value>, bool) {
        let ended = self.is_done || self.choices.values().all(|choice| choice.reason.is_some());
        let is_whole = ended && !self.choices.is_empty() && !self.has_failed;
        if self.choices.is_empty() {
            return (None, false);
        }
        let mut body = Map::new();
        body.insert("object".to_owned(), "chat.completion".into());
        merge(&mut body, &self.head.into());
        body.insert("choices".to_owned(), self.choices.into_iter().map(|(index, one)| one.finish(index)).collect());
        body.extend(self.usage.map(|usage| ("usage".to_owned(), usage)));
        (Some(body.into()), is_whole)
    }
}

impl Choice {
    fn take(&mut self, choice: &Value) {
        self.reason = choice.get("finish_reason").filter(|reason| !reason.is_null()).cloned().or(self.reason.take());
        let Some(delta) = choice.get("delta") else { return };
        add_text(delta, "content", &mut self.content);
        // Providers differ in what they call it, and some say it twice.
        let name = if delta.get("reasoning_content").is_some() { "reasoning_content" } else { "reasoning" };
        add_text(delta, name, &mut self.reasoning);
        add_text(delta, "refusal", &mut self.refusal);
        for (place, call) in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten().enumerate() {
            let index = call.get("index").and_then(Value::as_u64).unwrap_or(place as u64);
            let known = self.calls.entry(index).or_default();
            add_text(call, "id", &mut known.id);
            if let Some(function) = call.get("function") {
                add_text(function, "name", &mut known.name);
                add_text(function, "arguments", &mut known.arguments);
            }
        }
    }

    fn finish(self, index: u64) -> Value {
        let text = |text: String| if text.is_empty() { Value::Null } else { text.into() };
        let calls: Vec<Value> = self.calls.into_values().map(Call::finish).collect();
        let calls = if calls.is_empty() { Value::Null } else { calls.into() };
        let mut message = Map::new();
        message.insert("role".to_owned(), "assistant".into());
        message.insert("content".to_owned(), text(self.content));
        let more =
            [("reasoning_content", text(self.reasoning)), ("refusal", text(self.refusal)), ("tool_calls", calls)];
        let told = more.into_iter().filter(|(_, value)| !value.is_null());
        message.extend(told.map(|(name, value)| (name.to_owned(), value)));
        json!({"index": index, "message": message, "finish_reason": self.reason})
    }
}

impl Call {
    fn finish(self) -> Value {
        let function = json!({"name": self.name, "arguments": self.arguments});
        json!({"id": self.id, "type": "function", "function": function})
    }
}
