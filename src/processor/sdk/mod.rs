//! The policy in an `SdkTracerProvider` that is already there.
//!
//! ```text
//! SdkTracerProvider ─▶ BatchSpanProcessor ─▶ RedactingExporter ─▶ opentelemetry_otlp::SpanExporter
//!                  ├─▶ RedactingProcessor ─▶ any SpanProcessor
//!                  ├─▶ ReducingProcessor ─▶ any SpanProcessor
//!                  └─▶ ReplayProcessor ─▶ any SpanProcessor
//! ```
//!
//! Promises of a GenAI span what the [stage](super::privacy) promises, by the same rules: a span is written as the message
//! that the rules judge, and what they changed is read back. All other spans pass as they are. The resource is given
//! before there is any span, so that it is veiled in any case.
//!
//! Costs a look at the keys of each span, and of a GenAI span one message and what is hashed. The SDK's processors are
//! siblings with copies of their own: register the wrapper alone, since nothing that stands beside it is veiled.

mod attributes;
mod decode;
mod encode;
mod exporter;
mod following;
mod otlp;
mod processor;
mod redaction;

pub use exporter::RedactingExporter;
pub use following::{Compared, Reduced, ReducingProcessor, ReplayProcessor};
pub use otlp::{SdkExporterError, sdk_exporter};
pub use processor::RedactingProcessor;
pub use redaction::{PolicyHandle, RedactionCounts};
