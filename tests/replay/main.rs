//! A run taken up again, and told again.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod again;
mod agent_state;
mod build;
#[cfg(feature = "cli")]
mod cli;
mod kept;
mod live;
#[cfg(all(feature = "cli", unix))]
mod payloads;
mod restored;
mod rig_agent;
#[path = "../support/runs.rs"]
mod runs;
mod sources;
#[cfg(feature = "cli")]
#[path = "../support/mod.rs"]
mod support;
#[cfg(feature = "cli")]
mod traces;
#[path = "../support/weather.rs"]
mod weather;
