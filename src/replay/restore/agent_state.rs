//! The state that a framework keeps, as a map: read, checked and written again.

use std::fmt;

use serde_json::{Map, Value};

/// Where keys go that the state of LangChain does not have.
const EXTRA: &str = "_extra";
/// What a state is made by that does not say.
const CUSTOM: &str = "custom";
const LANGCHAIN: &str = "langchain";

/// What a field has to be.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    List,
    Map,
}

const BASE: &[(&str, Shape)] = &[("framework", Shape::Text), ("label", Shape::Text), ("created_at", Shape::Text)];
const OF_LANGCHAIN: &[(&str, Shape)] = &[
    ("messages", Shape::List),
    ("intermediate_steps", Shape::List),
    ("run_name", Shape::Text),
    ("run_id", Shape::Text),
    ("metadata", Shape::Map),
];
const OF_CUSTOM: &[(&str, Shape)] = &[("data", Shape::Map)];

/// The state that a framework keeps. Read and written twice it is the same. `Debug` tells its framework and keys alone.
///
/// A state of LangChain has `messages`, `intermediate_steps`, `run_name`, `run_id` and `metadata`; every other one has
/// `data`; all have `framework`, `label` and `created_at`. A map that is null is empty. Keys beyond these are kept: in
/// `metadata` under `_extra`, or in `data`.
#[derive(Clone, PartialEq)]
pub struct AgentState {
    fields: Map<String, Value>,
}

/// Why a map is no state. Names the field, never its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// It is no map at all.
    #[error("the state is not a map")]
    NotAMap,
    /// A known field has another type.
    #[error("the state's field `{field}` is not {expected}")]
    WrongType {
        /// The field.
        field: &'static str,
        /// What it has to be.
        expected: &'static str,
    },
}

impl AgentState {
    /// Reads and checks a state.
    ///
    /// # Errors
    ///
    /// It is no map, or a known field has another type.
    pub fn from_json(state: Value) -> Result<Self, StateError> {
        let Value::Object(mut given) = state else { return Err(StateError::NotAMap) };
        let mut fields = Map::new();
        given.entry("framework").or_insert_with(|| CUSTOM.into());
        take(&mut given, BASE, &mut fields)?;
        let is_langchain = fields.get("framework").and_then(Value::as_str) == Some(LANGCHAIN);
        take(&mut given, if is_langchain { OF_LANGCHAIN } else { OF_CUSTOM }, &mut fields)?;
        if !given.is_empty() {
            if is_langchain { add_extra(&mut fields, given)? } else { add(&mut fields, "data", given) }
        }
        Ok(Self { fields })
    }

    /// The state as it is written.
    pub fn to_json(&self) -> Value {
        let mut json = Value::Object(self.fields.clone());
        json.sort_all_objects();
        json
    }

    /// What made it.
    pub fn framework(&self) -> &str {
        self.fields.get("framework").and_then(Value::as_str).unwrap_or(CUSTOM)
    }

    /// A field of it.
    pub fn field(&self, name: &str) -> Option<&Value> {
        self.fields.get(name)
    }
}

/// Moves known fields over, each checked. What is null is left out.
fn take(
    given: &mut Map<String, Value>,
    known: &'static [(&'static str, Shape)],
    fields: &mut Map<String, Value>,
) -> Result<(), StateError> {
    for (field, shape) in known {
        let Some(value) = given.remove(*field).filter(|value| !value.is_null()) else { continue };
        let (fits, expected) = match shape {
            Shape::Text => (value.is_string(), "a text"),
            Shape::List => (value.is_array(), "a list"),
            Shape::Map => (value.is_object(), "a map"),
        };
        if !fits {
            return Err(StateError::WrongType { field, expected });
        }
        fields.insert((*field).to_owned(), value);
    }
    Ok(())
}

/// Adds to the map under a name, which is made where there is none.
fn add(fields: &mut Map<String, Value>, name: &str, more: Map<String, Value>) {
    match fields.get_mut(name) {
        Some(Value::Object(map)) => map.extend(more),
        _ => drop(fields.insert(name.to_owned(), more.into())),
    }
}

fn add_extra(fields: &mut Map<String, Value>, more: Map<String, Value>) -> Result<(), StateError> {
    let mut metadata = match fields.remove("metadata") {
        Some(Value::Object(metadata)) => metadata,
        _ => Map::new(),
    };
    if metadata.get(EXTRA).is_some_and(|extra| !extra.is_object() && !extra.is_null()) {
        return Err(StateError::WrongType { field: "metadata._extra", expected: "a map" });
    }
    add(&mut metadata, EXTRA, more);
    fields.insert("metadata".to_owned(), metadata.into());
    Ok(())
}

impl fmt::Debug for AgentState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentState")
            .field("framework", &self.framework())
            .field("fields", &self.fields.keys().collect::<Vec<_>>())
            .finish()
    }
}
