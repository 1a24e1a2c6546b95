//! A tool call that a person has to approve, recorded over two lives of a process: the first one asks and ends, the second
//! one has the answer and goes on with the same turn.
//!
//! ```text
//! cargo run --example approval
//! ```
//!
//! Prints the run as the spans tell it, without one word of what was said. `OTEL_EXPORTER_OTLP_ENDPOINT` sends the spans
//! elsewhere instead.

#![allow(clippy::indexing_slicing)]

#[path = "shared/mod.rs"]
mod shared;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use shared::{telemetry::Telemetry, told};
use veilspan::Recorder;
use veilspan::record::Ticket;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    shared::report(run())
}

fn run() -> Result<String, Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    // What the application keeps with the conversation while nobody is there.
    let kept: String = ask(telemetry.recorder());
    std::thread::sleep(Duration::from_millis(50));
    go_on(telemetry.recorder(), &kept)?;
    telemetry.shutdown(told::runs)
}

/// The turn up to the wait. Nothing stays open for it.
fn ask(recorder: &Recorder) -> String {
    let turn = recorder.turn("shop").conversation("chat-4711").start();
    turn.inference("openai", "gpt-scripted").input("Please pay the invoice.").start().finish();
    let ticket = turn.ticket("pay", 0);
    turn.wait();
    ticket.to_token()
}

/// The turn from the decision on.
fn go_on(recorder: &Recorder, kept: &str) -> Result<(), Box<dyn Error>> {
    let ticket = Ticket::from_token(kept)?;
    let mut approval = recorder.approval_of(&ticket).question("Here is what would be paid.").start();
    approval.comment("fine with me");
    approval.approved();

    let mut turn = recorder.turn("shop").resume_after(&ticket).start();
    let mut tool = turn.tool("pay").arguments(r#"{"invoice":7}"#).requested_by_model().start();
    tool.result("paid");
    tool.finish();
    turn.inference("openai", "gpt-scripted").input("paid").start().finish();
    turn.ends_rollout();
    turn.finish();
    Ok(())
}
