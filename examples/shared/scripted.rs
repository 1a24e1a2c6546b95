//! A scripted stand-in for a model: the real protocol, streamed or not, on a port of its own, answering by rules.

use std::convert::Infallible;
use std::error::Error;
use std::net::TcpListener;

use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};

/// The name under which it is asked for.
pub(crate) const MODEL: &str = "gpt-scripted";

/// The model that `OPENAI_BASE_URL` names, or this one.
#[allow(clippy::disallowed_methods)]
pub(crate) fn unless_set() -> Result<String, Box<dyn Error>> {
    match std::env::var("OPENAI_BASE_URL").ok().filter(|url| !url.is_empty()) {
        Some(url) => Ok(url.trim_end_matches('/').to_owned()),
        None => start(),
    }
}

/// Starts it on a free port of 127.0.0.1 and answers its base URL. It stops with the process.
fn start() -> Result<String, Box<dyn Error>> {
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

async fn complete(Json(request): Json<Value>) -> Response {
    let messages = request["messages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let words: usize = messages.iter().map(|message| message.to_string().len() / 4).sum();
    let message = next_message(&request, messages);
    let finish_reason = if message["tool_calls"].is_array() { "tool_calls" } else { "stop" };
    let answered = message.to_string().len() / 4;
    let usage = json!({ "prompt_tokens": words, "completion_tokens": answered, "total_tokens": words + answered });
    let head = |object: &str| {
        json!({
            "id": format!("chatcmpl-{:04}", messages.len()),
            "object": object,
            "created": 1_790_000_000,
            "model": format!("{}-2026-11", request["model"].as_str().unwrap_or_default()),
        })
    };
    if request["stream"] != true {
        let mut answer = head("chat.completion");
        answer["choices"] = json!([{ "index": 0, "message": message, "finish_reason": finish_reason }]);
        answer["usage"] = usage;
        return Json(answer).into_response();
    }
    let mut chunks: Vec<Value> = deltas(&message)
        .into_iter()
        .map(|delta| json!([{ "index": 0, "delta": delta, "finish_reason": null }]))
        .collect();
    chunks.push(json!([{ "index": 0, "delta": {}, "finish_reason": finish_reason }]));
    let mut chunks: Vec<Value> = chunks
        .into_iter()
        .map(|choices| {
            let mut chunk = head("chat.completion.chunk");
            chunk["choices"] = choices;
            chunk
        })
        .collect();
    if request["stream_options"]["include_usage"] == true {
        let mut chunk = head("chat.completion.chunk");
        chunk["choices"] = json!([]);
        chunk["usage"] = usage;
        chunks.push(chunk);
    }
    let events = chunks.into_iter().map(|chunk| chunk.to_string()).chain(["[DONE]".to_owned()]);
    let events: Vec<_> = events.map(|data| Ok::<_, Infallible>(Event::default().data(data))).collect();
    Sse::new(stream::iter(events)).into_response()
}

/// A message in the pieces in which it is streamed: words or calls, the first of which says whose they are.
fn deltas(message: &Value) -> Vec<Value> {
    let words = message["content"].as_str().unwrap_or_default().split_inclusive(' ');
    let words = words.map(|word| json!({ "content": word }));
    let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
    let calls = calls.iter().enumerate().map(|(index, call)| {
        let mut call = call.clone();
        call["index"] = json!(index);
        json!({ "tool_calls": [call] })
    });
    let mut deltas: Vec<Value> = words.chain(calls).collect();
    if let Some(first) = deltas.first_mut() {
        first["role"] = json!("assistant");
    }
    deltas
}

/// Calls those of its tools that it is offered after a question, and answers after their results.
fn next_message(request: &Value, messages: &[Value]) -> Value {
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
    let wanted = if question.contains("times") {
        vec![("multiply", json!({ "a": 42, "b": 2 }))]
    } else {
        vec![("add", json!({ "a": 17, "b": 25 })), ("temperature", json!({ "city": "Oslo" }))]
    };
    let tools = request["tools"].as_array().map(Vec::as_slice).unwrap_or_default();
    let is_offered = |name: &str| tools.iter().any(|tool| tool["function"]["name"] == name);
    let calls: Vec<Value> = wanted
        .into_iter()
        .filter(|(name, _)| is_offered(name))
        .enumerate()
        .map(|(index, (name, arguments))| {
            let function = json!({ "name": name, "arguments": arguments.to_string() });
            json!({ "id": format!("call_{}", index + 1), "type": "function", "function": function })
        })
        .collect();
    if calls.is_empty() {
        return json!({ "role": "assistant", "content": "I would rather talk about the weather." });
    }
    json!({ "role": "assistant", "content": null, "tool_calls": calls })
}
