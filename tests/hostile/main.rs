//! Whatever a caller hands over costs bounded time and memory, and nothing that a caller hands over is a panic.
//!
//! The targets are those of `fuzz`. `VEILSPAN_FUZZ_SECONDS` says for how long each of them is driven here; without it they
//! see a few hundred inputs.
#![cfg(all(feature = "collector", feature = "sdk"))]
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

mod deep;
mod driven;
mod large;
mod targets;
