//! Several agents with a hand-over, recorded: one asks two others at once, each on a thread of its own, and hands the
//! conversation over to a third.
//!
//! ```text
//! cargo run --example handover
//! ```
//!
//! Prints the run as the spans tell it, without one word of what was said. `OTEL_EXPORTER_OTLP_ENDPOINT` sends the spans
//! elsewhere instead.

#![allow(clippy::indexing_slicing)]

#[path = "shared/mod.rs"]
mod shared;

use std::convert::Infallible;
use std::error::Error;
use std::process::ExitCode;

use shared::{telemetry::Telemetry, told};
use veilspan::Recorder;
use veilspan::event::EdgeKind;
use veilspan::record::{CallRef, Context};

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    shared::report(run())
}

fn run() -> Result<String, Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    let recorder = telemetry.recorder().clone();
    let (asked, rollout) = triage(&recorder)?;
    billing(&recorder, &asked, &rollout);
    telemetry.shutdown(told::runs)
}

/// The first agent: asks two others beside each other, and decides who goes on.
fn triage(recorder: &Recorder) -> Result<(CallRef, String), Box<dyn Error>> {
    let turn = recorder.turn("triage").start();
    let answers = turn.in_scope(|| -> Result<_, Box<dyn Error>> {
        let around = Context::current();
        let threads = ["invoices", "contracts"].map(|expert| {
            let around = around.clone();
            std::thread::spawn(move || around.in_scope(|| consult(expert)))
        });
        threads.into_iter().map(|thread| thread.join().map_err(|_| "an expert panicked".into())).collect()
    });
    let answers: Vec<String> = answers?;
    turn.decision("hand over to billing").confidence(0.9).alternative("answer at once").record();
    answer("triage", &answers.join(" "));
    let rollout = turn.scope().map(|scope| scope.rollout.to_string()).unwrap_or_default();
    let asked = turn.reference();
    turn.finish();
    Ok((asked, rollout))
}

/// Another agent as a tool: its turn is part of the tool call, in the same rollout, with a thread of its own.
fn consult(expert: &str) -> String {
    let mut tool = Recorder::current().tool("consult").arguments(format!(r#"{{"expert":"{expert}"}}"#)).start();
    let said = tool.in_scope(|| {
        let turn = Recorder::current().turn(expert).start();
        let said = turn.in_scope(|| answer(expert, "What do you know of the case?"));
        turn.finish();
        said
    });
    tool.result(said.as_str());
    tool.finish();
    said
}

/// The agent that takes over: a turn of its own, which the first one's task led to.
fn billing(recorder: &Recorder, from: &CallRef, rollout: &str) {
    let mut turn = recorder
        .turn("billing")
        .rollout(rollout)
        .thread("billing")
        .turn_id("billing-1")
        .follows(from, EdgeKind::Task)
        .start();
    turn.in_scope(|| answer("billing", "Please take over."));
    turn.ends_rollout();
    turn.finish();
}

/// A model, as far as this example needs one.
fn answer(agent: &str, question: &str) -> String {
    let call = Recorder::current().inference("openai", "gpt-scripted").input(question).start();
    let answer = model(agent);
    call.finish_with(&answer);
    answer.unwrap_or_default()
}

fn model(agent: &str) -> Result<String, Infallible> {
    Ok(format!("Here is what {agent} knows."))
}
