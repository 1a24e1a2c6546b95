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
//!
//! A span is stamped by what it says itself, never by what another span of its trace has said before it. Spans end, and come,
//! before the one above them, so that what was remembered would reach some of a trace and not others, and a request that is
//! sent again would not have the bytes that it had. Where only some spans of a trace name their run it is therefore torn
//! apart, and [`DialectCounts::split`] says so: the producer has to name it on all of them (OpenInference's
//! `using_session`, a span processor that copies it from the baggage), or none, and then the trace is the run.

mod options;
mod originals;
mod rewrite;
mod stage;

pub use options::{DialectOptions, Originals, Stamp};
pub use stage::{Dialect, DialectCounts};
