//! Calls that a way in hands in when they end, as it kept them.

use super::Drop;
use crate::event::{At, Event, Raw};

/// A call of which both events are made at once, on the pipeline's thread: whoever recorded it only kept what it was given.
pub(crate) trait Whole: Send {
    /// When it opened.
    fn opened_at(&self) -> At;

    /// When it closed.
    fn closed_at(&self) -> At;

    /// The bytes that its content keeps in memory, and those that all else of it does.
    fn bytes(&self) -> (usize, usize);

    /// Wipes what was said and keeps the call; leaves of each label no more than it takes to be none.
    fn drop_content(&mut self);

    /// The event that opens it and the one that closes it, or why there are none.
    fn unfold(self: Box<Self>) -> Result<[Box<Event<Raw>>; 2], Drop>;
}
