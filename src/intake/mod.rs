//! The queue between a caller and the pipeline: where raw content waits, and the thread that makes it safe.
//!
//! ```text
//! caller's thread ── Event<Raw> or Whole ──▶ queue ──▶ pipeline's thread: Veil ──▶ Sink
//! ```
//!
//! Promises that a caller never waits: an event is moved to a free place, and at the most one thread is woken. Memory is
//! bounded in bytes and in calls, and what is not taken is counted by reason; a call that was taken keeps room for its
//! close. Costs one lock that is free and one move an event. The pipeline's thread also looks after the clock that callers
//! read. What a sink does is left to it; it may stall, and stalls only itself.

mod around;
mod birth;
mod calls;
mod counters;
mod desk;
mod ending;
mod events;
mod front;
mod guarded;
mod identity;
mod newest;
mod open_call;
mod open_calls;
mod pipeline;
mod places;
mod policies;
mod progress;
mod propagation;
mod queue;
mod ranges;
mod records;
mod room;
mod sampler;
mod settlement;
mod sink;
mod spans;
mod spares;
mod step;
mod timepiece;
mod told;
mod turns;
mod watch;
mod weight;
mod whole;

pub use counters::{Counts, Drop, Losses};
pub(crate) use front::Manner;
pub use front::{Intake, IntakeError};
pub use propagation::Propagation;
pub use queue::Bounds;
pub use sampler::Sampler;
pub use sink::{Drained, Durable, Refused, Relay, Sink};

pub(crate) use around::{Around, Entering, Way, innermost};
pub(crate) use counters::Counters;
pub(crate) use desk::Desk;
pub(crate) use events::{NOWHERE, closing, opening, request};
pub(crate) use identity::Identity;
pub(crate) use ranges::Ranges;
pub(crate) use records::give_record;
pub(crate) use spares::{Handful, Spares};
pub(crate) use timepiece::Timepiece;
pub(crate) use whole::Whole;
