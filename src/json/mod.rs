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

#[cfg(any(feature = "collector", feature = "sdk"))]
use std::cell::Cell;

mod blocks;
mod marks;
#[cfg_attr(not(feature = "import"), allow(dead_code))]
mod node;
mod number;
mod string;
#[cfg_attr(not(feature = "import"), allow(dead_code))]
mod tape;

pub(crate) use node::Node;
#[cfg(feature = "import")]
pub(crate) use tape::Unread;
pub(crate) use tape::{Escapes, Tape};

/// The text behind the mark that some editors and shells put before it: RFC 8259 lets a reader pass over it.
#[cfg(any(feature = "collector", feature = "import"))]
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text)
}

/// Reads one text of many, in the room that this thread keeps for that, and hands its value on with its strings unescaped.
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) fn read<R>(text: &str, then: impl FnOnce(Node<'_>) -> R) -> Result<R, tape::Unread> {
    thread_local! {
        static TAPE: Cell<Option<Tape>> = const { Cell::new(None) };
    }
    // One that is read inside of another has room of its own.
    let mut tape = TAPE.try_with(Cell::take).ok().flatten().unwrap_or_default();
    let read = tape.read(text, Escapes::Unescaped, then);
    let _ = TAPE.try_with(|place| place.set(Some(tape)));
    read
}

#[cfg(test)]
mod tests;
