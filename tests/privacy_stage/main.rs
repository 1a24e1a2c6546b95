//! The policy of a stage, on the bytes of other producers' spans.

#![cfg(feature = "collector")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    unreachable_pub
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../support/schema.rs"]
mod schema;

mod again;
mod build;
mod canaries;
mod contract;
mod deep;
mod fields;
mod foreign;
mod labels;
mod leaks;
mod levels;
mod others;
mod parameters;
mod random;
mod recorded;
mod stand_ins;
mod swap;
mod together;
mod twice;
mod untouched;
#[cfg(target_os = "linux")]
mod wiped;
