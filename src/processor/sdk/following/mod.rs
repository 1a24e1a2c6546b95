//! What follows from spans, in an `SdkTracerProvider`: what the stage adds to the spans that pass it, added where they end.
//!
//! ```text
//! ended span ─ policy ─▶ next processor
//!                └─ bytes ─ queue ─▶ a thread of ours: reduce, compare ─▶ turns, summaries, drift ─▶ next processor
//!                                                                    └─▶ findings ─▶ the host's logger, if it gives one
//! ```
//!
//! Promises that ended spans are handed on at once and never wait for what follows, that what is queued has passed the
//! policy, and that the same spans leave the same graph as in a stage. Costs the thread that ends a span what the policy
//! costs it, and one lock. The queue is bounded in bytes: over the bound a span is handed on, nothing follows from it, and
//! that is counted. Without a thread, which a host may refuse, all of it is done where spans end.

mod added;
mod alike;
mod followed;
mod outlets;
mod queue;
mod reducing;
mod replaying;
mod worker;
mod wrapped;

pub use reducing::{Reduced, ReducingProcessor};
pub use replaying::{Compared, ReplayProcessor};
