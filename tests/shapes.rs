//! The same conversation, whichever provider's shape it comes in, has the same digests.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a helper of a test may panic like the test")]

mod conversation;

use conversation::{anthropic, chat, genai, responses};
use proptest::prelude::*;
use serde_json::{Value, json};
use veilspan::event::{Digest, shape};
use veilspan::privacy::c1::{self, Hasher, RequestDigests};

fn digests(body: Value) -> RequestDigests {
    let borrowed = c1::request(&Hasher::sha256(), &shape::request(&body).unwrap());
    let owned = c1::request(&Hasher::sha256(), &shape::request(body).unwrap());
    assert_eq!(borrowed, owned);
    owned
}

fn items(digests: &RequestDigests) -> Vec<Digest> {
    digests.items.iter().map(|item| item.digest.unwrap()).collect()
}

fn chain(digests: &RequestDigests) -> Digest {
    assert_eq!(digests.heads.len(), digests.items.len() + 1);
    *digests.heads.last().unwrap()
}

#[test]
fn one_conversation_has_one_chain_in_every_shape() {
    let chat = digests(chat());
    assert_eq!(chat.items.len(), 6);
    let genai = c1::request(&Hasher::sha256(), &genai());
    for other in [digests(anthropic()), digests(responses()), genai] {
        assert_eq!(items(&chat), items(&other));
        assert_eq!(chat.tools, other.tools);
        assert_eq!(chain(&chat), chain(&other));
        let roles = |digests: &RequestDigests| digests.items.iter().map(|item| item.role).collect::<Vec<_>>();
        assert_eq!(roles(&chat), roles(&other));
    }
}

#[test]
fn separate_system_instructions_are_equal_in_every_shape() {
    let messages = json!([{"role": "user", "content": "hi"}]);
    let bodies = [
        json!({"system": "a\n\nb", "messages": messages}),
        json!({"system": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "b"}], "messages": messages}),
        json!({"instructions": "a\n\nb", "input": "hi"}),
    ];
    let [first, second, third] = bodies.map(digests);
    assert_eq!(first, second);
    assert_eq!(first.system, third.system);
    assert_eq!(chain(&first), chain(&third));
    let genai = shape::genai::system(json!([{"type": "text", "content": "a"}, {"type": "text", "content": "b"}]));
    assert_eq!(c1::system(&Hasher::sha256(), &genai), first.system);
    // In the list it is a message, and another chain.
    let inside =
        digests(json!({"messages": [{"role": "system", "content": "a\n\nb"}, {"role": "user", "content": "hi"}]}));
    assert_eq!(inside.system.digest, None);
    assert_eq!(inside.items.len(), 2);
}

#[test]
fn absent_null_and_empty_options_are_the_same() {
    let messages = json!([{"role": "user", "content": "hi"}]);
    let bare = digests(json!({"messages": messages}));
    let full = digests(json!({"messages": messages, "tools": null, "system": null, "top_p": 0.5, "stop": ["x"]}));
    assert_eq!(bare, full);
    assert_eq!(bare, digests(json!({"messages": messages, "tools": []})));
    assert_eq!(bare, digests(messages));
}

#[test]
fn what_differs_to_the_eye_alone_differs() {
    let digest = |text: &str| items(&digests(json!([{"role": "user", "content": text}])));
    assert_ne!(digest("\u{e9}"), digest("e\u{301}"));
    assert_ne!(digest("a\nb"), digest("a\r\nb"));
    assert_ne!(digest("a"), digest("a "));
}

#[test]
fn a_change_of_message_system_or_tool_is_another_chain() {
    let heads = |change: fn(&mut Value)| {
        let mut body = anthropic();
        body["system"] = json!("s");
        change(&mut body);
        chain(&digests(body))
    };
    let same = heads(|_| ());
    assert_eq!(same, heads(|body| body["temperature"] = json!(0.5)));
    assert_eq!(same, heads(|body| body["tools"].as_array_mut().unwrap().reverse()));
    assert_eq!(same, heads(|body| body["messages"][0]["content"][0]["cache_control"] = json!({"type": "ephemeral"})));
    assert_ne!(same, heads(|body| body["system"] = json!("t")));
    assert_ne!(same, heads(|body| body["tools"][0]["description"] = json!("t")));
    assert_ne!(same, heads(|body| body["messages"][4]["content"] = json!("t")));
    assert_ne!(same, heads(|body| body["messages"][4]["role"] = json!("developer")));
    assert_ne!(same, heads(|body| body["messages"].as_array_mut().unwrap().swap(0, 4)));
}

#[test]
fn an_answer_is_the_message_that_the_next_request_has() {
    let hasher = Hasher::sha256();
    let call = json!({"id": "1", "type": "function", "function": {"name": "add", "arguments": "{}"}});
    let answers = [
        json!({"choices": [{"message": {"role": "assistant", "content": "ok", "tool_calls": [call]}}]}),
        json!({"role": "assistant", "content": [{"type": "text", "text": "ok"},
            {"type": "tool_use", "id": "x", "name": "add", "input": {}}]}),
        json!({"output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok"}]},
            {"type": "function_call", "call_id": "y", "name": "add", "arguments": "{}"}]}),
    ];
    let next = digests(json!([{"role": "assistant", "content": "ok", "tool_calls": [call]}]));
    for answer in answers {
        let output = c1::answer(&hasher, &shape::answer(answer));
        assert_eq!(output.items.len(), 1);
        assert_eq!(output.items[0].digest, next.items[0].digest);
        assert_eq!(output.items[0].length, Some(4));
    }
}

#[test]
fn a_double_is_the_same_as_text_and_as_value() {
    for double in
        ["0.30000000000000004", "1.7976931348623157e308", "9.5367431640625e-7", "31.245270191439438", "5e-324"]
    {
        let arguments = format!("{{\"x\":{double}}}");
        let chat = json!([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": arguments}}]}]);
        let input: Value = serde_json::from_str(&arguments).unwrap();
        let anthropic = json!([{"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": input}]}]);
        assert_eq!(items(&digests(chat)), items(&digests(anthropic)), "{double}");
    }
}

fn hostile() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "text",
        "image_url",
        "tool_use",
        "tool_result",
        "reasoning",
        "thinking",
        "file",
        "image",
        "document",
        "base64",
        "function",
        "function_call",
        "function_call_output",
        "message",
        "user",
        "assistant",
        "tool",
        "data:;base64,AA",
        "",
    ]);
    let key = prop::sample::select(vec![
        "role",
        "content",
        "type",
        "messages",
        "input",
        "system",
        "tools",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "text",
        "source",
        "data",
        "url",
        "image_url",
        "id",
        "output",
        "parts",
        "summary",
        "usage",
        "choices",
        "message",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from)
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| Value::Object(
                members.into_iter().map(|(key, value)| (key.into(), value)).collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_makes_a_reader_panic_or_both_ways_disagree(value in hostile()) {
        let hasher = Hasher::sha256();
        let borrowed = shape::request(&value).map(|request| c1::request(&hasher, &request));
        let owned = shape::request(value.clone()).map(|request| c1::request(&hasher, &request));
        prop_assert_eq!(borrowed, owned);
        let borrowed = c1::answer(&hasher, &shape::answer(&value));
        let _ = shape::response_facts(&value);
        let listed = shape::messages(Value::Array(vec![value.clone()]));
        prop_assert!(!listed.is_empty());
        prop_assert_eq!(borrowed, c1::answer(&hasher, &shape::answer(value)));
    }
}
