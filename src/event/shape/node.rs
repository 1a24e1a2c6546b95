//! A JSON value that is either read or taken apart, so that there is one reader for both.

use serde_json::Value;

/// A JSON value: borrowed, whose strings are copied, or owned, whose strings are moved out.
///
/// Sealed: implemented for `&Value` and `Value`.
pub trait Json: sealed::Node {}

impl Json for &Value {}
impl Json for Value {}

pub(super) use sealed::Node;

mod sealed {
    use serde_json::Value;

    use super::super::json;
    use crate::event::RawText;

    pub trait Node: Sized {
        /// The value itself.
        fn look(&self) -> &Value;

        /// A member of an object; a null is as good as none. Of an owned value it is gone afterwards.
        fn member(&mut self, key: &str) -> Option<Self>;

        /// The elements of an array; none of anything else.
        fn elements(self) -> impl Iterator<Item = Self>;

        /// A string as it is, anything else as JSON text.
        fn text(self) -> RawText;

        /// Lets go of a string that held content.
        fn discard(self);

        /// A member that is a string.
        fn string(&mut self, key: &str) -> Option<RawText> {
            self.look().get(key)?.as_str()?;
            self.member(key).map(Self::text)
        }

        /// A member, looked at.
        fn has_string(&self, key: &str) -> bool {
            self.look().get(key).is_some_and(Value::is_string)
        }

        /// The word that says what the value is.
        fn kind(&self) -> Option<&str> {
            self.look().get("type")?.as_str()
        }
    }

    impl Node for &Value {
        fn look(&self) -> &Value {
            self
        }

        fn member(&mut self, key: &str) -> Option<Self> {
            self.get(key).filter(|value| !value.is_null())
        }

        fn elements(self) -> impl Iterator<Item = Self> {
            self.as_array().into_iter().flatten()
        }

        fn text(self) -> RawText {
            json::text(self)
        }

        fn discard(self) {}
    }

    impl Node for Value {
        fn look(&self) -> &Value {
            self
        }

        fn member(&mut self, key: &str) -> Option<Self> {
            self.get_mut(key).map(Self::take).filter(|value| !value.is_null())
        }

        fn elements(self) -> impl Iterator<Item = Self> {
            match self {
                Self::Array(elements) => elements,
                _ => Vec::new(),
            }
            .into_iter()
        }

        fn text(self) -> RawText {
            json::into_text(self)
        }

        fn discard(self) {
            json::take_apart(self);
        }
    }
}
