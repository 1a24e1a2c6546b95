//! What models were shown and produced.

use std::sync::Arc;

use bytestring::ByteString;

use super::Numbers;
use crate::event::{Digest, Facet, Item, Key, Measure};

/// A model-visible item of a thread. Its number is its place in [`Thread::items`](super::Thread::items).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VisibleItem {
    /// Its digest, role and length.
    pub item: Item,
    /// What kind of item it is, its labels and its parts, where the source tells items that finely.
    pub facet: Option<Arc<Facet>>,
    /// The turn that showed it first.
    pub turn: ByteString,
    /// When that was, in nanoseconds since 1970.
    pub first_seen_unix_nano: u64,
    /// What brought it into the history: nothing where it was first seen in a request.
    pub produced_by: Vec<Producer>,
}

/// What produced an item.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Producer {
    /// A model's answer.
    Inference(Key),
    /// A tool's result.
    Tool(Key),
    /// A code cell's output.
    CodeCell(Key),
    /// A compaction, by its id.
    Compaction(ByteString),
}

/// What a model was sent: the whole history, however much of it its producer told.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    /// The chain digest that the request extends; missing where it was told whole.
    pub prefix: Option<Digest>,
    /// The chain digest of the whole history.
    pub chain: Option<Digest>,
    /// The items, oldest first. Where older ones are not known, those after them.
    pub items: Numbers,
    /// How many of them this request told of by itself.
    pub told: u64,
    /// How many older ones it left out.
    pub omitted: Option<u64>,
    /// The system instructions.
    pub system: Measure,
    /// The tool definitions.
    pub tools: Option<Digest>,
    /// The digests of encrypted blobs among the items told of.
    pub blobs: Vec<Digest>,
}

/// What a model answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answer {
    /// The items, in order.
    pub items: Numbers,
    /// The digests of encrypted blobs among them.
    pub blobs: Vec<Digest>,
}
