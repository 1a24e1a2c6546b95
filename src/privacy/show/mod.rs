//! Text that leaves: previews, and whole content in the form of the GenAI conventions.
//!
//! ```text
//! Request ─ parts by class ─▶ masked texts ─┬─▶ units of JSON ─ fitted to the attribute's bytes ─▶ content
//!                                           └─▶ the text a person looks for ─ cut ─▶ preview
//! ```
//!
//! Promises that a text is shown only where every class that it belongs to allows, that the detectors have seen it whole
//! before it is cut, and that what is cut are contents, never the JSON around them. Costs one pass of the detectors over
//! what leaves, and nothing where no text does. What was too long to be taken is told as such.

mod fit;
mod json;
mod messages;
mod part;
mod person;
mod shower;
mod tell;

#[cfg(any(feature = "collector", feature = "sdk", unix))]
pub(crate) use messages::told_reasons;
