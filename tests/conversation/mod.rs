//! One conversation in every shape: a question with an image, two calls in one answer, their results in reverse,
//! thoughts, an answer, one more question.

#![allow(clippy::unwrap_used, unreachable_pub, reason = "a helper of a test may panic like the test")]

use serde_json::{Value, json};
use veilspan::event::{Request, shape};

const SCHEMA: &str = r#"{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}}}"#;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

pub fn chat() -> Value {
    json!({
        "model": "m",
        "tools": [
            {"type": "function", "function": {"name": "sub", "parameters": schema(), "strict": true}},
            {"type": "function", "function": {"name": "add", "description": "adds", "parameters": schema()}},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "2+3?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC/w=="}}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{\"b\": 3.0, \"a\": 2}"}},
                {"id": "call_2", "type": "function", "function": {"name": "sub", "arguments": "{\"a\":2,\"b\":3}"}}]},
            {"role": "tool", "tool_call_id": "call_2", "content": "-1"},
            {"role": "tool", "tool_call_id": "call_1", "content": [{"type": "text", "text": "5"}]},
            {"role": "assistant", "reasoning_content": "easy", "content": "It is 5."},
            {"role": "user", "content": "Thanks"},
        ],
    })
}

pub fn anthropic() -> Value {
    json!({
        "model": "m",
        "max_tokens": 100,
        "tools": [
            {"name": "add", "description": "adds", "input_schema": schema()},
            {"name": "sub", "input_schema": schema(), "cache_control": {"type": "ephemeral"}},
        ],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "2+3?"},
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC/w=="}}]},
            {"role": "assistant", "content": [
                {"type": "redacted_thinking", "data": "EqQB"},
                {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 2, "b": 3}},
                {"type": "tool_use", "id": "toolu_2", "name": "sub", "input": {"a": 2, "b": 3}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_2", "content": "-1"},
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "5"}]}]},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "easy", "signature": "EqQB"},
                {"type": "text", "text": "It is 5.", "cache_control": {"type": "ephemeral"}}]},
            {"role": "user", "content": "Thanks"},
        ],
    })
}

pub fn responses() -> Value {
    json!({
        "model": "m",
        "tools": [
            {"type": "function", "name": "add", "description": "adds", "parameters": schema(), "strict": true},
            {"type": "function", "name": "sub", "description": null, "parameters": schema()},
        ],
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "2+3?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAEC/w=="}]},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
            {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "add", "arguments": "{\"a\":2,\"b\":3}"},
            {"type": "function_call", "id": "fc_2", "call_id": "c2", "name": "sub", "arguments": "{\"a\":2,\"b\":3}"},
            {"type": "function_call_output", "call_id": "c2", "output": "-1"},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "5"}]},
            {"type": "reasoning", "id": "rs_2", "summary": [{"type": "summary_text", "text": "easy"}]},
            {"type": "message", "id": "msg_1", "role": "assistant",
                "content": [{"type": "output_text", "text": "It is 5.", "annotations": []}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Thanks"}]},
        ],
    })
}

pub fn genai() -> Request {
    let messages = json!([
        {"role": "user", "parts": [{"type": "text", "content": "2+3?"},
            {"type": "blob", "mime_type": "image/png", "modality": "image", "content": "AAEC/w=="}]},
        {"role": "assistant", "parts": [
            {"type": "tool_call", "id": "1", "name": "add", "arguments": {"a": 2, "b": 3}},
            {"type": "tool_call", "id": "2", "name": "sub", "arguments": {"a": 2, "b": 3}}], "finish_reason": "tool_call"},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "2", "response": "-1"}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "5"}]},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "easy"}, {"type": "text", "content": "It is 5."}]},
        {"role": "user", "parts": [{"type": "text", "content": "Thanks"}]},
    ]);
    let tools = json!([
        {"type": "function", "name": "add", "description": "adds", "parameters": schema()},
        {"type": "function", "name": "sub", "parameters": schema()},
    ]);
    Request { system: Vec::new(), tools: shape::genai::tools(&tools), messages: shape::genai::messages(messages) }
}
