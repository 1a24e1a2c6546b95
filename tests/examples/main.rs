//! The examples run alone, and what leaves of the real libraries in them is what was last looked at.
//!
//! The snapshots beside this file are the spans of rig and genai as the layer maps them: where a library renames a field,
//! they differ. After having looked, accept with
//!
//! ```text
//! INSTA_UPDATE=always cargo test --test examples
//! ```
#![cfg(all(feature = "collector", feature = "opentelemetry"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub
)]

#[path = "../support/mod.rs"]
mod support;

mod agents;
mod libraries;
mod program;
#[cfg(feature = "cli")]
mod replayed;
#[cfg(feature = "cli")]
#[path = "../support/runs.rs"]
mod runs;
mod service;
mod told;
