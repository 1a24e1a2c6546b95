//! The graph of a run: plain values, all ordered, nothing in them that depends on how the events arrived.

mod call;
mod edge;
mod finding;
mod rollout;
mod totals;
mod turn;

pub use call::{Call, Conflict, Inference, ToolCall};
pub use edge::{Edge, End, Node};
pub use finding::{Finding, FindingKind, Severity};
pub use rollout::{Reason, Rollout, Thread};
pub use totals::Totals;
pub use turn::{Segment, Turn};
