//! Messages and tools that stand in many attributes, one for each part: `gen_ai.prompt.0.content`,
//! `llm.input_messages.0.message.role`, `ai.response.text`.
//!
//! Costs a logarithm of the parts for each, in whatever order they come.

mod messages;
mod name;
mod tools;

use crate::event::RawText;

pub(crate) use messages::Flat;
pub(crate) use name::{List, Part, meaning};
pub(crate) use tools::FlatTools;

/// A text that a part is given as.
pub(crate) trait PartText: Sized {
    /// The text, unless it was too long to be taken.
    fn text(&self) -> Option<&str>;

    /// The text as content.
    fn into_raw(self) -> RawText;
}

impl PartText for &str {
    fn text(&self) -> Option<&str> {
        Some(self)
    }

    fn into_raw(self) -> RawText {
        RawText::from(self)
    }
}
