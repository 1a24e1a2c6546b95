//! Sessions of coding agents as calls.
#![cfg(feature = "import")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

mod claude;
mod script;
mod told;
