//! What several test files need. Each uses a part of it.
#![allow(dead_code, unreachable_pub)]

#[cfg(feature = "collector")]
pub mod net;
pub mod records;
pub mod requests;
