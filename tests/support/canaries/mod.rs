//! What is planted where a caller can say something, and the search for it where something leaves.
//!
//! A [`Plants`] hands out texts, each with a word that stands nowhere else, and knows what class of content each is. A run
//! of the real thing carries them to its exits. [`Exits`] is told of the bytes of each exit, one line for each, and holds
//! them against the policy: what is found and may not be there is a leak, whatever form it is in.
//!
//! ```text
//! let mut exits = Exits::of(&plants, &policy);
//! exits.silent("errors", printed.as_bytes());     // nothing that was planted may be here
//! exits.named("logs", &logs.since(mark));         // names that may leave, and nothing that was said
//! exits.veiled("spool", &bytes_of(folder));       // what the policy lets leave, and nothing else
//! exits.requests("wire", &sink.requests());       // the same, and each under a key of its class
//! exits.assert_kept();
//! ```
//!
//! A new exit of the crate is one more such line.
#![allow(unused_imports)]

#[cfg(feature = "collector")]
mod echo;
mod exits;
mod forms;
mod logs;
mod plants;
mod search;

#[cfg(feature = "collector")]
pub use echo::Echo;
pub use exits::{Exits, bytes_of};
pub use forms::forms;
pub use logs::Logs;
pub use plants::{Canary, Class, Plants, Shape};
pub use search::Search;
