//! Record, reduce and replay LLM-agent runs over OpenTelemetry, without leaking what was said.

pub mod environment;
pub mod event;
pub mod export;
pub mod intake;
pub mod otlp;
pub mod privacy;
pub mod record;
pub mod reduce;
pub mod semconv;
pub mod testing;

pub use intake::Sink;
pub use privacy::Policy;
pub use record::Recorder;
