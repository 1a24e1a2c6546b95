//! Members of JSON objects that are read as far as they have the type that is meant: one that has another is absent, and
//! costs nothing but itself. Each is read in one pass.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};

type Never = serde::de::value::Error;

/// A number or a flag that may be of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import) struct Loose<T>(pub(in crate::import) Option<T>);

/// An object that may be of another type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::import) struct Object<T>(pub(in crate::import) Option<T>);

impl<T> Default for Loose<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Default for Object<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Loose<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfScalar(PhantomData)).map(Self)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfObject(PhantomData)).map(Self)
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
        deserializer.deserialize_any(OfText).map(Self)
    }
}

/// What is passed over is as good as absent.
macro_rules! passes_over {
    ($($what:ident),*) => {
        $(passes_over!(@ $what);)*
    };
    (@ scalars) => {
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(None)
        }
    };
    (@ texts) => {
        fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
            Ok(None)
        }
    };
    (@ objects) => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    };
    (@ rest) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    };
}

struct OfText;

impl<'de> Visitor<'de> for OfText {
    type Value = Option<Cow<'de, str>>;

    passes_over!(scalars, objects, rest);

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }
}

struct OfScalar<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfScalar<T> {
    type Value = Option<T>;

    passes_over!(texts, objects, rest);

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(T::deserialize(IntoDeserializer::<Never>::into_deserializer(value)).ok())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(T::deserialize(IntoDeserializer::<Never>::into_deserializer(value)).ok())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(T::deserialize(IntoDeserializer::<Never>::into_deserializer(value)).ok())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(T::deserialize(IntoDeserializer::<Never>::into_deserializer(value)).ok())
    }
}

struct OfObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OfObject<T> {
    type Value = Option<T>;

    passes_over!(scalars, texts, rest);

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Some)
    }
}

/// A line in which half a pair of surrogates stands, as JavaScript writes a text that was cut in the middle of a sign,
/// with a replacement sign in its place; nothing where there is none.
pub(in crate::import) fn mended(line: &[u8]) -> Option<Vec<u8>> {
    let code = |at: usize| -> Option<u32> {
        let digits = line.get(at..)?.strip_prefix(b"\\u")?.get(..4)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let is_high = |code: u32| (0xd800..0xdc00).contains(&code);
    let is_low = |code: u32| (0xdc00..0xe000).contains(&code);
    let (mut mended, mut at, mut is_broken) = (Vec::with_capacity(line.len()), 0, false);
    while let Some(byte) = line.get(at) {
        let length = match (byte, code(at)) {
            (b'\\', Some(high)) if is_high(high) && code(at + 6).is_some_and(is_low) => 12,
            (b'\\', Some(half)) if is_high(half) || is_low(half) => {
                is_broken = true;
                mended.extend_from_slice(b"\\ufffd");
                at += 6;
                continue;
            }
            (b'\\', Some(_)) => 6,
            (b'\\', None) => 2,
            _ => 1,
        };
        mended.extend_from_slice(line.get(at..(at + length).min(line.len())).unwrap_or_default());
        at += length;
    }
    is_broken.then_some(mended)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Members<'a> {
        #[serde(borrow)]
        text: Text<'a>,
        count: Loose<u16>,
        flag: Loose<bool>,
        share: Loose<f64>,
        #[serde(borrow)]
        inner: Object<Inner<'a>>,
        last: Loose<i64>,
    }

    #[derive(Deserialize)]
    struct Inner<'a> {
        #[serde(borrow, default)]
        text: Text<'a>,
    }

    #[test]
    fn a_member_of_another_type_is_absent_and_costs_nothing_but_itself() {
        let right =
            r#"{"text": "a", "count": 3, "flag": true, "share": 2, "inner": {"text": "b\n", "x": [1]}, "last": 7}"#;
        let read: Members<'_> = serde_json::from_str(right).unwrap();
        assert_eq!(
            (read.text.some(), read.count.0, read.flag.0, read.share.0),
            (Some("a"), Some(3), Some(true), Some(2.0))
        );
        assert_eq!((read.inner.0.unwrap().text.some(), read.last.0), (Some("b\n"), Some(7)));
        for wrong in ["null", "[1, {}]", "{\"a\": [{}]}", "true", "\"x\"", "-1.5", "99999999999", "[]", "{}"] {
            let json = right
                .replace("\"a\"", wrong)
                .replace(": 3", &format!(": {wrong}"))
                .replace(": true", &format!(": {wrong}"));
            let json = json.replace(": 2,", &format!(": {wrong},")).replace(r#"{"text": "b\n", "x": [1]}"#, wrong);
            let read: Members<'_> = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{json}"));
            assert_eq!(read.last.0, Some(7), "{json}");
            assert!(read.count.0.is_none(), "{json}");
        }
    }

    #[test]
    fn half_a_sign_is_mended_and_nothing_else_is_touched() {
        let mend = |text: &str| mended(text.as_bytes()).map(|line| String::from_utf8(line).unwrap());
        assert_eq!(mend(r#""a \ud83d b""#).unwrap(), r#""a \ufffd b""#);
        assert_eq!(mend(r#""\ude00\ud83d\ude00\ud83d""#).unwrap(), r#""\ufffd\ud83d\ude00\ufffd""#);
        for whole in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""é\n\u00e9""#, "", "\\", "\\u", r"\u12"] {
            assert_eq!(mend(whole), None, "{whole}");
        }
    }
}
