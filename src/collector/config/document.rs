//! A YAML document whose every value knows its line.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::budget::BudgetBreach;
use serde_saphyr::{Error, Spanned};

use super::error::ConfigError;

/// A value and where it stands.
#[derive(Clone)]
pub(super) struct Node {
    /// Where its key stands, or else the value.
    pub(super) line: u64,
    pub(super) value: Value,
}

/// What may stand in a document. Has no `Debug`: a text may be a secret.
#[derive(Clone)]
pub(super) enum Value {
    Nothing,
    Flag(bool),
    Number(i64),
    Text {
        text: String,
        /// It is what one variable of the environment says, and nothing else.
        is_variable: bool,
    },
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// How deep values may stand in each other: no setting is half as deep, and each level takes stack.
const MAX_DEPTH: usize = 24;

/// Reads a document.
pub(super) fn parse(yaml: &str) -> Result<Node, ConfigError> {
    let options = serde_saphyr::options! { budget: serde_saphyr::budget! { max_depth: MAX_DEPTH } };
    let document: Result<Spanned<Value>, _> = serde_saphyr::from_str_with_options(yaml, options);
    document.map(Node::from).map_err(|error| {
        // The parser's own words may quote the file.
        let line = error.location().map(|location| location.line());
        let problem = match error.without_snippet() {
            Error::DuplicateMappingKey { .. } => "a key stands here that stood there before",
            Error::Budget { breach: BudgetBreach::Depth { .. }, .. } => {
                "values stand in each other deeper than any setting does"
            }
            _ => "not YAML; indent with blanks, and quote what holds `: ` or begins with a sign",
        };
        ConfigError::new(line, "the file", problem)
    })
}

impl Node {
    /// The line of a place such as `exporters.otlp/second.tls`, or of as much of it as is there. Names may hold dots.
    pub(super) fn line_of(&self, place: &str) -> Option<u64> {
        let Value::Map(entries) = &self.value else { return None };
        entries.iter().find_map(|(key, node)| match place.strip_prefix(key.as_str())? {
            "" => Some(node.line),
            inside => node.line_of(inside.strip_prefix('.')?).or(Some(node.line)),
        })
    }
}

impl From<Spanned<Value>> for Node {
    fn from(spanned: Spanned<Value>) -> Self {
        Self { line: spanned.referenced.line(), value: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(i64::try_from(number).unwrap_or(i64::MAX)))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        // No setting is a fraction; whoever wants a number says that.
        Ok(Value::Text { text: number.to_string(), is_variable: false })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text { text: text.to_owned(), is_variable: false })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = values.next_element::<Spanned<Value>>()? {
            list.push(Node::from(value));
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<Spanned<String>>()? {
            let node = Node { line: key.referenced.line(), value: entries.next_value()? };
            map.push((key.value, node));
        }
        Ok(Value::Map(map))
    }
}
