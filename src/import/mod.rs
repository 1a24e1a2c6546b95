//! Recordings of agents, read as the one vocabulary.
//!
//! ```text
//! Codex bundle ─▶ records in order ─▶ payloads ─ privacy ─▶ Event<Veiled> ─ Records ─▶ CallRecord<Veiled>
//! session file, hook journal ─▶ lines ─▶ threads ─ privacy ─▶ CallRecord<Veiled>, one for each call that has ended
//! ```
//!
//! Promises that nothing outside the recording's folder is read, that what is odd is set aside with its place and reason
//! and nothing else is lost with it, that content is digested as soon as it is read, and that ids come from the
//! recording's own keys, so that it tells the same whenever and wherever it is read. Costs memory for one record, one
//! payload and a bounded window, whatever the recording's length; [`Records`] holds a bounded number of calls beside that.
//! Leaves to others what the events mean (`reduce`), and how spans leave (`export`).

pub mod bundle;
pub mod claude;
pub mod codex;
pub mod hook;
mod ids;
pub mod ouroboros;
mod records;
pub mod session;

pub use ids::TracePer;
pub use records::{LeftOut, Records};
