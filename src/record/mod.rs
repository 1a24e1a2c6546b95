//! The explicit way in: turns, inferences and tool calls, recorded as they happen.
//!
//! ```text
//! Recorder ── turn ──▶ Turn ── inference ──▶ Inference
//!     │                  └──── tool ───────▶ ToolCall ── turn ──▶ Turn (of a sub-agent)
//!     └── inference, tool: calls outside any turn
//! ```
//!
//! Promises that each started call is closed exactly once, whatever happens to its handle; that no call of the host fails,
//! waits or changes its result; and that a disabled recorder has the same face, allocates nothing and runs no closure.
//! Costs the copying of what is borrowed, and two moves into the intake's queue. Content is made safe there, not here.

mod answer;
mod builder;
mod handle;
mod inference;
mod mark;
mod recorder;
mod request;
mod tool;
mod turn;

pub use answer::{Answer, Failure};
pub use inference::{Inference, InferenceBuilder};
pub use mark::{Checkpoint, Decision, Installed};
pub use recorder::{Recorder, RecorderBuilder};
pub use request::IntoRequest;
pub use tool::{IntoResult, ToolBuilder, ToolCall};
pub use turn::{Turn, TurnBuilder, TurnRef};
