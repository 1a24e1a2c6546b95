//! Reduction in an `SdkTracerProvider`: what the stage adds to the spans that pass it, added where they end.
//!
//! ```text
//! ended span ─ policy ─▶ next processor
//!                └─ bytes ─ queue ─▶ a thread of ours: reduce ─▶ turns, summaries ─▶ next processor
//! ```
//!
//! Promises that ended spans are handed on at once and never wait for reduction, that what is queued has passed the policy,
//! and that the same spans leave the same graph as in a stage. Costs the thread that ends a span what the policy costs it,
//! and one lock. The queue is bounded in bytes: over the bound a span is handed on and not reduced, and that is counted.
//! Without a thread, which a host may refuse, spans are reduced where they end.

mod added;
mod counts;
mod processor;
mod queue;
mod reduction;
mod worker;

pub(super) use added::{sdk_value, span_data};
pub use counts::ReductionCounts;
pub use processor::ReducingProcessor;
pub(super) use queue::{Job, Pushed, Queue};
pub use reduction::Reduced;
