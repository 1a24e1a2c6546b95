//! Sessions of coding agents as calls.
#![cfg(feature = "import")]
#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods
)]

mod claude;
mod codex;
mod families;
mod hooked;
mod script;
mod told;
