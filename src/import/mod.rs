//! Recordings of agents, read as the one vocabulary.
//!
//! ```text
//! Codex bundle ─▶ records in order ─▶ payloads ─ privacy ─▶ Event<Veiled>
//! ```
//!
//! Promises that nothing outside the recording's folder is read, that what is odd is set aside with its place and reason
//! and nothing else is lost with it, and that content is digested as soon as it is read. Costs memory for one record, one
//! payload and a bounded window, whatever the recording's length. Leaves to others what the events mean (`reduce`).

pub mod bundle;
