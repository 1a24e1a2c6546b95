//! Codex' session files, `rollout-*.jsonl`.
//!
//! A file is one thread. Its inferences are reckoned: a model's answer begins with its first item and ends with its last
//! one, and the request was sent when the turn had last done something else. A file of a sub-agent or of a fork begins with
//! a copy of its ancestors' rows; these are history, and the turns in them are their ancestors' alone. So that they are
//! known, ancestors have to be read first; without them what the ids and the times say decides.

mod events;
mod family;
mod file;
mod items;
mod outputs;
mod rollbacks;
mod row;
mod sessions;
mod skills;
mod turns;
mod twice;

pub use row::kin_of;
pub use sessions::Sessions;
