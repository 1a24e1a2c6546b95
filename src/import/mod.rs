//! Recordings of agents, read as the one vocabulary.
//!
//! ```text
//! Codex bundle ─▶ records in order ─▶ payloads ─ privacy ─▶ Event<Veiled> ─ Records ─▶ CallRecord<Veiled>
//! ```
//!
//! Promises that nothing outside the recording's folder is read, that what is odd is set aside with its place and reason
//! and nothing else is lost with it, and that content is digested as soon as it is read. Costs memory for one record, one
//! payload and a bounded window, whatever the recording's length; [`Records`] holds a bounded number of calls beside that.
//! Leaves to others what the events mean (`reduce`), and how spans leave (`export`).

pub mod bundle;
mod records;

pub use records::{LeftOut, Records};
