//! Observations in any order become one graph of a run: rollout → threads → turns → segments → inferences, tool calls.
//!
//! ```text
//! Event<Veiled> ── absorb ──▶ Facts ── derive ──▶ Rollout ──▶ state.json, protobuf, tree
//!       └──────── Reducer: the same, live, with closing rules and bounds ──▶ Effect
//! ```
//!
//! Promises that [`Facts::absorb`] is commutative, associative and idempotent, and that [`derive()`] is a function of the
//! facts alone: the same events in any order, duplication and batching give the same bytes. Nothing here does I/O or
//! reads a clock: time comes in with the events. An event costs O(log n), a derivation is linear in the facts apart from
//! the sorting of siblings. Leaves to others how events arise and how [`SynthSpan`]s become bytes.

mod derive;
mod facts;
mod graph;
mod live;
pub(crate) mod proto;
mod text;

pub use derive::derive;
pub use facts::{Absorbed, Facts, RolloutFacts, RolloutKey};
pub use graph::{
    Agent, Answer, Call, CallMark, CodeCell, Compaction, Conflict, Edge, End, Evidence, Finding, FindingKind,
    Inference, Node, Numbers, OtherCall, Producer, Quarantined, Reason, Rollout, Runtime, Segment, Severity, Shown,
    TerminalOperation, TerminalSession, Thread, ToolCall, Totals, Turn, VisibleItem,
};
#[cfg(feature = "collector")]
pub(crate) use live::GoesOn;
pub use live::{ClosedRollout, Counter, Effect, Limits, Pressure, Reducer, RolloutFinding, SynthEvent, SynthSpan};
pub use proto::{NotARollout, state_from_proto};
pub(crate) use text::words;
pub use text::{STATE_VERSION, tree};
