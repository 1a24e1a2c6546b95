//! What of a request is part of its digests, and what stands beside them.

use serde_json::{Value, json};
use veilspan::event::Input;
use veilspan::{Policy, semconv};

use crate::common::{calls, inference, recorder, recorder_with};

fn body() -> Value {
    json!({
        "model": "m",
        "system": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        "messages": [
            {"role": "user", "content": "hello"},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "add", "arguments": "{\"x\": 1, \"y\": 2}"}}
            ]},
            {"role": "tool", "tool_call_id": "1", "content": "3"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "add", "description": "adds", "parameters": {"type": "object", "required": ["x", "y"]}
        }}],
        "temperature": 0.5,
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut body = body();
    change(&mut body);
    body
}

/// The digests of a request, and the parameters that its span has.
fn told(body: &Value) -> (Input, Vec<(&'static str, String)>) {
    let (recorder, sink) = recorder();
    recorder.inference("openai", "m").input(body).start().finish();
    let call = calls(&recorder, &sink).remove(0);
    let parameters = call.opened.attrs.iter().filter(|(id, _)| id.name().key.contains(".request."));
    let parameters = parameters.map(|(id, value)| (id.name().key, format!("{value:?}"))).collect();
    (inference(&call).0.clone(), parameters)
}

fn set(body: &mut Value, name: &str, value: Value) {
    body.as_object_mut().unwrap().insert(name.to_owned(), value);
}

#[test]
fn r33_the_same_request_in_another_order_of_members_has_the_same_digests() {
    let reordered: Value = serde_json::from_str(
        r#"{"temperature": 0.5,
            "tools": [{"function": {"parameters": {"required": ["x", "y"], "type": "object"}, "description": "adds", "name": "add"}, "type": "function"}],
            "messages": [
                {"content": "hello", "role": "user"},
                {"tool_calls": [{"function": {"arguments": "{\"y\":2,\"x\":1}", "name": "add"}, "type": "function", "id": "another"}], "role": "assistant"},
                {"content": "3", "tool_call_id": "another", "role": "tool"}],
            "system": [{"text": "a", "type": "text"}, {"text": "b", "type": "text"}], "model": "m", "top_p": null, "stop": null, "response_format": null}"#,
    )
    .unwrap();
    let (one, parameters) = told(&body());
    let (other, others_parameters) = told(&reordered);
    assert!(one.chain.is_some());
    assert_eq!((one.chain, one.system.digest, one.tools), (other.chain, other.system.digest, other.tools));
    assert_eq!(parameters, others_parameters);
}

#[test]
fn r33_what_a_model_is_shown_is_part_of_the_chain() {
    let chain = |body: &Value| told(body).0.chain;
    let changes: [fn(&mut Value); 5] = [
        |body| body["messages"][0]["content"] = json!("Hello"),
        |body| body["system"][1]["text"] = json!("c"),
        |body| body["tools"][0]["function"]["description"] = json!("subtracts"),
        |body| body["messages"][1]["tool_calls"][0]["function"]["arguments"] = json!("{\"x\": 1, \"y\": 3}"),
        |body| body["messages"][2]["content"] = json!("4"),
    ];
    for change in changes {
        let changed = with(change);
        assert_ne!(chain(&changed), chain(&body()), "{changed}");
    }
    let joined = with(|body| body["system"] = json!("a\n\nb"));
    assert_eq!(chain(&joined), chain(&body()));
}

#[test]
fn r33_a_parameter_is_no_part_of_the_chain_and_stands_on_the_span() {
    let (plain, without) = told(&body());
    let schema = |name: &str| json!({"type": "json_schema", "json_schema": {"name": name}});
    let changes = [
        ("top_p", json!(0.25), json!(0.75)),
        ("temperature", json!(0.25), json!(0.75)),
        ("stop", json!("END OF IT"), json!(["END OF IT", "or here"])),
        ("response_format", schema("one"), schema("two")),
        ("response_format", json!({"type": "json_object"}), schema("two")),
        ("max_completion_tokens", json!(1), json!(2)),
        ("seed", json!(1), json!(2)),
        ("n", json!(2), json!(3)),
        ("reasoning_effort", json!("low"), json!("high")),
    ];
    for (name, one, another) in changes {
        let (first, has_one) = told(&with(|body| set(body, name, one)));
        let (second, has_another) = told(&with(|body| set(body, name, another)));
        assert_eq!((first.chain, second.chain), (plain.chain, plain.chain), "{name}");
        assert_ne!(has_one, without, "{name}");
        assert_ne!(has_one, has_another, "{name}");
        assert!(!format!("{has_another:?}").contains("or here"), "{name}");
    }
}

#[test]
fn parameters_mean_the_same_from_a_body_and_from_a_builder() {
    let (recorder, sink) = recorder();
    let format = json!({"type": "json_object"});
    let body = json!({
        "messages": [{"role": "user", "content": "x"}], "temperature": 0.5, "top_p": 0.25, "max_tokens": 7, "seed": 3,
        "n": 2, "stream": true, "frequency_penalty": 0.125, "presence_penalty": 1.5, "top_k": 4, "stop": ["a", "b"],
        "response_format": format,
    });
    recorder.inference("openai", "m").input(&body).start().finish();
    let by_hand = recorder.inference("openai", "m").input("x").temperature(0.5).top_p(0.25).max_tokens(7).seed(3);
    let by_hand = by_hand.choice_count(2).streaming().frequency_penalty(0.125).presence_penalty(1.5).top_k(4.0);
    by_hand.stop_sequences(["a", "b"]).response_format(&format).start().finish();
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].opened.attrs.get(semconv::STREAM), Some(true));
    assert_eq!(calls[0].opened.attrs, calls[1].opened.attrs);
}

#[test]
fn without_digests_nothing_is_told_of_what_stops_a_model() {
    let (recorder, sink) = recorder_with(Policy::builder().no_digests().build_in(&Default::default()).0);
    recorder.inference("openai", "m").input("x").stop_sequences(["a word of mine"]).start().finish();
    let calls = calls(&recorder, &sink);
    assert_eq!(calls[0].opened.attrs.text(semconv::STOP_DIGEST), None);
}
