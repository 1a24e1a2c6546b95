//! The graph as text: `state.json` for programs, a tree for people.

mod codex;
mod codex_names;
mod codex_objects;
mod codex_words;
mod json;
mod json_call;
mod json_item;
mod lines;
mod tree;
pub(crate) mod words;

pub use json::STATE_VERSION;
pub(super) use json_call::id as call_id;
pub use tree::tree;
