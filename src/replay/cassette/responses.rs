//! OpenAI's responses.

use serde_json::{Value, json};

use super::Streamed;
use super::answer::{Part, Recorded, as_text, pieces};
use super::api::put;

const IN_PROGRESS: &str = "in_progress";
const INCOMPLETE: &str = "incomplete";

fn items(answer: &Recorded) -> Vec<(&Part, Value)> {
    let parts = answer.messages.iter().flat_map(|said| &said.parts);
    parts.enumerate().map(|(number, part)| (part, item(number, part))).collect()
}

fn item(number: usize, part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({
            "type": "message", "id": format!("msg_{number}"), "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }),
        Part::Reasoning(text) => json!({
            "type": "reasoning", "id": format!("rs_{number}"), "summary": [{"type": "summary_text", "text": text}],
        }),
        Part::Call { id, name, arguments } => json!({
            "type": "function_call", "id": format!("fc_{number}"), "call_id": id, "name": name,
            "arguments": as_text(arguments), "status": "completed",
        }),
    }
}

/// Why it is not whole; nothing where it is.
fn incomplete(answer: &Recorded) -> Option<&str> {
    const OWN: &[&str] = &["max_output_tokens", "content_filter"];
    let reason = answer.messages.last()?.reason(OWN, &[("length", "max_output_tokens")]);
    OWN.contains(&reason).then_some(reason)
}

fn response(answer: &Recorded, model: &str, output: Vec<Value>, status: &str) -> Value {
    let (read, written) = (answer.input_tokens, answer.output_tokens);
    let usage = json!({
        "input_tokens": read, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": read.saturating_add(written),
    });
    json!({
        "id": answer.id(), "object": "response", "created_at": 0, "status": status, "error": null,
        "incomplete_details": incomplete(answer).filter(|_| status == INCOMPLETE).map(|reason| json!({"reason": reason})),
        "model": answer.model.as_deref().unwrap_or(model), "output": output,
        "parallel_tool_calls": true, "tools": [], "metadata": {},
        "usage": if status == IN_PROGRESS { Value::Null } else { usage },
    })
}

pub(super) fn body(answer: &Recorded, model: &str) -> Value {
    let output = items(answer).into_iter().map(|(_, item)| item).collect();
    response(answer, model, output, if incomplete(answer).is_some() { INCOMPLETE } else { "completed" })
}

pub(super) fn events(answer: &Recorded, model: &str) -> Vec<Streamed> {
    let mut events = Vec::new();
    let mut push = |event: &'static str, mut data: Value| {
        put(&mut data, "type", event.into());
        put(&mut data, "sequence_number", events.len().into());
        events.push(Streamed::new(Some(event), &data));
    };
    push("response.created", json!({"response": response(answer, model, Vec::new(), IN_PROGRESS)}));
    for (place, (part, item)) in items(answer).into_iter().enumerate() {
        let id = item.get("id").cloned().unwrap_or_default();
        let mut begun = item.clone();
        put(&mut begun, "status", IN_PROGRESS.into());
        let at = |mut data: Value| {
            put(&mut data, "output_index", place.into());
            put(&mut data, "item_id", id.clone());
            data
        };
        match part {
            Part::Text(text) => {
                put(&mut begun, "content", json!([]));
                push("response.output_item.added", json!({"output_index": place, "item": begun}));
                let empty = json!({"type": "output_text", "text": "", "annotations": []});
                push("response.content_part.added", at(json!({"content_index": 0, "part": empty})));
                for piece in pieces(text) {
                    push("response.output_text.delta", at(json!({"content_index": 0, "delta": piece})));
                }
                push("response.output_text.done", at(json!({"content_index": 0, "text": text})));
                let whole = json!({"type": "output_text", "text": text, "annotations": []});
                push("response.content_part.done", at(json!({"content_index": 0, "part": whole})));
            }
            Part::Call { arguments, .. } => {
                put(&mut begun, "arguments", "".into());
                let arguments = as_text(arguments);
                push("response.output_item.added", json!({"output_index": place, "item": begun}));
                push("response.function_call_arguments.delta", at(json!({"delta": arguments})));
                push("response.function_call_arguments.done", at(json!({"arguments": arguments})));
            }
            Part::Reasoning(text) => {
                put(&mut begun, "summary", json!([]));
                push("response.output_item.added", json!({"output_index": place, "item": begun}));
                for piece in pieces(text) {
                    push("response.reasoning_summary_text.delta", at(json!({"summary_index": 0, "delta": piece})));
                }
                push("response.reasoning_summary_text.done", at(json!({"summary_index": 0, "text": text})));
            }
        }
        push("response.output_item.done", json!({"output_index": place, "item": item}));
    }
    let last = if incomplete(answer).is_some() { "response.incomplete" } else { "response.completed" };
    push(last, json!({"response": body(answer, model)}));
    events
}
