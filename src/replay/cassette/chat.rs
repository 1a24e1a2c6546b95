//! OpenAI's chat completions.

use serde_json::{Value, json};

use super::Streamed;
use super::answer::{Recorded, Said, as_text, pieces};
use super::api::put;

fn head(answer: &Recorded, model: &str, object: &str) -> Value {
    let model = answer.model.as_deref().unwrap_or(model);
    json!({"id": answer.id(), "object": object, "created": 0, "model": model})
}

fn usage(answer: &Recorded) -> Value {
    let (read, written) = (answer.input_tokens, answer.output_tokens);
    json!({"prompt_tokens": read, "completion_tokens": written, "total_tokens": read.saturating_add(written)})
}

fn reason(said: &Said) -> &str {
    const OWN: &[&str] = &["stop", "length", "tool_calls", "content_filter", "function_call"];
    said.reason(OWN, &[("tool_call", "tool_calls")])
}

fn calls(said: &Said) -> Vec<Value> {
    let call = |(id, name, arguments): (&str, &str, &Value)| json!({"id": id, "type": "function", "function": {"name": name, "arguments": as_text(arguments)}});
    said.calls().map(call).collect()
}

pub(super) fn body(answer: &Recorded, model: &str) -> Value {
    let choice = |(index, said): (usize, &Said)| {
        let mut message = json!({"role": "assistant", "content": said.text()});
        let calls = calls(said);
        if !calls.is_empty() {
            put(&mut message, "tool_calls", calls.into());
        }
        if let Some(reasoning) = said.reasoning() {
            put(&mut message, "reasoning_content", reasoning.into());
        }
        json!({"index": index, "message": message, "finish_reason": reason(said)})
    };
    let mut body = head(answer, model, "chat.completion");
    put(&mut body, "choices", answer.messages.iter().enumerate().map(choice).collect());
    put(&mut body, "usage", usage(answer));
    body
}

pub(super) fn events(answer: &Recorded, model: &str, with_usage: bool) -> Vec<Streamed> {
    let mut events = Vec::new();
    let mut push = |choices: Value, usage: Option<Value>| {
        let mut chunk = head(answer, model, "chat.completion.chunk");
        put(&mut chunk, "choices", choices);
        if let Some(usage) = usage {
            put(&mut chunk, "usage", usage);
        }
        events.push(Streamed::new(None, &chunk));
    };
    for (index, said) in answer.messages.iter().enumerate() {
        let mut delta = |delta: Value, reason: Option<&str>| {
            push(json!([{"index": index, "delta": delta, "finish_reason": reason}]), None);
        };
        delta(json!({"role": "assistant", "content": ""}), None);
        said.reasoning().iter().flat_map(|text| pieces(text)).for_each(|piece| {
            delta(json!({"reasoning_content": piece}), None);
        });
        said.text().iter().flat_map(|text| pieces(text)).for_each(|piece| delta(json!({"content": piece}), None));
        for (number, mut call) in calls(said).into_iter().enumerate() {
            put(&mut call, "index", number.into());
            delta(json!({"tool_calls": [call]}), None);
        }
        delta(json!({}), Some(reason(said)));
    }
    if with_usage {
        push(json!([]), Some(usage(answer)));
    }
    events.push(Streamed { event: None, data: "[DONE]".to_owned() });
    events
}
