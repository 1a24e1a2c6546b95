//! The graph of a run: plain values, all ordered, nothing in them that depends on how the events arrived.

mod call;
mod edge;
mod finding;
mod item;
mod numbers;
mod rollout;
mod thread;
mod totals;
mod turn;

pub use call::{
    Call, CallMark, CodeCell, Compaction, Conflict, Inference, OtherCall, Runtime, TerminalOperation, TerminalSession,
    ToolCall,
};
pub use edge::{Edge, End, Node};
pub use finding::{Finding, FindingKind, Severity};
pub use item::{Answer, Producer, Shown, VisibleItem};
pub use numbers::Numbers;
pub use rollout::{Evidence, Quarantined, Reason, Rollout};
pub use thread::{Agent, Thread};
pub use totals::Totals;
pub use turn::{Segment, Turn};
