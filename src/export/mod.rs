//! From records to an OpenTelemetry Collector: encoded once, batched as bytes, sent over gRPC or HTTP from a
//! thread of our own.
//!
//! Promises that a record is encoded once, on the pipeline's thread, and is bytes from there on; that a peer which stalls,
//! refuses or is not there costs memory, or disk, up to a bound and nothing else; and that every span is sent, or counted by
//! the reason of its loss. Delivery is at least once: a request without an answer is sent again, byte for byte. What waits in
//! memory is lost with the process; what waits in the `spool` is sent by the next one.
//!
//! ```text
//! record ── encode ──▶ Outbox (memory) ─┐
//!                 └──▶ Spool (disk) ────┴─ Queue ──▶ Io: window, verdict, backoff, pace ──▶ Peer (gRPC, HTTP)
//! ```

mod barrier;
mod batch;
mod config;
mod envelope;
mod exporter;
mod forms;
mod from_environment;
mod init;
mod io;
#[cfg(test)]
mod io_tests;
mod layered;
mod limits;
#[cfg(feature = "sdk")]
mod metrics;
mod outage_log;
mod outbox;
mod pace;
mod peer;
mod queue;
mod recorder;
mod retry;
mod sender;
mod spool;
mod startup;
mod stderr;
#[cfg(feature = "sdk")]
pub(crate) mod upstream;
mod verdict;

pub use config::{
    Compression, ExporterConfig, ExporterError, MetricsConfig, Protocol, SpoolConfig, SpoolWait, TlsFiles,
};
pub use exporter::Exporter;
pub use init::{Guard, InitError, init};
pub use layered::layer;
pub use spool::{Fsync, SpoolError};

#[doc(hidden)]
pub mod untrusted {
    //! For fuzzing.
    pub use super::spool::untrusted::{Reading, read};
}

#[cfg(feature = "sdk")]
pub(crate) use startup::Startup;
#[cfg(feature = "collector")]
pub(crate) use {envelope::Envelope, sender::Sender};
#[cfg(feature = "collector")]
pub(crate) use {spool::Claim, spool::log as segment_log};
