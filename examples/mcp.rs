//! An MCP client and server (rmcp), recorded: the call is told once, under the name that the server has for the tool, and
//! what the server does for it is part of the same run.
//!
//! ```text
//! cargo run --example mcp
//! ```
//!
//! Prints the spans as the traces that they make, without one word of what was said. `OTEL_EXPORTER_OTLP_ENDPOINT` sends the
//! spans elsewhere instead.

#![allow(clippy::indexing_slicing)]

#[path = "shared/mod.rs"]
mod shared;

use std::error::Error;
use std::process::ExitCode;

use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceError, ServiceExt};
use serde_json::json;
use shared::{telemetry::Telemetry, told};
use veilspan::Recorder;
use veilspan::record::Fault;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    shared::report(run())
}

fn run() -> Result<String, Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(ask(telemetry.recorder()))?;
    drop(runtime);
    telemetry.shutdown(told::traces)
}

async fn ask(recorder: &Recorder) -> Result<(), Box<dyn Error>> {
    let (near, far) = tokio::io::duplex(4096);
    let server = tokio::spawn(Weather { recorder: recorder.clone() }.serve(far));
    let client = ().serve(near).await?;
    let mut turn = recorder.turn("assistant").start();
    let arguments = json!({ "city": "Oslo" });
    let answer = turn.dispatch("weather", "temperature").call_id("call_1").arguments(arguments.to_string());
    let answer = answer.run(async |meta| {
        let mut request = CallToolRequestParams::new("temperature").with_arguments(as_object(&arguments));
        request.meta = Some(meta.into());
        client.call_tool(request).await.map(|result| text(&result)).map_err(|error| Fault::new(class(&error)))
    });
    let answer = answer.await.map_err(|_| "the server did not answer")?;
    turn.inference("openai", "gpt-scripted").input(answer).start().finish();
    turn.ends_rollout();
    turn.finish();
    client.cancel().await?;
    server.await??.cancel().await?;
    Ok(())
}

/// The server, in a process of its own as a rule. It looks the temperature up where it has it.
struct Weather {
    recorder: Recorder,
}

impl ServerHandler for Weather {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let around = self.recorder.extract_meta(&context.meta);
        let found = around.in_scope(|| {
            let mut search = Recorder::current().retrieval("stations").query("temperature in Oslo").start();
            search.document("7 degrees in Oslo");
            search.finish();
            "7 degrees in Oslo"
        });
        Ok(CallToolResult::success(vec![ContentBlock::text(found)]).into())
    }
}

fn as_object(value: &serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    value.as_object().cloned().unwrap_or_default()
}

fn text(result: &CallToolResult) -> String {
    result.content.iter().filter_map(|block| block.as_text()).map(|text| text.text.as_str()).collect()
}

fn class(error: &ServiceError) -> &'static str {
    match error {
        ServiceError::McpError(_) => "mcp_error",
        _ => "mcp_transport",
    }
}
