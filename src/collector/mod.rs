//! The stage between two pipelines of an OpenTelemetry Collector: OTLP in, processors, OTLP out.
//!
//! ```text
//! request ─▶ listen ─▶ gate ─▶ privacy ─▶ exporters ─▶ answer
//!                                 └─▶ reduce, replay ─▶ added spans ─▶ queue ─▶ exporters
//!                                                   └─▶ findings ─▶ queue ─▶ exporters of logs
//! ```
//!
//! Promises that one request in becomes one request out, and that its answer waits for the next hop's; that what nobody
//! touches keeps its bytes; that a span which cannot be read is refused alone; that nothing which stores, logs or exports
//! comes before `privacy`, unless a pipeline says so by name; and that spans of the stage's own delay no answer. Holds no
//! request after its answer. Leaves durable queues to the Collectors on both sides.

mod capture;
mod config;
mod following;
mod forward;
mod health;
mod input_log;
mod listen;
mod output;
pub(crate) mod recordings;
mod resources;
mod rollouts;
mod stage;
mod tasks;
mod telemetry;
mod watch;

pub use capture::Capture;
pub use config::{
    Config, ConfigError, Exporter, ExporterKind, FileConfig, InputLogConfig, Listen, Pipeline, Processor, Receiver,
    ReplayConfig, RolloutsConfig, ServerTls, Token, Variables,
};
#[cfg(feature = "cli")]
pub(crate) use output::Lines;
pub use recordings::RecordingsError;
pub use stage::{Left, Stage, StageBuilder, StageError};
