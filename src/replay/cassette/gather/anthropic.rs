//! Anthropic's messages: a message that is begun, its blocks piece by piece, and what is told of its end.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{add_text, merge};

#[derive(Default)]
pub(super) struct Events {
    message: Map<String, Value>,
    blocks: BTreeMap<u64, Block>,
    is_whole: bool,
    has_failed: bool,
}

#[derive(Default)]
struct Block {
    begun: Map<String, Value>,
    text: String,
    thinking: String,
    signature: String,
    input: String,
}

impl Events {
    pub(super) fn take(&mut self, data: &str) {
        let Ok(event) = serde_json::from_str::<Value>(data) else { return };
        let block = event.get("index").and_then(Value::as_u64);
        match event.get("type").and_then(Value::as_str).unwrap_or_default() {
            "message_start" => {
                if let Some(message) = event.get("message") {
                    merge(&mut self.message, message);
                }
            }
            "content_block_start" => {
                if let (Some(index), Some(begun)) = (block, event.get("content_block")) {
                    merge(&mut self.blocks.entry(index).or_default().begun, begun);
                }
            }
            "content_block_delta" => {
                if let (Some(index), Some(delta)) = (block, event.get("delta")) {
                    self.blocks.entry(index).or_default().take(delta);
                }
            }
            "message_delta" => self.ends(&event),
            "message_stop" => self.is_whole = true,
            "error" => self.has_failed = true,
            _ => {}
        }
    }

    fn ends(&mut self, event: &Value) {
        if let Some(delta) = event.get("delta") {
            merge(&mut self.message, delta);
        }
        if let Some(usage) = event.get("usage") {
            let mut all = self.message.remove("usage").and_then(|known| known.as_object().cloned()).unwrap_or_default();
            merge(&mut all, usage);
            self.message.insert("usage".to_owned(), all.into());
        }
    }

    pub(super) fn finish(mut self) -> (Option<Value>, bool) {
        if self.message.is_empty() {
            return (None, false);
        }
        let blocks = std::mem::take(&mut self.blocks).into_values().map(Block::finish).collect();
        self.message.insert("content".to_owned(), blocks);
        (Some(self.message.into()), self.is_whole && !self.has_failed)
    }
}

impl Block {
    fn take(&mut self, delta: &Value) {
        add_text(delta, "text", &mut self.text);
        add_text(delta, "thinking", &mut self.thinking);
        add_text(delta, "signature", &mut self.signature);
        add_text(delta, "partial_json", &mut self.input);
    }

    fn finish(mut self) -> Value {
        for (name, more) in [("text", self.text), ("thinking", self.thinking), ("signature", self.signature)] {
            if !more.is_empty() {
                let begun = self.begun.get(name).and_then(Value::as_str).unwrap_or_default();
                let text = format!("{begun}{more}");
                self.begun.insert(name.to_owned(), text.into());
            }
        }
        if !self.input.is_empty() {
            // Arguments that broke off are no JSON, and kept as they are.
            let input = serde_json::from_str(&self.input).unwrap_or_else(|_| self.input.into());
            self.begun.insert("input".to_owned(), input);
        }
        self.begun.into()
    }
}
