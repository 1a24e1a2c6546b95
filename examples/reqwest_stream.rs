//! A streamed answer read with reqwest alone, by a service that speaks the model's protocol itself: the recorder is told of
//! the call, and the stream tells of itself.
//!
//! ```text
//! cargo run --example reqwest_stream [QUESTION]
//! ```
//!
//! The model is a scripted server that this program starts itself, or the one that `OPENAI_BASE_URL` names. Prints the run
//! as it left, without one word of what was said; `OTEL_EXPORTER_OTLP_ENDPOINT` sends the spans elsewhere instead.

#![allow(clippy::indexing_slicing)]

#[path = "shared/mod.rs"]
mod shared;

use std::error::Error;
use std::pin::pin;
use std::process::ExitCode;

use futures_util::{Stream, TryStreamExt, stream};
use serde_json::{Value, json};
use shared::telemetry::Telemetry;
use shared::{scripted, told};
use veilspan::record::{Chunk, Fault, Inference, Turn};

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    shared::report(run().await)
}

async fn run() -> Result<String, Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    let url = format!("{}/chat/completions", scripted::unless_set()?);
    let question = std::env::args().nth(1).unwrap_or_else(|| "How warm is it in Oslo?".to_owned());
    let mut turn = telemetry.recorder().turn("assistant").start();
    turn.ends_rollout();
    let answer = ask(&turn, &url, &question).await;
    turn.finish_with(&answer);
    answer.map_err(|_| "the model gave no answer")?;
    let shut_down = move || telemetry.shutdown(told::runs).map_err(|error| error.to_string());
    Ok(tokio::task::spawn_blocking(shut_down).await??)
}

/// Asks, and puts the answer together as it comes.
async fn ask(turn: &Turn, url: &str, question: &str) -> Result<String, Fault> {
    let body = json!({
        "model": scripted::MODEL,
        "messages": [{ "role": "user", "content": question }],
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    let mut call = turn.inference("openai", scripted::MODEL).input(&body).streaming().start();
    let request = async { reqwest::Client::new().post(url).json(&body).send().await?.error_for_status() };
    let response = match call.observe(request).await {
        Ok(response) => response,
        Err(error) => {
            let error = fault(&error);
            call.fail_with(&error);
            return Err(error);
        }
    };
    let mut events = pin!(call.stream(events(response)));
    let mut answer = String::new();
    while let Some(Event(event)) = events.try_next().await? {
        answer.push_str(event["choices"][0]["delta"]["content"].as_str().unwrap_or_default());
    }
    Ok(answer)
}

/// What went wrong, without a word of the other side's.
fn fault(error: &reqwest::Error) -> Fault {
    match error.status() {
        Some(status) => Fault::new(status.as_str().to_owned()),
        None if error.is_connect() => Fault::new("connect").retryable(true),
        None => Fault::new("transport"),
    }
}

/// One event of a streamed chat completion.
struct Event(Value);

impl Chunk for Event {
    fn record(&self, inference: &mut Inference) {
        let Self(event) = self;
        if let (Some(id), Some(model)) = (event["id"].as_str(), event["model"].as_str()) {
            inference.response_id(id).response_model(model);
        }
        let choice = &event["choices"][0];
        if let Some(text) = choice["delta"]["content"].as_str() {
            inference.output_more(text);
        }
        if let Some(reason) = choice["finish_reason"].as_str() {
            inference.finish_reason(reason);
        }
        let tokens = |key: &str| event["usage"][key].as_u64();
        if let (Some(input), Some(output)) = (tokens("prompt_tokens"), tokens("completion_tokens")) {
            inference.tokens(input, output);
        }
    }
}

/// The server-sent events of a response, each where its empty line comes.
fn events(response: reqwest::Response) -> impl Stream<Item = Result<Event, Fault>> {
    stream::try_unfold((response, Vec::new()), |(mut response, mut held): (_, Vec<u8>)| async move {
        loop {
            if let Some(end) = held.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = held.drain(..end + 2).collect();
                let Some(data) = event.strip_prefix(b"data: ") else { continue };
                if data.starts_with(b"[DONE]") {
                    return Ok(None);
                }
                let event = serde_json::from_slice(data).map_err(|_| Fault::new("not_json"))?;
                return Ok(Some((Event(event), (response, held))));
            }
            match response.chunk().await.map_err(|error| fault(&error))? {
                Some(bytes) => held.extend_from_slice(&bytes),
                None => return Err(Fault::new("cut_off")),
            }
        }
    })
}
