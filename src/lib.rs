//! Record, reduce and replay LLM-agent runs over OpenTelemetry, without leaking what was said.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "collector")]
pub mod collector;
pub mod environment;
pub mod event;
pub mod export;
pub mod intake;
pub mod otlp;
pub mod privacy;
#[cfg(feature = "collector")]
pub mod processor;
pub mod record;
pub mod reduce;
pub mod semconv;
pub mod testing;

pub use intake::Sink;
pub use privacy::Policy;
pub use record::Recorder;
