//! A model that is overloaded twice and then streams its answer, recorded: three attempts of one operation, numbered, with
//! no pause in any of them.
//!
//! ```text
//! cargo run --example retries
//! ```
//!
//! Prints the attempts as the spans tell them, without one word of what was said. `OTEL_EXPORTER_OTLP_ENDPOINT` sends the
//! spans elsewhere instead.

#![allow(clippy::indexing_slicing)]

#[path = "shared/mod.rs"]
mod shared;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use shared::{telemetry::Telemetry, told};
use veilspan::Recorder;
use veilspan::record::{Fault, Operation};

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    shared::report(run())
}

fn run() -> Result<String, Box<dyn Error>> {
    let telemetry = Telemetry::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let answer = runtime.block_on(ask(telemetry.recorder()));
    answer.map_err(|_| "the model stays overloaded")?;
    telemetry.shutdown(|captured| Ok(told::runs(captured)? + &told::attempts(captured)?))
}

async fn ask(recorder: &Recorder) -> Result<String, Fault> {
    let mut turn = recorder.turn("assistant").start();
    turn.ends_rollout();
    let operation = Operation::new();
    let mut attempt = 0;
    let result = loop {
        attempt += 1;
        let call = turn
            .inference("openai", "gpt-scripted")
            .input("How warm is it?")
            .attempt_of(&operation)
            .streaming()
            .start();
        match model(attempt) {
            Ok(chunks) => {
                break call.stream(chunks).collect::<Vec<_>>().await.into_iter().collect::<Result<String, _>>();
            }
            Err(fault) => {
                call.fail_with(&fault);
                if attempt == 3 {
                    break Err(fault);
                }
                tokio::time::sleep(Duration::from_millis(20 * attempt)).await;
            }
        }
    };
    turn.finish_with(&result);
    result
}

/// A provider that has no room at first.
fn model(attempt: u64) -> Result<impl Stream<Item = Result<String, Fault>> + Unpin, Fault> {
    match attempt {
        1 | 2 => Err(Fault::new("overloaded").retryable(true)),
        _ => Ok(stream::iter(["7 ", "degrees ", "in Oslo"].map(|chunk| Ok(chunk.to_owned())))),
    }
}
