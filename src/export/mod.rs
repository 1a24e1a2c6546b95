//! From records to an OpenTelemetry Collector: encoded once, batched as bytes, sent over gRPC or HTTP from a
//! thread of our own.
//!
//! Promises that a record is encoded once, on the pipeline's thread, and is bytes from there on; that a peer which stalls,
//! refuses or is not there costs memory up to a bound and nothing else; and that every span is sent, or counted by the
//! reason of its loss. Delivery is at least once: a request without an answer is sent again, byte for byte. What waits is
//! lost with the process.

mod batch;
mod config;
mod exporter;
mod from_environment;
mod init;
mod io;
mod layered;
mod recorder;
mod retry;
mod sender;
mod startup;
mod stderr;

pub use config::{ExporterConfig, ExporterError, Protocol, TlsFiles};
pub use exporter::Exporter;
pub use init::{Guard, InitError, init};
pub use layered::layer;

#[cfg(feature = "sdk")]
pub(crate) use startup::Startup;
#[cfg(feature = "collector")]
pub(crate) use {io::Envelope, sender::Sender};
