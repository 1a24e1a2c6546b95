//! A run taken up again from a checkpoint, in a new rollout that is linked to where it came from.
//!
//! A restored state is what the model had been shown and had produced up to the cut, which calls were open, what had been
//! used, and what the checkpoint says of itself. It is no snapshot of the world: what tools did stays done, and calls that
//! were open are told, not resumed. Content is what the policy had let leave (spans at `full` hold all of it); where that
//! is less than all, the structure and the digests are restored, and the state says so.

mod agent_state;
mod history;
mod hook;
mod shapes;
mod state;

pub use agent_state::{AgentState, StateError};
pub use hook::{GenAiHistory, GenericHistory, LangChainAgent, Restore, RestoreError, Restored, RigHistory, restore};
pub use state::{Kept, OpenCall, RestoreRefused, State, restorable};
