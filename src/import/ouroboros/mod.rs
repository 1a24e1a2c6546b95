//! Journals of Ouroboros: pairs of events, `llm.call.requested` and `.returned`, `tool.call.started` and `.returned`.
//!
//! A pair has one `call_id` and may come in any order and more than once: it is told once both halves are there. One half
//! alone is told at the end, as abandoned where its call never returned. What the journal has of content are hashes
//! without a key; they are taken for references, so that what leaves is keyed like all digests. Previews are not read.

mod event;
mod journal;

pub use journal::Journal;
