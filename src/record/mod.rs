//! The explicit way in: calls of every kind, recorded as they happen.
//!
//! ```text
//! Recorder ┬ turn ──────▶ Turn ┬ inference ──▶ Inference
//!          │                   ├ tool ───────▶ ToolCall ── turn ──▶ Turn (of a sub-agent)
//!          │                   └ decision, checkpoint, …: marks
//!          └ inference, tool, workflow, retrieval, …: part of what runs around them, or of nothing
//! ```
//!
//! Every kind runs through one path: a [`Builder`] that is started, a [`Call`] that is finished. Promises that each started
//! call is closed exactly once, whatever happens to its handle; that no call of the host fails, waits or changes its
//! result; and that a disabled recorder has the same face, allocates nothing and runs no closure. Costs the copying of what
//! is borrowed, and two moves into the intake's queue. Content is made safe there, not here.

mod admission;
mod ambient;
mod answer;
mod approval;
mod builder;
mod call;
mod code_cell;
mod compaction;
mod delegate;
mod events;
mod handle;
mod inference;
pub mod kind;
mod mark;
mod mcp;
mod open;
mod operation;
pub(crate) mod parameters;
mod place;
mod propagation;
mod recorder;
mod request;
mod search;
#[cfg(feature = "tower")]
mod service;
mod sheet;
mod stream;
mod tool;
mod turn;
mod workflow;

pub use admission::{Admission, AdmissionBuilder};
pub use ambient::{Context, Instrumented};
pub use answer::{Answer, Failure, Fault};
pub use approval::{Approval, ApprovalBuilder, Ticket};
pub use builder::Builder;
pub use call::{Call, CallType};
pub use code_cell::{CodeCell, CodeCellBuilder, Terminal, TerminalBuilder};
pub use compaction::{Compaction, CompactionBuilder};
pub use delegate::{Connection, Refusal};
pub use inference::{Inference, InferenceBuilder};
pub use mark::{Checkpoint, Decision, Installed};
pub use mcp::Dispatch;
pub use operation::Operation;
pub use place::{CallRef, InvalidReference};
pub use recorder::{Recorder, RecorderBuilder};
pub use request::IntoRequest;
pub use search::{Embeddings, EmbeddingsBuilder, Memory, MemoryBuilder, Retrieval, RetrievalBuilder};
#[cfg(feature = "tower")]
pub use service::{RecorderLayer, RecorderService};
pub use stream::{Chunk, Streamed};
pub use tool::{IntoResult, ToolBuilder, ToolCall};
pub use turn::{Turn, TurnBuilder};
pub use workflow::{Workflow, WorkflowBuilder};
