//! What is handed in, and what it weighs.

use super::Whole;
use super::weight::{content_bytes, drop_content, label_bytes, shorten_labels};
use crate::event::{At, Event, Raw};

/// What is handed in, and the bytes that it counts for until it is veiled.
pub(super) struct Item {
    pub(super) told: Told,
    pub(super) bytes: usize,
    /// Its place in the order of events, kept here so that sorting touches nothing else.
    pub(super) seq: u64,
}

/// What is told: one event of a call, or a call that has ended.
pub(super) enum Told {
    Event(Box<Event<Raw>>),
    Whole(Box<dyn Whole>),
}

impl Told {
    /// When it was told last.
    #[inline]
    pub(super) fn at(&self) -> At {
        match self {
            Self::Event(event) => event.at,
            Self::Whole(whole) => whole.closed_at(),
        }
    }

    /// The bytes of its content, and of all else.
    pub(super) fn bytes(&self) -> (usize, usize) {
        match self {
            Self::Event(event) => (content_bytes(&event.kind), label_bytes(event)),
            Self::Whole(whole) => whole.bytes(),
        }
    }

    /// Keeps of it what has to be kept where there is no room.
    pub(super) fn shrink(&mut self) {
        match self {
            Self::Event(event) => {
                drop_content(event.key, &mut event.kind);
                shorten_labels(&mut event.kind);
            }
            Self::Whole(whole) => whole.drop_content(),
        }
    }
}
