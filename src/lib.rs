//! Record, reduce and replay LLM-agent runs over OpenTelemetry, without leaking what was said.
//!
//! ```text
//! Recorder ─▶ Event<Raw> ─ privacy ─▶ Event<Veiled> ─ otlp ─▶ bytes ─ gRPC ─▶ any OpenTelemetry Collector
//!                                          └─ reduce ─▶ Rollout: turns, inferences, tool calls, findings
//! ```
//!
//! Content as it was said and content that may leave are different types; [`privacy`] is the only way from the one to the
//! other. Begin with [`Recorder`]; the README tells what is promised.

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "collector")]
pub mod collector;
pub mod environment;
pub mod event;
pub mod export;
#[cfg(unix)]
mod folder;
#[cfg(feature = "import")]
pub mod import;
pub mod intake;
#[cfg(any(feature = "collector", feature = "import", feature = "sdk"))]
mod json;
pub mod layer;
pub mod otlp;
pub mod privacy;
#[cfg(any(feature = "collector", feature = "sdk"))]
pub mod processor;
pub mod record;
pub mod reduce;
pub mod replay;
pub mod semconv;
pub mod testing;

pub use export::{Guard, InitError, init, layer};
pub use intake::Sink;
pub use privacy::Policy;
#[cfg(feature = "sdk")]
pub use processor::sdk_exporter;
pub use record::Recorder;

#[cfg(all(doctest, feature = "sdk"))]
#[doc = include_str!("../README.md")]
struct Readme;
