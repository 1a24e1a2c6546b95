//! A JSON value that is either read or taken apart, so that there is one reader for all.

use serde_json::Value;

/// A JSON value: borrowed, whose strings are copied, or owned, whose strings are moved out.
///
/// Sealed: implemented for `&Value` and `Value`, and for what a stage reads.
pub trait Json: sealed::Node {}

impl Json for &Value {}
impl Json for Value {}

pub(crate) use sealed::Look;
pub(super) use sealed::Node;

mod sealed {
    use serde_json::Value;

    use super::super::json;
    use crate::event::RawText;

    /// What a value is, looked at.
    pub trait Look<'v>: Copy {
        /// A member of an object, as it stands last.
        fn get(self, key: &str) -> Option<Self>;

        /// The characters of a string.
        fn as_str(self) -> Option<&'v str>;

        /// The elements of an array.
        fn as_array(self) -> Option<impl Iterator<Item = Self>>;

        /// Whether it is a null.
        fn is_null(self) -> bool;

        /// Whether it is an object.
        fn is_object(self) -> bool;

        /// Its JSON text, without those of its own members that are named.
        fn write(self, without: &[&str]) -> RawText;

        /// Whether it is a string.
        fn is_string(self) -> bool {
            self.as_str().is_some()
        }

        /// Whether it is an array.
        fn is_array(self) -> bool {
            self.as_array().is_some()
        }

        /// The word that says what the value is.
        fn kind(self) -> Option<&'v str> {
            self.get("type")?.as_str()
        }
    }

    pub trait Node: Sized {
        /// What is looked at.
        type Look<'v>: Look<'v>
        where
            Self: 'v;

        /// The value itself.
        fn look(&self) -> Self::Look<'_>;

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
            self.look().get(key).is_some_and(Look::is_string)
        }

        /// The word that says what the value is.
        fn kind(&self) -> Option<&str> {
            self.look().kind()
        }
    }

    impl<'v> Look<'v> for &'v Value {
        fn get(self, key: &str) -> Option<Self> {
            Value::get(self, key)
        }

        fn as_str(self) -> Option<&'v str> {
            Value::as_str(self)
        }

        fn as_array(self) -> Option<impl Iterator<Item = Self>> {
            Value::as_array(self).map(|elements| elements.iter())
        }

        fn is_null(self) -> bool {
            Value::is_null(self)
        }

        fn is_object(self) -> bool {
            Value::is_object(self)
        }

        fn write(self, without: &[&str]) -> RawText {
            json::write(self, without)
        }
    }

    impl Node for &Value {
        type Look<'v>
            = &'v Value
        where
            Self: 'v;

        fn look(&self) -> &Value {
            self
        }

        fn member(&mut self, key: &str) -> Option<Self> {
            self.get(key).filter(|value| !value.is_null())
        }

        fn elements(self) -> impl Iterator<Item = Self> {
            Value::as_array(self).into_iter().flatten()
        }

        fn text(self) -> RawText {
            json::text(self)
        }

        fn discard(self) {}
    }

    impl Node for Value {
        type Look<'v> = &'v Self;

        fn look(&self) -> &Self {
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
