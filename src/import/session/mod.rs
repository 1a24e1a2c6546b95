//! What the files of coding agents' sessions have in common: lines, times, and the threads of an agent as calls.
//!
//! ```text
//! bytes ─ Cutter ─▶ lines ─ a reader for each agent ─▶ Thread: turn, answer, tools ─▶ Desk ─▶ Told
//! ```
//!
//! Promises that where the bytes are cut changes nothing, that a call is told once, when it has ended, and that nothing is
//! kept of a call that was told. Costs one parse and one hash of what is read. Leaves to the readers what their agents'
//! rows mean.

mod answer;
mod cut;
mod desk;
mod labels;
mod line;
mod loose;
mod place;
mod said;
mod seen;
mod thread;
mod time;
mod tool;
mod turn;
mod usage;
mod words;

pub use desk::{Set, Tally, Told};
pub use place::{Aside, AsideReason};
pub use time::unix_nanos;

pub(in crate::import) use answer::{Answer, response};
pub(in crate::import) use cut::{Cut, Cutter};
pub(in crate::import) use desk::{Desk, moment};
pub(in crate::import) use line::read_line;
pub(in crate::import) use loose::{Loose, Object, Text, mended};
pub(in crate::import) use said::{blocks, item, messages, not_understood, parts, push, raw, returned, text};
pub(in crate::import) use seen::{Known, Newest, Recent};
pub(in crate::import) use thread::{LABELS, Origin, Thread, Who};
pub(in crate::import) use tool::ToolEnd;
pub(in crate::import) use turn::Surety;
pub(in crate::import) use usage::{Usage, UsageMissing};
pub(in crate::import) use words::{exit_code, first_line, mcp_server};
