//! Messages of the GenAI conventions in the shapes that agents keep them in.

use std::collections::HashMap;

use serde_json::{Map, Value, json};

/// What a message of the conventions is made of.
fn parts(message: &Value) -> impl Iterator<Item = &Value> {
    message.get("parts").and_then(Value::as_array).into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn kind(part: &Value) -> &str {
    text(part, "type").unwrap_or_default()
}

/// The calls of a history, by their ids: results of the conventions do not say which tool they are of.
struct Calls {
    names: HashMap<String, String>,
    made: usize,
    answered: usize,
}

impl Calls {
    fn of(messages: &[Value]) -> Self {
        let calls = messages.iter().flat_map(parts).filter(|part| kind(part) == "tool_call");
        let name = |call: &Value| Some((text(call, "id")?.to_owned(), text(call, "name")?.to_owned()));
        Self { names: calls.filter_map(name).collect(), made: 0, answered: 0 }
    }

    /// The id of a call, or one by its order.
    fn made(&mut self, call: &Value) -> String {
        self.made += 1;
        text(call, "id").map_or_else(|| format!("call_{}", self.made), str::to_owned)
    }

    /// The id of the call that a result is of, and its tool.
    fn answered(&mut self, result: &Value) -> (String, String) {
        self.answered += 1;
        let id = text(result, "id").map_or_else(|| format!("call_{}", self.answered), str::to_owned);
        let name = text(result, "name").map(str::to_owned).or_else(|| self.names.get(&id).cloned());
        (id, name.unwrap_or_else(|| "tool".to_owned()))
    }
}

fn arguments(call: &Value) -> Value {
    match call.get("arguments") {
        Some(Value::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())),
        Some(arguments) => arguments.clone(),
        None => Value::Object(Map::new()),
    }
}

/// A tool's result as one text.
fn response(part: &Value) -> String {
    match part.get("response").or_else(|| part.get("result")) {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// What is not text, as JSON: a shape that has no place for it keeps it all the same.
fn rest(part: &Value) -> String {
    text(part, "content").map_or_else(|| part.to_string(), str::to_owned)
}

/// As `rig::completion::Message` is written (rig 0.44). The instructions that a history begins with are the agent's own,
/// which it says again by itself.
pub(super) fn rig(messages: &[Value]) -> Vec<Value> {
    let mut calls = Calls::of(messages);
    let words = |part: &Value| json!({"type": "text", "text": rest(part)});
    let message = |message: &Value| match text(message, "role").unwrap_or_default() {
        "system" | "developer" => {
            let texts: Vec<String> = parts(message).map(rest).collect();
            json!({"role": "system", "content": texts.join("\n\n")})
        }
        "assistant" => {
            let content = parts(message).map(|part| match kind(part) {
                "tool_call" => json!({
                    "type": "toolcall", "id": {"provider": calls.made(part)},
                    "function": {"name": text(part, "name"), "arguments": as_map(arguments(part))},
                }),
                "reasoning" => json!({"type": "reasoning", "text": rest(part)}),
                _ => words(part),
            });
            json!({"role": "assistant", "content": content.collect::<Vec<_>>()})
        }
        _ => {
            let content = parts(message).map(|part| match kind(part) {
                "tool_call_response" => {
                    let (id, name) = calls.answered(part);
                    let result = json!({"type": "text", "text": response(part)});
                    json!({"type": "toolresult", "call": {"provider": id}, "name": name, "content": [result]})
                }
                _ => words(part),
            });
            json!({"role": "user", "content": content.collect::<Vec<_>>()})
        }
    };
    let is_instruction = |message: &&Value| matches!(text(message, "role"), Some("system" | "developer"));
    messages.iter().skip_while(is_instruction).map(message).collect()
}

/// rig has no other arguments than maps.
fn as_map(arguments: Value) -> Value {
    match arguments {
        Value::Object(_) => arguments,
        Value::Null => Value::Object(Map::new()),
        other => json!({"value": other}),
    }
}

/// As `genai::chat::ChatMessage` is written (genai 0.7).
pub(super) fn genai(messages: &[Value]) -> Vec<Value> {
    let mut calls = Calls::of(messages);
    let message = |message: &Value| {
        let role = match text(message, "role").unwrap_or_default() {
            "system" | "developer" => "System",
            "assistant" => "Assistant",
            "tool" => "Tool",
            _ => "User",
        };
        let content = parts(message).map(|part| match kind(part) {
            "tool_call" => {
                let call = json!({"call_id": calls.made(part), "fn_name": text(part, "name"), "fn_arguments": arguments(part)});
                json!({"ToolCall": call})
            }
            "tool_call_response" => {
                let (id, name) = calls.answered(part);
                json!({"ToolResponse": {"call_id": id, "fn_name": name, "content": response(part)}})
            }
            "reasoning" => json!({"ReasoningContent": rest(part)}),
            _ => json!({"Text": rest(part)}),
        });
        json!({"role": role, "content": content.collect::<Vec<_>>()})
    };
    messages.iter().map(message).collect()
}

/// As LangChain's `messages_to_dict` writes them, and its intermediate steps: each an action and what was observed.
pub(super) fn langchain(messages: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let mut calls = Calls::of(messages);
    let mut actions: HashMap<String, Value> = HashMap::new();
    let (mut written, mut steps) = (Vec::new(), Vec::new());
    for message in messages {
        let role = text(message, "role").unwrap_or_default();
        if role == "tool" {
            for part in parts(message).filter(|part| kind(part) == "tool_call_response") {
                let (id, name) = calls.answered(part);
                let observation = response(part);
                let data = json!({"content": observation, "tool_call_id": id, "name": name});
                written.push(json!({"type": "tool", "data": data}));
                let action = actions.remove(&id).unwrap_or_else(|| json!({"tool": name, "tool_input": {}, "log": ""}));
                steps.push(json!([action, observation]));
            }
            continue;
        }
        let mut tool_calls = Vec::new();
        for call in parts(message).filter(|part| kind(part) == "tool_call") {
            let (id, name, arguments) = (calls.made(call), text(call, "name"), arguments(call));
            actions.insert(id.clone(), json!({"tool": name, "tool_input": arguments, "log": ""}));
            tool_calls.push(json!({"name": name, "args": arguments, "id": id, "type": "tool_call"}));
        }
        let said: Vec<String> =
            parts(message).filter(|part| !matches!(kind(part), "tool_call" | "reasoning")).map(rest).collect();
        let mut data = json!({"content": said.join("\n")});
        let kind = match role {
            "assistant" => "ai",
            "system" | "developer" => "system",
            _ => "human",
        };
        if let Some(data) = data.as_object_mut().filter(|_| !tool_calls.is_empty()) {
            data.insert("tool_calls".to_owned(), tool_calls.into());
        }
        written.push(json!({"type": kind, "data": data}));
    }
    (written, steps)
}
