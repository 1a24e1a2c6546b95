//! The map that a framework keeps.

use serde_json::{Value, json};
use veilspan::replay::{AgentState, StateError};

fn read(state: Value) -> Result<AgentState, StateError> {
    AgentState::from_json(state)
}

#[test]
fn c37_unknown_keys_are_kept_and_reading_twice_changes_nothing() {
    for state in [
        json!({"framework": "langchain", "messages": [1], "odd": {"a": 1}, "metadata": {"b": 2, "_extra": {"c": 3}}}),
        json!({"framework": "mine", "data": {"a": 1}, "odd": 2}),
        json!({"odd": 2}),
        json!({}),
    ] {
        let once = read(state).unwrap().to_json();
        assert_eq!(read(once.clone()).unwrap().to_json(), once);
    }
    let langchain = read(json!({"framework": "langchain", "odd": 1, "metadata": {"_extra": {"c": 3}}})).unwrap();
    assert_eq!(langchain.field("metadata").unwrap()["_extra"], json!({"c": 3, "odd": 1}));
    let custom = read(json!({"framework": "mine", "data": {"a": 1, "b": 1}, "a": 2})).unwrap();
    assert_eq!((custom.framework(), custom.field("data").unwrap()), ("mine", &json!({"a": 2, "b": 1})));
}

#[test]
fn c38_a_map_that_is_null_is_empty() {
    let state = read(json!({"framework": "langchain", "metadata": null, "odd": 1})).unwrap();
    assert_eq!(state.field("metadata").unwrap(), &json!({"_extra": {"odd": 1}}));
    let state = read(json!({"framework": "mine", "data": null, "odd": 1})).unwrap();
    assert_eq!(state.field("data").unwrap(), &json!({"odd": 1}));
    let state = read(json!({"framework": "langchain", "metadata": {"_extra": null}, "odd": 1})).unwrap();
    assert_eq!(state.field("metadata").unwrap(), &json!({"_extra": {"odd": 1}}));
}

#[test]
fn c39_a_known_field_of_another_type_is_an_error_that_names_it() {
    for (state, field) in [
        (json!({"framework": "langchain", "messages": "canary"}), "messages"),
        (json!({"framework": "langchain", "intermediate_steps": {}}), "intermediate_steps"),
        (json!({"framework": "langchain", "metadata": ["canary"]}), "metadata"),
        (json!({"framework": "langchain", "metadata": {"_extra": "canary"}, "odd": 1}), "metadata._extra"),
        (json!({"framework": 7}), "framework"),
        (json!({"label": true}), "label"),
        (json!({"data": "canary"}), "data"),
    ] {
        let error = read(state).unwrap_err();
        assert!(matches!(&error, StateError::WrongType { field: told, .. } if *told == field), "{error}");
        assert!(error.to_string().contains(field) && !error.to_string().contains("canary"), "{error}");
    }
    assert_eq!(read(json!([])).unwrap_err(), StateError::NotAMap);
    assert!(!format!("{:?}", read(json!({"secret": "canary"})).unwrap()).contains("canary"));
}
