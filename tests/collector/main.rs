//! What the stage promises, between real peers: `cargo test --test collector`.
#![cfg(feature = "collector")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, unreachable_pub)]

mod build;
mod deploy;
mod dialect;
mod exits;
mod hostile;
mod hostile_http;
mod http;
mod operated;
mod pipeline;
#[cfg(all(feature = "cli", unix))]
mod reloaded;
mod replayed;
#[cfg(all(feature = "cli", unix))]
mod rollout_messages;
mod rollouts;
mod secure;
#[path = "../support/mod.rs"]
mod support;
mod swapped;
mod validate;
