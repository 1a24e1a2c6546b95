//! What leaves at which level: recorded calls under one policy after the other, as they reach a sink.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

#[path = "../support/schema.rs"]
mod schema;

mod classes;
mod leaks;
mod messages;
#[cfg(unix)]
mod payloads;
mod previews;
mod recorded;
mod swap;
mod words;
