//! The spool: what waits to be sent, on disk.
//!
//! ```text
//! pipeline ── open, close ──▶ Journal ── commit ──▶ Log ─▶ segments in our own folder ── read ──▶ sender
//!                                                          folders of the dead, taken over ───────▶
//! ```
//!
//! Promises that nothing is sent that is not written; that a call whose opening counts is told after a crash, as it ended
//! or as `abandoned`, and never as both; that what was answered is not sent again; and that bytes on disk stay within a
//! budget, in which each open call has room for its close. All that is written is veiled. A span that is too long for any peer is kept in
//! a file of its own, for a person to look at. Costs two copies, a checksum and a
//! `write` for what the pipeline hands over at once; what is sent at once is sent from memory (four batches at the most), and
//! what has waited for longer is read again. Leaves to `log` how records lie on disk,
//! to `home` whose folder is whose, and to the sender when a batch is sent again.

#[cfg(not(unix))]
mod absent;
#[cfg_attr(not(unix), allow(dead_code))]
mod adopt;
#[cfg(unix)]
mod aside;
#[cfg(feature = "collector")]
mod claim;
mod error;
#[cfg(unix)]
mod home;
#[cfg_attr(not(unix), allow(dead_code))]
mod journal;
#[cfg_attr(not(unix), allow(dead_code, unused_imports))]
pub(crate) mod log;
#[cfg(unix)]
mod real;
#[cfg_attr(not(unix), allow(dead_code))]
mod recent;
#[cfg_attr(not(unix), allow(dead_code))]
mod records;
#[cfg(unix)]
mod sending;
#[cfg(unix)]
mod stock;
#[cfg(test)]
mod tests;
pub(super) mod untrusted;

use std::path::Path;

#[cfg(feature = "collector")]
pub(crate) use claim::Claim;
pub use error::SpoolError;
pub use log::Fsync;

#[cfg(not(unix))]
pub(super) use absent::Spool;
#[cfg(unix)]
pub(super) use stock::Spool;

/// Where and how much.
#[derive(Debug)]
#[cfg_attr(not(unix), allow(dead_code))]
pub(super) struct Plan<'a> {
    pub(super) folder: &'a Path,
    pub(super) bytes: u64,
    pub(super) fsync: Fsync,
}
