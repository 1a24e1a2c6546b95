//! A text that waits with its span.

use std::ops::Deref;

use serde_json::Value;
use zeroize::Zeroizing;

use crate::event::RawText;

/// Content as a field gave it. Wiped when dropped; of a longer one than is taken only the length is kept.
pub(super) enum Held {
    Text(Zeroizing<String>),
    Oversize(RawText),
}

impl Held {
    pub(super) fn new(text: &str) -> Self {
        if text.len() > RawText::MAX_BYTES {
            return Self::Oversize(RawText::from(text));
        }
        Self::Text(Zeroizing::new(text.to_owned()))
    }

    pub(super) fn into_raw(self) -> RawText {
        match self {
            Self::Text(mut text) => RawText::from(std::mem::take(&mut *text)),
            Self::Oversize(text) => text,
        }
    }

    /// The array or object that it is the JSON of, be it a JSON string that holds such a text.
    pub(super) fn json(&self) -> Option<Value> {
        match self {
            Self::Text(text) => json(text),
            Self::Oversize(_) => None,
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

/// A buffer for what is formatted, wiped however it ends.
pub(super) struct Formatted(Zeroizing<String>);

impl Formatted {
    pub(super) fn debug(value: &dyn std::fmt::Debug) -> Self {
        let mut text = Zeroizing::new(String::new());
        // A value that cannot be formatted is told as far as it got.
        let _ = std::fmt::Write::write_fmt(&mut *text, format_args!("{value:?}"));
        Self(text)
    }
}

impl Deref for Formatted {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
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
        assert!(Held::new("[{\"role\":\"user\"}]").json().unwrap().is_array());
        assert!(Held::new("\"[{\\\"role\\\":\\\"user\\\"}]\"").json().unwrap().is_array());
        assert!(Held::new("hello").json().is_none());
        assert!(Held::new("[not json").json().is_none());
        assert!(Held::new("12").json().is_none());
    }
}
