//! The policy on the SDK's own spans.

#![cfg(feature = "sdk")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "../support/mod.rs"]
mod support;

mod as_in_a_stage;
mod as_recorded;
mod build;
mod canaries;
mod delivery;
mod failures;
mod forwarding;
mod hosts;
mod swap;
mod untouched;
