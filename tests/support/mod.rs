//! What several test files need. Each uses a part of it.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice
)]

pub mod authority;
pub mod canaries;
pub mod http_receiver;
pub mod leaks;
pub mod lines;
#[cfg(feature = "collector")]
pub mod net;
pub mod receiver;
pub mod records;
pub mod requests;
