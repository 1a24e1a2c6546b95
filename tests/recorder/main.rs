//! What the public recorder promises, seen by a sink.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    missing_docs,
    unreachable_pub
)]

mod ambient;
mod basics;
mod common;
mod delegated;
mod durable;
mod interleaved;
mod kinds;
mod outcomes;
mod propagation;
mod readers;
mod requests;
mod streams;
