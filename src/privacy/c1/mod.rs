//! Digests, form `c1`: what a model was shown and produced, as 32 bytes that equal content shares.
//!
//! ```text
//! Request ─ normalise ─▶ messages ─ part digests ─▶ item digests ─ chain ─▶ h0, h1, … hn
//! ```
//!
//! Promises that equal content has equal digests in whichever provider's shape it came, and that text is hashed as its
//! exact bytes. Costs one pass of SHA-256 over all content, and one of [`canonical`] over JSON. Leaves to others
//! what of it leaves the process, and how a provider's JSON becomes a [`Request`](crate::event::Request).

mod ahead;
mod arguments;
mod chain;
pub mod digest;
mod hasher;
mod json;
mod message;
mod normal;
mod part;
mod request;
mod sha256;
mod visible;
mod wipe;

#[cfg(feature = "import")]
pub(crate) use ahead::Hashed;
pub(crate) use ahead::Made;
#[cfg(feature = "import")]
pub(super) use ahead::beside;
pub(super) use ahead::{Foretelling, Foretold};
pub use arguments::arguments;
pub use chain::Chain;
pub use hasher::{Hasher, Hashing};
pub use json::{Canonical, canonical};
#[cfg(feature = "import")]
pub(super) use message::{ItemWithBlobs, item_and_texts, result_item_of, result_text};
pub use message::{message, result};
pub(super) use normal::{Calls, Piece};
#[cfg(feature = "import")]
pub(super) use normal::{named, unplaced, without_results};
pub use request::{RequestDigests, answer, request, system, tools};
pub(super) use request::{answer_knowing, request_knowing};
pub use visible::visible;

#[cfg(test)]
mod tests;
