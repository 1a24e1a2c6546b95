//! The payload store: content that is too long for an attribute, whole, in a folder, under its digest.
//!
//! ```text
//! pipeline ── offer ──▶ queue, 32 MiB ──▶ a thread of its own ──▶ VEILSPAN_PAYLOADS/      0700, ours, no link
//!                                                                     new/x7…             being written
//!                                                                     3fa9…               0600, named by its digest
//! ```
//!
//! Promises that what is written is what the policy lets leave in that very form, after the detectors, and nothing else;
//! that a name never stands for less than its content: a file is written beside its place, synced (`fdatasync`), and renamed;
//! that the same content is written once, by whatever process and in whatever life; that no link is followed and no folder
//! of another user's used; and that nobody waits for the disk but who flushes. What waits and may not leave any more, since
//! the policy was lowered, is not written.
//!
//! Costs a second rendering and a hash of what is too long, on the pipeline's thread. The queue is bounded in bytes: over the
//! bound the span goes without a reference, counted. A reference that was given may still come to nothing (a full disk, a
//! process that dies), which is counted too. Names are digests under the tenant's key, so that a name tells no more than the
//! digest beside it on the span. Nothing is ever removed: a file may be deleted at any time by whoever looks after the disk.

mod counts;
#[cfg(unix)]
mod disk;
mod error;
#[cfg(not(unix))]
mod no_disk;
#[cfg(not(unix))]
use no_disk as disk;
mod queue;
#[cfg(unix)]
mod reader;
mod setting;
mod store;
#[cfg(unix)]
mod whole;

pub use counts::PayloadCounts;
pub(in crate::privacy) use queue::Payload;
#[cfg(all(feature = "cli", unix))]
pub(crate) use reader::PayloadProblem;
#[cfg(unix)]
pub use reader::{PayloadError, PayloadReader};
pub(in crate::privacy) use setting::{asked_for, from_environment};
pub(crate) use store::Payloads;
#[cfg(unix)]
pub(crate) use whole::{Reading, is_kept_elsewhere};

/// The most bytes of one payload. What is longer is cut as in an attribute: its texts, never its JSON.
pub(in crate::privacy) const MAX_BYTES: usize = 16 << 20;
