//! Members of JSON objects that are read as far as they have the type that is meant: one that has another is absent, and
//! costs nothing but itself.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// A member that may be of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import) struct Loose<T>(pub(in crate::import) Option<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        Ok(Self(serde_json::from_str(raw.get()).ok()))
    }
}

/// A text, borrowed where it has no escapes.
#[derive(Clone, Default)]
#[allow(missing_debug_implementations)]
pub(in crate::import) struct Text<'a>(Option<Cow<'a, str>>);

impl Text<'_> {
    /// The text, where it is one.
    pub(in crate::import) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text, where it is one and not empty.
    pub(in crate::import) fn some(&self) -> Option<&str> {
        self.get().filter(|text| !text.is_empty())
    }

    /// The text, or nothing.
    pub(in crate::import) fn or_empty(&self) -> &str {
        self.get().unwrap_or_default()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        let inner = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        let Some(inner) = inner else { return Ok(Self(None)) };
        // What has no escapes is itself: the parser has already seen that it is a string.
        if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
            return Ok(Self(Some(Cow::Borrowed(inner))));
        }
        Ok(Self(serde_json::from_str(raw).ok().map(Cow::Owned)))
    }
}
