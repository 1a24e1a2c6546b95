//! An agent of rig's, with a tool, asked twice: once for an answer as a whole, once for a streamed one. rig makes `tracing`
//! spans; one layer turns them into calls.
//!
//! ```text
//! cargo run --example rig
//! ```
//!
//! The model is a scripted server that this program starts itself. Prints the runs as they left, without one word of what
//! was said; `OTEL_EXPORTER_OTLP_ENDPOINT` sends the spans elsewhere instead.

#[path = "shared/mod.rs"]
mod shared;

use std::convert::Infallible;
use std::error::Error;
use std::process::ExitCode;

use futures_util::StreamExt;
use rig::Agent;
use rig::agent::MultiTurnStreamItem;
use rig::prelude::*;
use rig::providers::openai::{OpenAIConfig, Route};
use serde::Deserialize;
use serde_json::{Value, json};
use shared::telemetry::Telemetry;
use shared::{scripted, told};
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
        // This line is all that rig needs.
        .with(telemetry.recorder().layer())
        .init();
    let agent = agent(&scripted::unless_set()?);
    agent.prompt("How warm is it in Oslo?").await?;
    let mut answer = agent.prompt("And how warm is it there now?").stream();
    while let Some(item) = answer.next().await {
        if let MultiTurnStreamItem::FinalResponse(_) = item? {
            break;
        }
    }
    drop((answer, agent));
    tokio::task::spawn_blocking(move || telemetry.shutdown(told::runs).map_err(|error| error.to_string()))
        .await?
        .map_err(Into::into)
}

fn agent(base_url: &str) -> Agent {
    let openai = OpenAIConfig::new("no key").with_base_url(base_url).with_route(Route::Chat).client();
    AgentBuilder::new(openai.completion(scripted::MODEL))
        .name("weather")
        .preamble("You are careful. Look it up.")
        .tool(Temperature)
        .default_max_turns(4)
        // What is recorded is what digests are made of; what leaves is the policy's.
        .record_content_telemetry(true)
        .build()
}

struct Temperature;

#[derive(Deserialize)]
struct Place {
    city: String,
}

impl PortableTool for Temperature {
    const NAME: &'static str = "temperature";
    type Args = Place;
    type Output = String;
    type Error = Infallible;

    fn description(&self) -> String {
        "The temperature in a city.".to_owned()
    }

    fn parameters(&self) -> Value {
        json!({ "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"] })
    }

    async fn call(&self, Place { city }: Place) -> Result<String, Infallible> {
        // Close enough for a city that nobody will visit.
        let degrees = city.bytes().map(u32::from).sum::<u32>() % 30;
        Ok(format!("{degrees} degrees in {city}"))
    }
}
