//! Reduction while the run goes on: what closes when, what is said then, and within which bounds.
//!
//! ```text
//! event ──▶ route ──▶ live facts ── late_grace, idle, eviction ──▶ closed: spans, findings ──▶ tombstone ──▶ forgotten
//!                └──▶ facts of a tombstone ── late_grace ──▶ summary of the next revision
//! ```
//!
//! Promises that nothing is told twice, that memory stays within [`Limits`], and that each bound is counted. An event
//! costs O(log n) in all that is open, amortised: a derivation is paid by the events of what closes. Time comes in
//! with each call and never steps back.

mod clock;
mod closing;
mod deadlines;
mod effect;
mod generations;
mod ids;
mod limits;
mod observe;
mod pressure;
mod reducer;
mod shutdown;
mod slot;
mod span;
mod summary;
mod synthesis;
mod tenants;

pub use effect::{ClosedRollout, Counter, Effect, RolloutFinding};
#[cfg(feature = "collector")]
pub(crate) use generations::GoesOn;
pub use limits::{Limits, Pressure};
pub use reducer::Reducer;
pub use span::{SynthEvent, SynthSpan};
