//! One model call, told of in four lines more than it takes without.
//!
//! ```sh
//! OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317 cargo run --example four_lines
//! ```
//!
//! sends one span, `chat gpt-x`, with digests in the place of what was said. Where nobody listens the call is made all the
//! same, and the process ends after the five seconds that a guard waits at the most.

use serde_json::{Value, json};

fn main() -> Result<(), veilspan::InitError> {
    let guard = veilspan::init()?; //                                                        1
    let recorder = guard.recorder(); //                                                      2
    let messages = json!([{ "role": "user", "content": "How warm is it in Oslo?" }]);

    let call = recorder.inference("openai", "gpt-x").input(&messages).start(); //            3
    let answer = chat(&messages);
    call.finish_with(&answer); //                                                            4
    Ok(())
}

/// Where a client would ask a model.
fn chat(_messages: &Value) -> Result<Value, std::io::Error> {
    Ok(json!({
        "model": "gpt-x-2026",
        "choices": [{ "message": { "role": "assistant", "content": "7 degrees" }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 14, "completion_tokens": 3 },
    }))
}
