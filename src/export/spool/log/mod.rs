//! An append-only log of records in files of one folder.
//!
//! Promises that a record counts once [`Log::commit`] has returned, and is found again after the process has died (and, where
//! it was synced, after the machine has); that what was written half is cut off; that damage costs the records that are
//! damaged, and is told; that a segment in which a write or a sync failed is never written again; and that reading trusts
//! nothing. Costs one copy, one checksum and one `write` for what was gathered, and no memory but that. Knows nothing of
//! what records mean: which are still needed is for its user to say, and who may use the folder too.

mod cursor;
mod disk;
pub(super) mod frame;
mod recover;
pub(super) mod segment;
mod settled;
mod writer;

pub(crate) use cursor::{Cursor, Step};
pub(crate) use disk::{Disk, DiskFile};
pub(crate) use frame::HEAD;
pub(crate) use recover::{Found, Recovered, recover};
pub use segment::Fsync;
pub(crate) use segment::{Segment, boot};
pub(crate) use settled::Settled;
pub(crate) use writer::{Log, NO_INDEX, Options};
