//! Events of streamed answers, as OpenAI's chat completions and responses and Anthropic's messages send them.

use serde_json::Value;

use super::answer::tell_facts;
use super::inference::Inference;
use super::stream::Chunk;
use crate::event::{Message, Part, RawText, Returned, Role};

/// One event of a provider's stream: the object that stands after `data:`. Adds to the first answer, of which a whole one
/// comes out as if it had not been streamed; of further choices only the finish reasons are told.
impl Chunk for Value {
    fn record(&self, inference: &mut Inference) {
        let text = |path: &str| self.pointer(path).and_then(Value::as_str);
        match self.get("type").and_then(Value::as_str) {
            None => chat(self, inference),
            Some("message_start") => facts(self.get("message"), inference),
            Some("content_block_start") => {
                if text("/content_block/type") == Some("tool_use") {
                    begin_tool(inference, text("/content_block/id"), text("/content_block/name"));
                }
            }
            Some("content_block_delta") => {
                if let Some(more) = text("/delta/text") {
                    inference.output_more(more);
                } else if let Some(more) = text("/delta/thinking") {
                    more_reasoning(inference, more);
                } else if let Some(more) = text("/delta/partial_json") {
                    more_arguments(inference, None, more);
                }
            }
            Some("content_block_stop") => end_tool(inference),
            Some("message_delta") => {
                if let Some(reason) = text("/delta/stop_reason") {
                    inference.finish_reason(reason);
                }
                facts(Some(self), inference);
            }
            Some("response.output_text.delta") => {
                if let Some(more) = text("/delta") {
                    inference.output_more(more);
                }
            }
            Some("response.completed" | "response.incomplete" | "response.failed") => {
                facts(self.get("response"), inference);
            }
            Some(_) => {}
        }
    }
}

/// Each chunk repeats the names, and one of them has the usage.
fn chat(chunk: &Value, inference: &mut Inference) {
    facts(Some(chunk), inference);
    let choices = chunk.get("choices").and_then(Value::as_array);
    let first =
        choices.into_iter().flatten().find(|choice| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0);
    let Some(delta) = first.and_then(|choice| choice.get("delta")) else { return };
    let text = |value: &Value, path: &str| value.pointer(path).and_then(Value::as_str).map(str::to_owned);
    if let Some(more) = text(delta, "/reasoning_content").filter(|more| !more.is_empty()) {
        more_reasoning(inference, &more);
    }
    if let Some(more) = text(delta, "/content").filter(|more| !more.is_empty()) {
        inference.output_more(&more);
    }
    for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
        let place = call.get("index").and_then(Value::as_u64).and_then(|place| usize::try_from(place).ok());
        if let Some(name) = text(call, "/function/name") {
            begin_tool(inference, text(call, "/id").as_deref(), Some(&name));
        }
        if let Some(more) = text(call, "/function/arguments") {
            more_arguments(inference, place, &more);
        }
    }
}

fn facts(body: Option<&Value>, inference: &mut Inference) {
    if let Some(body) = body {
        tell_facts(body, inference);
    }
}

/// The parts of the answer that is being told.
fn parts(inference: &mut Inference) -> Option<&mut Vec<Part>> {
    let Some(Returned::Answer(answer)) = inference.handle.returned() else { return None };
    if answer.is_empty() {
        answer.push(Message { role: Role::Assistant, parts: Vec::new() });
    }
    answer.last_mut().map(|message| &mut message.parts)
}

fn more_reasoning(inference: &mut Inference, more: &str) {
    let Some(parts) = parts(inference) else { return };
    match parts.last_mut() {
        Some(Part::Reasoning(told)) => told.push(more),
        _ => parts.push(Part::Reasoning(more.into())),
    }
}

fn begin_tool(inference: &mut Inference, id: Option<&str>, name: Option<&str>) {
    if let Some(parts) = parts(inference) {
        let (id, name) = (id.map(RawText::from), RawText::from(name.unwrap_or_default()));
        parts.push(Part::ToolCall { id, name, arguments: RawText::from_static("") });
    }
}

/// Of the tool call with this place among them; without one, of the last.
fn more_arguments(inference: &mut Inference, place: Option<usize>, more: &str) {
    let Some(parts) = parts(inference) else { return };
    let mut calls = parts.iter_mut().filter_map(|part| match part {
        Part::ToolCall { arguments, .. } => Some(arguments),
        _ => None,
    });
    let call = match place {
        Some(place) => calls.nth(place),
        None => calls.next_back(),
    };
    if let Some(arguments) = call {
        arguments.push(more);
    }
}

/// Arguments of which nothing came are none, which a whole answer writes as an empty object.
fn end_tool(inference: &mut Inference) {
    if let Some([.., Part::ToolCall { arguments, .. }]) = parts(inference).map(|parts| parts.as_mut_slice())
        && arguments.is_empty()
    {
        arguments.push("{}");
    }
}
