//! A scripted stand-in for a model: the real protocol, on a port of its own, answering by rules.

use std::error::Error;
use std::net::TcpListener;

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

/// Starts it on a free port of 127.0.0.1 and answers its base URL. It stops with the process.
pub(crate) fn start() -> Result<String, Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let url = format!("http://{}/v1", listener.local_addr()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let serve = move || {
        runtime.block_on(async {
            let app = Router::new().route("/v1/chat/completions", post(complete));
            let served = async { axum::serve(tokio::net::TcpListener::from_std(listener)?, app).await };
            if let Err(error) = served.await {
                tracing::error!(%error, "the scripted model stopped");
            }
        });
    };
    std::thread::Builder::new().name("scripted-model".to_owned()).spawn(serve)?;
    Ok(url)
}

async fn complete(Json(request): Json<Value>) -> Json<Value> {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words: usize = messages.iter().map(|message| message.to_string().len() / 4).sum();
    let message = next_message(messages);
    let finish_reason = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
    let answered = message.to_string().len() / 4;
    Json(json!({
        "id": format!("chatcmpl-{:04}", messages.len()),
        "object": "chat.completion",
        "model": format!("{}-2026-11", request["model"].as_str().unwrap_or_default()),
        "choices": [{ "index": 0, "message": message, "finish_reason": finish_reason }],
        "usage": { "prompt_tokens": words, "completion_tokens": answered, "total_tokens": words + answered },
    }))
}

/// Calls tools after a question, and answers after their results.
fn next_message(messages: &[Value]) -> Value {
    let Some(last) = messages.last() else { return json!({ "role": "assistant", "content": "Hello." }) };
    if last["role"] == "tool" {
        let asked = messages.iter().rposition(|message| message["role"] == "user").unwrap_or_default();
        let results: Vec<&str> = messages
            .iter()
            .skip(asked)
            .filter(|message| message["role"] == "tool")
            .filter_map(|message| message["content"].as_str())
            .collect();
        return json!({ "role": "assistant", "content": format!("Here is what I found: {}.", results.join("; ")) });
    }
    let question = last["content"].as_str().unwrap_or_default();
    let call = |id: &str, name: &str, arguments: Value| {
        let function = json!({ "name": name, "arguments": arguments.to_string() });
        json!({ "id": id, "type": "function", "function": function })
    };
    let calls = if question.contains("times") {
        json!([call("call_1", "multiply", json!({ "a": 42, "b": 2 }))])
    } else {
        let sum = call("call_1", "add", json!({ "a": 17, "b": 25 }));
        json!([sum, call("call_2", "temperature", json!({ "city": "Oslo" }))])
    };
    json!({ "role": "assistant", "content": null, "tool_calls": calls })
}
