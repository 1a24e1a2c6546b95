//! Sessions written row by row. `@n` is the second `n`.

use serde_json::{Value, json};

/// 2026-01-01T00:00:00Z
pub const START: u64 = 1_767_225_600_000_000_000;

pub fn time(second: f64) -> String {
    let millis = (second * 1000.0).round() as u64;
    let (hours, rest) = (millis / 3_600_000, millis % 3_600_000);
    format!("2026-01-01T{hours:02}:{:02}:{:02}.{:03}Z", rest / 60_000, rest % 60_000 / 1000, rest % 1000)
}

pub fn lines(rows: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for row in rows {
        bytes.extend(row.to_string().into_bytes());
        bytes.push(b'\n');
    }
    bytes
}

pub const SESSION: &str = "00000000-0000-4000-8000-00000000000a";

/// Rows of a Claude Code transcript, each the child of the one before.
#[derive(Clone, Default)]
pub struct Claude {
    pub rows: Vec<Value>,
    pub last: Option<String>,
    pub prompt: String,
}

impl Claude {
    pub fn row(&mut self, second: f64, more: Value) -> &mut Self {
        let uuid = format!("row-{}", self.rows.len());
        let mut row = json!({
            "uuid": uuid, "parentUuid": self.last, "timestamp": time(second), "sessionId": SESSION, "isSidechain": false,
            "promptId": self.prompt, "cwd": "/home/planted", "version": "2.1.0",
        });
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.rows.push(row);
        self.last = Some(uuid);
        self
    }

    pub fn prompt(&mut self, second: f64, id: &str, text: &str) -> &mut Self {
        self.prompt = id.to_owned();
        self.row(second, json!({"type": "user", "message": {"role": "user", "content": text}}))
    }

    pub fn answer(&mut self, second: f64, id: &str, block: Value, usage: (i64, i64), stop: &str) -> &mut Self {
        let message = json!({
            "id": id, "type": "message", "role": "assistant", "model": "claude-x", "content": [block],
            "stop_reason": stop, "usage": {"input_tokens": usage.0, "output_tokens": usage.1},
        });
        self.row(second, json!({"type": "assistant", "message": message, "requestId": format!("req-{id}")}))
    }

    pub fn say(&mut self, second: f64, id: &str, text: &str) -> &mut Self {
        self.answer(second, id, json!({"type": "text", "text": text}), (10, 5), "end_turn")
    }

    pub fn call(&mut self, second: f64, id: &str, tool: (&str, &str), input: Value) -> &mut Self {
        let block = json!({"type": "tool_use", "id": tool.0, "name": tool.1, "input": input});
        self.answer(second, id, block, (10, 5), "tool_use")
    }

    pub fn result(&mut self, second: f64, tool: &str, text: &str, more: Value) -> &mut Self {
        let mut block = json!({"type": "tool_result", "tool_use_id": tool, "content": text});
        if let Some(is_error) = more.get("is_error") {
            block["is_error"] = is_error.clone();
        }
        let known = more.get("known").cloned().unwrap_or(json!({}));
        let message = json!({"role": "user", "content": [block]});
        self.row(second, json!({"type": "user", "message": message, "toolUseResult": known}))
    }

    pub fn bytes(&self) -> Vec<u8> {
        lines(&self.rows)
    }
}

/// Rows of a Codex session file.
#[derive(Clone, Default)]
pub struct Codex {
    pub rows: Vec<Value>,
}

impl Codex {
    pub fn session(second: f64, id: &str) -> Self {
        let mut script = Self::default();
        script.row(second, "session_meta", json!({"id": id, "cwd": "/home/planted/myapp", "model_provider": "openai"}));
        script.row(second, "turn_context", json!({"model": "gpt-5.5", "effort": "low", "cwd": "/home/planted/myapp"}));
        script
    }

    pub fn row(&mut self, second: f64, kind: &str, payload: Value) -> &mut Self {
        self.rows.push(json!({"timestamp": time(second), "type": kind, "payload": payload}));
        self
    }

    pub fn event(&mut self, second: f64, kind: &str, mut more: Value) -> &mut Self {
        more["type"] = kind.into();
        self.row(second, "event_msg", more)
    }

    pub fn item(&mut self, second: f64, kind: &str, mut more: Value) -> &mut Self {
        more["type"] = kind.into();
        self.row(second, "response_item", more)
    }

    pub fn start(&mut self, second: f64, turn: &str) -> &mut Self {
        self.event(second, "task_started", json!({"turn_id": turn}))
    }

    pub fn end(&mut self, second: f64, turn: &str) -> &mut Self {
        self.event(second, "task_complete", json!({"turn_id": turn, "last_agent_message": "bye"}))
    }

    pub fn asks(&mut self, second: f64, text: &str) -> &mut Self {
        self.event(second, "user_message", json!({"message": text}))
    }

    pub fn says(&mut self, second: f64, text: &str) -> &mut Self {
        let content = json!([{"type": "output_text", "text": text}]);
        self.item(second, "message", json!({"role": "assistant", "content": content}))
    }

    pub fn thinks(&mut self, second: f64, text: &str) -> &mut Self {
        let summary = json!([{"type": "summary_text", "text": text}]);
        self.item(second, "reasoning", json!({"summary": summary, "encrypted_content": "c2VjcmV0"}))
    }

    pub fn calls(&mut self, second: f64, id: &str, name: &str, arguments: &str) -> &mut Self {
        self.item(second, "function_call", json!({"call_id": id, "name": name, "arguments": arguments}))
    }

    pub fn gets(&mut self, second: f64, id: &str, output: Value) -> &mut Self {
        self.item(second, "function_call_output", json!({"call_id": id, "output": output}))
    }

    pub fn tokens(&mut self, second: f64, input: i64, output: i64) -> &mut Self {
        self.usage(second, json!({"input_tokens": input, "output_tokens": output, "total_tokens": input + output}))
    }

    pub fn usage(&mut self, second: f64, usage: Value) -> &mut Self {
        self.event(second, "token_count", json!({"info": {"last_token_usage": usage}}))
    }

    pub fn bytes(&self) -> Vec<u8> {
        lines(&self.rows)
    }
}
