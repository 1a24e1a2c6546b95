//! JSON, looked through once and read where it stands.
//!
//! ```text
//! text ─ Tape::read ─▶ Node: get, members, elements, as_str, as_i64 … ─▶ whatever the reader makes of it
//! ```
//!
//! Promises to take what RFC 8259 calls JSON and nothing else (half a pair of surrogates is nothing else), of any depth
//! and without recursing; to borrow: a string without escapes is a piece of the text, and one with escapes is unescaped
//! once, into one buffer for all; and to wipe that buffer as soon as the reader is done. A name that stands twice in an
//! object has its last value. Costs one pass over the text, and no allocation once its buffers have grown. Leaves to others
//! what it means: whoever needs a value of `serde_json` makes one of [`Node::json`].

mod node;
mod number;
mod string;
mod tape;

pub(crate) use node::Node;
pub(crate) use tape::{Escapes, Tape, Unread};

#[cfg(test)]
mod tests;
