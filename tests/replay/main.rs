//! A run taken up again, and told again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod again;
mod agent_state;
mod build;
#[cfg(feature = "cli")]
mod cli;
mod restored;
mod rig_agent;
mod sources;
