//! The one place where content becomes safe.
//!
//! Promises that a [`Veil`] is the only way from `Event<Raw>` to `Event<Veiled>`, and that what it lets through is what the [`Policy`] says: digests of form `c1` and lengths of content, previews and masked texts where their level
//! allows, labels that look like labels, numbers. Costs one hash over the content, and an allocation for each label; where
//! text leaves, one pass of the detectors over that. Reads no clock, and does no I/O but on the thread of the payload store;
//! the environment, the policy files and the key file are read when a policy is made, never after. Leaves encoding to
//! `otlp`.

pub mod c1;
mod classes;
#[cfg(feature = "import")]
pub(crate) mod conversation;
#[cfg(feature = "import")]
mod course;
pub mod detect;
#[cfg(feature = "import")]
pub(crate) mod heard;
mod history;
mod kept;
mod kept_key;
mod key;
mod known;
mod label;
mod level;
pub(crate) mod lower;
pub(crate) mod measure;
mod openings;
mod pass;
mod payloads;
mod policy;
mod preview;
mod secure_file;
mod show;
mod tally;
mod veil;

pub use detect::Detectors;
pub use key::{Key, KeyError};
pub use label::{MAX_LABEL_BYTES, is_label, is_policy};
pub use level::{Level, Strength};
pub(crate) use pass::Pass;
pub use payloads::PayloadCounts;
#[cfg(all(feature = "cli", unix))]
pub(crate) use payloads::PayloadProblem;
pub(crate) use payloads::Payloads;
#[cfg(unix)]
pub use payloads::{PayloadError, PayloadReader};
#[cfg(unix)]
pub(crate) use payloads::{Reading, is_kept_elsewhere};
pub(crate) use policy::levels_told;
pub use policy::{ClassLevel, Levels, Origin, Policy, PolicyBuilder};
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) use policy::{OTHER, replaced_label};
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) use show::told_reasons;
#[cfg(any(feature = "collector", feature = "import", feature = "sdk"))]
pub(crate) use tally::Tally;
pub(crate) use veil::{Foretold, says_something};
pub use veil::{Veil, VeilCounts};
