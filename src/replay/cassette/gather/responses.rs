//! OpenAI's responses: the last event holds the whole answer, and the items before it hold what came of one that broke off.

use serde_json::{Map, Value};

use super::merge;

#[derive(Default)]
pub(super) struct Events {
    response: Map<String, Value>,
    items: Vec<Value>,
    is_whole: bool,
}

impl Events {
    pub(super) fn take(&mut self, data: &str) {
        let Ok(event) = serde_json::from_str::<Value>(data) else { return };
        match event.get("type").and_then(Value::as_str).unwrap_or_default() {
            "response.completed" | "response.incomplete" => {
                self.told(&event);
                self.is_whole = true;
            }
            "response.created" | "response.in_progress" | "response.failed" => self.told(&event),
            "response.output_item.done" => self.items.extend(event.get("item").cloned()),
            _ => {}
        }
    }

    fn told(&mut self, event: &Value) {
        if let Some(response) = event.get("response") {
            merge(&mut self.response, response);
        }
    }

    pub(super) fn finish(mut self) -> (Option<Value>, bool) {
        if self.response.is_empty() {
            return (None, false);
        }
        if !self.is_whole {
            self.response.insert("output".to_owned(), self.items.into());
        }
        (Some(self.response.into()), self.is_whole)
    }
}
