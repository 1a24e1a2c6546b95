//! Recorded answers, given again by the command itself to real HTTP clients.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod agent;
mod apis;
mod build;
mod recorded;
mod refused;
mod rig_agent;
#[path = "../support/runs.rs"]
mod runs;
mod tools;
#[path = "../support/weather.rs"]
mod weather;
