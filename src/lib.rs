//! Record, reduce and replay LLM-agent runs over OpenTelemetry, without leaking what was said.

pub mod event;
pub mod reduce;
pub mod semconv;
