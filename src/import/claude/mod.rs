//! Claude Code's transcripts and hooks.
//!
//! A session is a transcript, the transcripts of its sub-agents, and what its hooks told, in any mixture; each of them
//! is enough. What a model answered comes in several rows with one `message.id`, with results of its first tools
//! between them; it is one inference, whose tokens are the greatest of each kind. A turn begins with what a person said
//! and is named by its `promptId`; it is taken once a model answers it, so that rows of the turn before may come late.
//! Rows of another session that were copied into a file, and branches that were left, are history and no calls. A
//! sub-agent of which only hooks know has no turns: its tools are told under the call that started it.

mod agents;
mod alone;
mod answers;
mod ends;
mod hooks;
mod known;
mod lane;
mod late;
mod own;
mod places;
mod requests;
mod row;
mod session;
mod settle;
mod system;
mod users;

pub use row::row_name;
pub use session::{Of, Session};
