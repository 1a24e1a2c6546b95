//! An HTTP service whose handler asks a model and calls a second service, traced by tracing-opentelemetry and by the layer,
//! side by side: one trace from the client to the second service, each call in it once.
//!
//! ```text
//! OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true cargo run --example axum [QUESTION]
//! ```
//!
//! Both services and the client are in this program, which ends by itself. The model is a scripted server that it starts
//! too, or the one that `OPENAI_BASE_URL` names. Prints the trace as it left; `OTEL_EXPORTER_OTLP_ENDPOINT` sends the spans
//! elsewhere instead.

#![allow(clippy::indexing_slicing)]

#[path = "shared/mod.rs"]
mod shared;

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::post;
use axum::{Json, Router};
use genai::Client;
use genai::chat::{ChatMessage, ChatRequest, Tool, ToolCall, ToolResponse};
use genai::otel::agent::{AgentSpan, ExecuteToolSpan, execute_tool_span};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::WithExportConfig;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};
use shared::telemetry::Telemetry;
use shared::{genai_client, scripted, told};
use tracing::{Instrument, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::filter::{FilterExt, LevelFilter};
use tracing_subscriber::prelude::*;
use veilspan::layer::others;

#[tokio::main]
async fn main() -> ExitCode {
    shared::report(run().await)
}

async fn run() -> Result<String, Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    let provider = provider(telemetry.endpoint())?;
    // GenAI spans are the layer's, all others are the other layer's.
    let theirs = tracing_opentelemetry::layer().with_tracer(provider.tracer("axum"));
    tracing_subscriber::registry()
        .with(theirs.with_filter(others().and(LevelFilter::INFO)))
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_filter(LevelFilter::WARN))
        .with(telemetry.recorder().layer())
        .init();

    let weather = serve(Router::new().route("/temperature", post(temperature))).await?;
    let assistant = Assistant { model: genai_client::asking(scripted::unless_set()?)?, weather };
    let assistant = serve(Router::new().route("/ask", post(ask)).with_state(assistant)).await?;
    let question = std::env::args().nth(1).unwrap_or_else(|| "How warm is it in Oslo?".to_owned());
    call(&format!("{assistant}/ask"), &json!({ "question": question })).await?;

    let shut_down = move || {
        provider.shutdown().map_err(|error| error.to_string())?;
        telemetry.shutdown(told::traces).map_err(|error| error.to_string())
    };
    Ok(tokio::task::spawn_blocking(shut_down).await??)
}

fn provider(endpoint: Option<String>) -> Result<SdkTracerProvider, Box<dyn Error>> {
    let exporter = opentelemetry_otlp::SpanExporter::builder().with_tonic();
    let exporter = match endpoint {
        Some(endpoint) => exporter.with_endpoint(endpoint).build()?,
        None => exporter.build()?,
    };
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).build())
}

/// Serves on a free port of 127.0.0.1, each request in a span of the caller's trace.
async fn serve(routes: Router) -> Result<String, Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    let served = axum::serve(listener, routes.layer(from_fn(traced))).into_future();
    tokio::spawn(async {
        if let Err(error) = served.await {
            tracing::error!(%error, "a service stopped");
        }
    });
    Ok(url)
}

async fn traced(request: Request, next: Next) -> Response {
    let headers = request.headers().iter();
    let carrier: HashMap<String, String> =
        headers.filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect();
    let name = format!("{} {}", request.method(), request.uri().path());
    let span = info_span!("request", otel.name = name, otel.kind = "server");
    // A layer that is not there takes no parent.
    let _ = span.set_parent(TraceContextPropagator::new().extract(&carrier));
    next.run(request).instrument(span).await
}

/// Posts JSON, in a span that the other side's is a child of.
async fn call(url: &str, body: &Value) -> Result<Value, reqwest::Error> {
    let span = info_span!("POST", otel.kind = "client");
    let answer = async {
        let mut carrier = HashMap::new();
        TraceContextPropagator::new().inject_context(&Context::current(), &mut carrier);
        let request = reqwest::Client::new().post(url).json(body);
        let request = carrier.into_iter().fold(request, |request, (name, value)| request.header(name, value));
        request.send().await?.error_for_status()?.json().await
    };
    answer.instrument(span).await
}

#[derive(Clone)]
struct Assistant {
    model: Client,
    weather: String,
}

async fn ask(State(assistant): State<Assistant>, Json(body): Json<Value>) -> Result<Json<Value>, StatusCode> {
    let question = body["question"].as_str().ok_or(StatusCode::BAD_REQUEST)?;
    let turn = AgentSpan::invoke_agent().internal().with_name("weather").start();
    let answer = assistant.answer(question).instrument(turn).await;
    let answer = answer.map_err(|error| {
        tracing::error!(%error, "no answer");
        StatusCode::BAD_GATEWAY
    })?;
    Ok(Json(json!({ "answer": answer })))
}

impl Assistant {
    async fn answer(&self, question: &str) -> Result<Option<String>, Box<dyn Error + Send + Sync>> {
        let schema = json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] });
        let tool = Tool::new("temperature").with_description("The temperature in a city.").with_schema(schema);
        let request = ChatRequest::from_user(question).with_tools([tool]);
        let calls = self.model.exec_chat(scripted::MODEL, request.clone(), None).await?.into_tool_calls();
        let mut request = request.append_message(ChatMessage::from(calls.clone()));
        for call in &calls {
            let result = self.run_tool(call).await?;
            request = request.append_message(ToolResponse::new(call.call_id.clone(), result));
        }
        Ok(self.model.exec_chat(scripted::MODEL, request, None).await?.into_first_text())
    }

    async fn run_tool(&self, tool_call: &ToolCall) -> Result<String, reqwest::Error> {
        let span = execute_tool_span(tool_call);
        let url = format!("{}/temperature", self.weather);
        let result = call(&url, &tool_call.fn_arguments).instrument(span.clone()).await?.to_string();
        ExecuteToolSpan::record_result(&span, &result);
        Ok(result)
    }
}

async fn temperature(Json(body): Json<Value>) -> Json<Value> {
    let city = body["city"].as_str().unwrap_or_default();
    Json(json!({ "degrees": city.bytes().map(u32::from).sum::<u32>() % 30 }))
}
