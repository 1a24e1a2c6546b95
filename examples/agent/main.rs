//! A small agent that is recorded: it asks a model, runs the tools that the model wants, and answers.
//!
//! ```text
//! cargo run --example agent [QUESTION...]
//! ```
//!
//! Each question is one turn. By default the model is a scripted server that this program starts itself, and the spans go
//! to a collector stage in this process; then the run is printed as a tree, without one word of what was said.
//! `OPENAI_BASE_URL`, `OPENAI_API_KEY` and `OPENAI_MODEL` point it at a real model; `OTEL_EXPORTER_OTLP_ENDPOINT` sends the
//! spans elsewhere instead. `AGENT_DEGREES` changes what the tool for temperatures answers.

#![allow(clippy::indexing_slicing)]

mod agent;
mod model;
#[path = "../shared/mod.rs"]
mod shared;
mod tools;

use std::error::Error;
use std::process::ExitCode;

use agent::Agent;
use model::Model;
use shared::telemetry::Telemetry;
use shared::told;

const QUESTIONS: [&str; 2] = ["What is 17 plus 25, and how warm is it in Oslo?", "And what is that sum times two?"];

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    shared::report(run())
}

fn run() -> Result<String, Box<dyn Error>> {
    let mut questions: Vec<String> = std::env::args().skip(1).collect();
    if questions.is_empty() {
        questions = QUESTIONS.map(str::to_owned).into();
    }
    let telemetry = Telemetry::start()?;
    let model = Model::from_env_or_scripted()?;
    let mut agent = Agent::new(telemetry.recorder(), &model);
    let last = questions.len() - 1;
    for (place, question) in questions.iter().enumerate() {
        agent.answer(question, place == last)?;
    }
    telemetry.shutdown(told::runs)
}
