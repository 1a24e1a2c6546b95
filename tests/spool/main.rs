//! The spool on a real file system: whose folder it is, what is in it, and what becomes of what a process leaves there.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "../support/mod.rs"]
mod support;

mod aside;
mod bounds;
mod folder;
mod lives;
mod place;
mod untrusted;
