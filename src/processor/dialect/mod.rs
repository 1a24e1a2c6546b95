//! Spans of other dialects under the conventions' names.
//!
//! ```text
//! span ─ otlp::dialects ─▶ names that it lacks ─┬─▶ added
//!                          names of the dialect ┴─▶ dropped, or kept
//!                          stamp ─▶ veilspan.rollout.id, veilspan.turn.id
//! ```
//!
//! Promises that a span which says nothing in another dialect keeps its bytes, that the conventions' own names win over
//! others for the same, that nothing goes which has not been told under another name, and that a second pass changes
//! nothing. Costs a look at the keys of GenAI spans, and one more pass over those of other dialects. Content is left as
//! it is found: what a dialect says of messages `privacy` tells where it stands before.

mod options;
mod originals;
mod rewrite;
mod stage;

pub use options::{DialectOptions, Originals, Stamp};
pub use stage::{Dialect, DialectCounts};
