//! The stage between two pipelines of an OpenTelemetry Collector: OTLP gRPC in, processors, OTLP gRPC out.
//!
//! ```text
//! request ─▶ server ─▶ privacy ─▶ next hop ─▶ answer
//!                         └─▶ reduce ─▶ added spans ─▶ queue ─▶ next hop
//! ```
//!
//! Promises that one request in becomes one request out, and that its answer waits for the next hop's; that what nobody
//! touches keeps its bytes; that a span which cannot be read is refused alone; and that spans of the stage's own delay no
//! answer. Holds no request after its answer. Leaves durable queues to the Collectors on both sides.

mod capture;
mod config;
mod forward;
mod output;
mod reduction;
mod stage;
mod substitute;

pub use capture::Capture;
pub use config::{Config, ConfigError, Processor};
pub use stage::{Left, Stage, StageBuilder, StageError};
pub use substitute::Variables;
