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

#[cfg(feature = "cli")]
mod ancestors;
#[cfg(feature = "cli")]
mod branches;
mod bundles;
mod claude;
mod codex;
#[cfg(feature = "cli")]
mod command;
mod cut;
mod doubled;
mod families;
mod hooked;
mod late;
mod linked;
#[cfg(feature = "cli")]
mod marks;
mod open;
mod ouroboros;
mod payloads;
#[cfg(feature = "cli")]
mod recorded;
#[cfg(feature = "cli")]
mod resumed;
mod rollbacks;
mod rows;
mod script;
#[path = "../support/mod.rs"]
mod support;
mod told;
mod turns;
mod unrowed;
