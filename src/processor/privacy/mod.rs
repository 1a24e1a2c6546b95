//! The policy, on other producers' spans.
//!
//! ```text
//! Request ─ genai? ─▶ span ─┬─ attributes ─ verdict ─▶ stays | label | content ─▶ digests, lengths
//!                           ├─ events, links, status, names
//!                           └─ resource, scope, schema URLs
//! ```
//!
//! Promises that a GenAI span leaves with nothing of content but what the [`Policy`](crate::Policy) lets leave, in no
//! field that OTLP knows or does not know; that its content has the digests which the recorder would have given it; that
//! what a detector hits in any other span is masked, and all else of it, and every resource that has no GenAI span, keeps its
//! bytes; and that a second pass changes nothing.
//!
//! Costs one pass over each GenAI span, and a look at the keys and a search of the texts of the others; where nothing
//! changes, no allocation and no hash. Bytes that are not canonical are decoded and encoded again first, so that nothing
//! hides in them. Messages in the attributes of other dialects are told as the conventions' are; their other names are left
//! to others: a key that the table lacks is content, whatever it means.

mod attributes;
mod contract;
mod dialect;
mod foreign;
#[cfg(feature = "collector")]
mod genai;
#[cfg(feature = "collector")]
mod looked;
#[cfg(feature = "collector")]
mod loose;
mod named;
mod names;
#[cfg(feature = "collector")]
mod others;
mod owner;
mod parameters;
mod read;
mod rules;
#[cfg(feature = "collector")]
mod runs;
#[cfg_attr(not(feature = "collector"), allow(dead_code))]
mod seen;
mod siblings;
mod span;
mod splice;
#[cfg(feature = "collector")]
mod stage;
mod texts;
mod value;
mod veil;
mod verdict;
mod write;

#[cfg(feature = "collector")]
pub use stage::Privacy;
#[cfg(feature = "sdk")]
pub(super) use {
    dialect::{is_genai_key, is_genai_name},
    veil::MessageVeil,
};
#[cfg(feature = "collector")]
pub(super) use {
    genai::{is_genai, is_genai_scope},
    splice::{Splice, ranged},
    value::Pair,
};
