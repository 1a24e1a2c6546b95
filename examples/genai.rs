//! A model asked through genai, with a tool and then streamed. genai makes a `tracing` span for each request, and has
//! helpers for those of agents and tools; one layer turns them all into calls.
//!
//! ```text
//! OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true cargo run --example genai
//! ```
//!
//! Without that variable genai keeps content out of its spans, and no digests can be made of it. The model is a scripted
//! server that this program starts itself. Prints the run as it left, without one word of what was said;
//! `OTEL_EXPORTER_OTLP_ENDPOINT` sends the spans elsewhere instead.

#![allow(clippy::indexing_slicing)]

#[path = "shared/mod.rs"]
mod shared;

use std::error::Error;
use std::process::ExitCode;

use futures_util::TryStreamExt;
use genai::Client;
use genai::chat::{ChatMessage, ChatOptions, ChatRequest, Tool, ToolCall, ToolResponse};
use genai::otel::agent::{AgentSpan, ExecuteToolSpan, execute_tool_span};
use serde_json::json;
use shared::telemetry::Telemetry;
use shared::{genai_client, scripted, told};
use tracing::Instrument;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> ExitCode {
    shared::report(run().await)
}

async fn run() -> Result<String, Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(LevelFilter::WARN))
        // This line is all that genai needs.
        .with(telemetry.recorder().layer())
        .init();
    let client = genai_client::asking(scripted::unless_set()?)?;
    let turn = AgentSpan::invoke_agent().internal().with_name("weather").start();
    converse(&client).instrument(turn).await?;
    tokio::task::spawn_blocking(move || telemetry.shutdown(told::runs).map_err(|error| error.to_string()))
        .await?
        .map_err(Into::into)
}

async fn converse(client: &Client) -> Result<(), genai::Error> {
    let tool = Tool::new("temperature")
        .with_description("The temperature in a city.")
        .with_schema(json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] }));
    let options = ChatOptions::default().with_temperature(0.5).with_max_tokens(64);
    let request = ChatRequest::from_system("You are careful.")
        .with_tools([tool])
        .append_message(ChatMessage::user("How warm is it in Oslo?"));
    let calls = client.exec_chat(scripted::MODEL, request.clone(), Some(&options)).await?.into_tool_calls();
    let results: Vec<ToolResponse> = calls.iter().map(run_tool).collect();
    let mut request = request.append_message(calls);
    for result in results {
        request = request.append_message(result);
    }
    // Streamed, genai captures what its span is told only where it is asked to.
    let options = options.with_capture_usage(true).with_capture_content(true);
    let answer = client.exec_chat_stream(scripted::MODEL, request, Some(&options)).await?;
    answer.stream.try_for_each(|_| async { Ok(()) }).await
}

fn run_tool(call: &ToolCall) -> ToolResponse {
    let span = execute_tool_span(call);
    span.in_scope(|| {
        let city = call.fn_arguments["city"].as_str().unwrap_or_default();
        let degrees = city.bytes().map(u32::from).sum::<u32>() % 30;
        let result = format!("{degrees} degrees in {city}");
        ExecuteToolSpan::record_result(&span, &result);
        ToolResponse::new(call.call_id.clone(), result)
    })
}
