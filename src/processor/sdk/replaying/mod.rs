//! Runs held against their baselines in an `SdkTracerProvider`, as their spans end.
//!
//! ```text
//! ended span ─ policy ─▶ next processor
//!                └─ bytes ─ queue ─▶ a thread of ours: compare ─▶ a span with findings ─▶ next processor
//! ```
//!
//! Promises that ended spans are handed on at once and never wait for a comparison, and that findings hold digests, checked
//! labels and numbers alone. The queue is bounded in bytes, as that of reduction is.

mod processor;
mod worker;

pub use processor::{Compared, ReplayProcessor};
