//! Codex bundles, written here to the format, and what they reduce to.
#![cfg(feature = "import")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::string_slice, unreachable_pub)]

mod again;
mod agents;
mod build;
mod canaries;
mod cells;
mod codex_names;
mod codex_state;
mod fixtures;
mod garbage;
mod halves;
mod histories;
mod items;
mod messages;
mod modes;
mod odd;
mod tools;
