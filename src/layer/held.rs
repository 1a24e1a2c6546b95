//! A text that waits with its span, and what it is the JSON of.

use std::sync::Arc;

use serde_json::Value;
use zeroize::Zeroizing;

use super::entry::Part;
use crate::event::shape::flat::PartText;
use crate::event::{RawText, Row};

/// Content as a field gave it. Wiped when dropped, or with the row that it is a part of; of a longer one than is taken only
/// the length is kept.
pub(super) enum Held {
    Text(Zeroizing<String>),
    Part(Arc<Row>, Part),
    Static(&'static str),
    Oversize(usize),
}

impl PartText for Held {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Part(row, part) => Some(part.of(row.text())),
            Self::Static(text) => Some(text),
            Self::Oversize(_) => None,
        }
    }

    fn into_raw(self) -> RawText {
        match self {
            Self::Text(mut text) => RawText::from(std::mem::take(&mut *text)),
            Self::Part(row, Part { start, end }) => RawText::part(row, start, end),
            Self::Static(text) => RawText::from_static(text),
            Self::Oversize(length) => RawText::oversize(length),
        }
    }
}

impl Held {
    /// The array or object that it is the JSON of, be it a JSON string that holds such a text.
    pub(super) fn json(&self) -> Option<Value> {
        self.text().and_then(json)
    }

    /// The bytes that it keeps.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.capacity(),
            Self::Part(_, part) => part.bytes(),
            Self::Static(text) => text.len(),
            Self::Oversize(_) => 1,
        }
    }
}

/// The array or object that a text is the JSON of, be it a JSON string that holds such a text.
pub(super) fn json(text: &str) -> Option<Value> {
    if text.len() > RawText::MAX_BYTES {
        return None;
    }
    match structure(text) {
        Some(Value::String(inner)) => {
            let inner = Zeroizing::new(inner);
            structure(&inner).filter(|value| !value.is_string())
        }
        other => other,
    }
}

/// No error of the parser is looked at: it has seen content.
fn structure(text: &str) -> Option<Value> {
    let is_candidate = text.trim_start().starts_with(['[', '{', '"']);
    is_candidate.then(|| serde_json::from_str(text).ok()).flatten()
}

/// A label out of what `Debug` makes of an option or a string, for fields that were recorded with `?`.
pub(super) fn undebugged(text: &str) -> Option<&str> {
    let inner = text.strip_prefix("Some(").and_then(|rest| rest.strip_suffix(')')).unwrap_or(text);
    if inner == "None" {
        return None;
    }
    let quoted = inner.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    Some(quoted.filter(|text| !text.contains('\\')).unwrap_or(inner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_debug_puts_around_a_label_is_taken_off() {
        assert_eq!(undebugged("\"gpt-x\""), Some("gpt-x"));
        assert_eq!(undebugged("Some(\"gpt-x\")"), Some("gpt-x"));
        assert_eq!(undebugged("Some(12)"), Some("12"));
        assert_eq!(undebugged("None"), None);
        assert_eq!(undebugged("gpt-x"), Some("gpt-x"));
    }

    #[test]
    fn json_is_found_in_a_string_and_in_a_string_of_a_string() {
        assert!(Held::Static("[{\"role\":\"user\"}]").json().unwrap().is_array());
        assert!(Held::Static("\"[{\\\"role\\\":\\\"user\\\"}]\"").json().unwrap().is_array());
        assert!(Held::Static("hello").json().is_none());
        assert!(Held::Static("[not json").json().is_none());
        assert!(Held::Static("12").json().is_none());
    }
}
