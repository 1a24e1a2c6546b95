//! Anthropic's messages.

use serde_json::{Value, json};

use super::Streamed;
use super::answer::{Part, Recorded, as_text, pieces};
use super::api::put;

/// Its answers have one message; of several choices the first is given.
fn parts(answer: &Recorded) -> &[Part] {
    answer.messages.first().map_or(&[], |said| &said.parts)
}

fn reason(answer: &Recorded) -> &str {
    const OWN: &[&str] = &["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal"];
    const WORDS: &[(&str, &str)] =
        &[("stop", "end_turn"), ("tool_call", "tool_use"), ("length", "max_tokens"), ("content_filter", "refusal")];
    answer.messages.first().map_or("end_turn", |said| said.reason(OWN, WORDS))
}

fn block(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Reasoning(text) => json!({"type": "thinking", "thinking": text, "signature": ""}),
        Part::Call { id, name, arguments } => {
            let input = match arguments {
                Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| arguments.clone()),
                _ => arguments.clone(),
            };
            json!({"type": "tool_use", "id": id, "name": name, "input": input})
        }
    }
}

fn message(answer: &Recorded, model: &str, content: Vec<Value>, reason: Option<&str>, written: i64) -> Value {
    json!({
        "id": answer.id(), "type": "message", "role": "assistant", "model": answer.model.as_deref().unwrap_or(model),
        "content": content, "stop_reason": reason, "stop_sequence": null,
        "usage": {"input_tokens": answer.input_tokens, "output_tokens": written},
    })
}

pub(super) fn body(answer: &Recorded, model: &str) -> Value {
    let content = parts(answer).iter().map(block).collect();
    message(answer, model, content, Some(reason(answer)), answer.output_tokens)
}

pub(super) fn events(answer: &Recorded, model: &str) -> Vec<Streamed> {
    let mut events = Vec::new();
    let mut push = |event: &'static str, mut data: Value| {
        put(&mut data, "type", event.into());
        events.push(Streamed::new(Some(event), &data));
    };
    push("message_start", json!({"message": message(answer, model, Vec::new(), None, 0)}));
    for (index, part) in parts(answer).iter().enumerate() {
        let (begin, deltas): (Value, Vec<Value>) = match part {
            Part::Text(text) => (
                json!({"type": "text", "text": ""}),
                pieces(text).map(|piece| json!({"type": "text_delta", "text": piece})).collect(),
            ),
            Part::Reasoning(text) => (
                json!({"type": "thinking", "thinking": "", "signature": ""}),
                pieces(text).map(|piece| json!({"type": "thinking_delta", "thinking": piece})).collect(),
            ),
            Part::Call { id, name, arguments } => (
                json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
                vec![json!({"type": "input_json_delta", "partial_json": as_text(arguments)})],
            ),
        };
        push("content_block_start", json!({"index": index, "content_block": begin}));
        deltas.into_iter().for_each(|delta| push("content_block_delta", json!({"index": index, "delta": delta})));
        push("content_block_stop", json!({"index": index}));
    }
    let delta = json!({"stop_reason": reason(answer), "stop_sequence": null});
    push("message_delta", json!({"delta": delta, "usage": {"output_tokens": answer.output_tokens}}));
    push("message_stop", json!({}));
    events
}
