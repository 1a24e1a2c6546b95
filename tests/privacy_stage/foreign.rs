//! Content in the attributes of other dialects becomes what the conventions' own would have become.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;
use veilspan::Policy;
use veilspan::privacy::Level;
use veilspan::privacy::c1::Hasher;

use super::build::{
    array, attribute, by_key, every_policy, int, keyed, of_spans, span, span_leaves, text, text_of, unkeyed, veiled,
};
use super::support::leaks::holds;

const ARGUMENTS: &str = r#"{"days":2,"city":"Graz"}"#;
const PARAMETERS: &str = r#"{"type":"object"}"#;

fn texts(pairs: &[(&str, &str)]) -> Vec<KeyValue> {
    pairs.iter().map(|(key, value)| attribute(*key, text(*value))).collect()
}

/// A conversation with a tool call and its result, an answer and a tool, as the conventions have it.
fn conventional() -> Vec<KeyValue> {
    let input = json!([
        {"role": "user", "parts": [{"type": "text", "content": "what is the weather"}]},
        {"role": "assistant", "parts": [
            {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Graz", "days": 2}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "rain"}]},
    ]);
    let output = json!([{"role": "assistant", "parts": [{"type": "text", "content": "it rains"}]}]);
    let tools =
        json!([{"type": "function", "name": "weather", "description": "tells", "parameters": {"type": "object"}}]);
    vec![
        attribute("gen_ai.operation.name", text("chat")),
        attribute("gen_ai.input.messages", text(input.to_string())),
        attribute("gen_ai.output.messages", text(output.to_string())),
        attribute("gen_ai.tool.definitions", text(tools.to_string())),
    ]
}

fn open_inference() -> Vec<KeyValue> {
    let schema = json!({"type": "function", "function": {"name": "weather", "description": "tells",
        "parameters": {"type": "object"}}});
    let call = "llm.input_messages.1.message.tool_calls.0.tool_call";
    let mut attributes = texts(&[
        ("openinference.span.kind", "LLM"),
        ("llm.input_messages.0.message.role", "user"),
        ("llm.input_messages.0.message.contents.0.message_content.type", "text"),
        ("llm.input_messages.0.message.contents.0.message_content.text", "what is the weather"),
        ("llm.input_messages.2.message.role", "tool"),
        ("llm.input_messages.2.message.tool_call_id", "c1"),
        ("llm.input_messages.2.message.content", "rain"),
        ("llm.input_messages.1.message.role", "assistant"),
        (&format!("{call}.id"), "c1"),
        (&format!("{call}.function.name"), "weather"),
        (&format!("{call}.function.arguments"), ARGUMENTS),
        ("llm.output_messages.0.message.role", "assistant"),
        ("llm.output_messages.0.message.content", "it rains"),
    ]);
    attributes.push(attribute("llm.tools.0.tool.json_schema", text(schema.to_string())));
    attributes
}

fn open_llmetry() -> Vec<KeyValue> {
    texts(&[
        ("llm.request.type", "chat"),
        ("gen_ai.prompt.0.role", "user"),
        ("gen_ai.prompt.0.content", "what is the weather"),
        ("gen_ai.prompt.1.role", "assistant"),
        ("gen_ai.prompt.1.tool_calls.0.id", "c1"),
        ("gen_ai.prompt.1.tool_calls.0.name", "weather"),
        ("gen_ai.prompt.1.tool_calls.0.arguments", ARGUMENTS),
        ("gen_ai.prompt.2.role", "tool"),
        ("gen_ai.prompt.2.tool_call_id", "c1"),
        ("gen_ai.prompt.2.content", "rain"),
        ("gen_ai.completion.0.role", "assistant"),
        ("gen_ai.completion.0.content", "it rains"),
        ("gen_ai.completion.0.finish_reason", "stop"),
        ("llm.request.functions.0.name", "weather"),
        ("llm.request.functions.0.description", "tells"),
        ("llm.request.functions.0.parameters", PARAMETERS),
    ])
}

fn vercel() -> Vec<KeyValue> {
    let messages = json!([
        {"role": "user", "content": [{"type": "text", "text": "what is the weather"}]},
        {"role": "assistant", "content": [
            {"type": "tool-call", "toolCallId": "c1", "toolName": "weather", "input": {"city": "Graz", "days": 2}}]},
        {"role": "tool", "content": [{"type": "tool-result", "toolCallId": "c1", "toolName": "weather",
            "output": {"type": "text", "value": "rain"}}]},
    ]);
    let tool =
        json!({"type": "function", "name": "weather", "description": "tells", "inputSchema": {"type": "object"}});
    let mut attributes = texts(&[("ai.operationId", "ai.generateText.doGenerate"), ("ai.response.text", "it rains")]);
    attributes.push(attribute("ai.prompt.messages", text(messages.to_string())));
    attributes.push(attribute("ai.prompt.tools", array([text(tool.to_string())])));
    attributes
}

fn told(span: &Span) -> Vec<(&str, &AnyValue)> {
    let prefixes = ["veilspan.input.", "veilspan.output.", "veilspan.system.", "veilspan.tools.", "veilspan.tool."];
    let all = by_key(&span.attributes).into_iter();
    all.filter(|(key, _)| prefixes.iter().any(|prefix| key.starts_with(prefix))).collect()
}

#[test]
fn a_conversation_has_the_same_digests_in_every_dialect() {
    for policy in [keyed(), unkeyed()] {
        let expected = span_leaves(&policy, span(conventional()));
        assert!(told(&expected).len() >= 7, "{expected:?}");
        for (name, dialect) in
            [("OpenInference", open_inference()), ("OpenLLMetry", open_llmetry()), ("Vercel AI", vercel())]
        {
            let veiled = span_leaves(&policy, span(dialect.clone()));
            assert_eq!(told(&veiled), told(&expected), "{name}");
            let kept =
                dialect.iter().filter(|given| veiled.attributes.iter().any(|left| left.key.starts_with(&given.key)));
            // What says which call it is; all else has been told.
            assert_eq!(kept.count(), 1, "{name}: {:?}", veiled.attributes);
        }
    }
}

#[test]
fn a_chain_is_told_of_all_messages_or_of_none() {
    let chain = |mut given: Span, edit: &dyn Fn(&mut Span)| {
        edit(&mut given);
        let veiled = span_leaves(&keyed(), given);
        assert!(by_key(&veiled.attributes).contains_key("veilspan.input.digests"));
        by_key(&veiled.attributes).contains_key("veilspan.input.chain")
    };
    let given = || span(open_inference());
    assert!(chain(given(), &|_| {}));
    assert!(!chain(given(), &|span| span.dropped_attributes_count = 1));
    assert!(!chain(given(), &|span| span.attributes.retain(|it| !it.key.starts_with("llm.input_messages.0."))));
    assert!(!chain(given(), &|span| span.attributes.retain(|it| !it.key.contains(".1.message.tool_calls"))));
}

#[test]
fn what_one_name_holds_follows_from_the_kind_of_its_span() {
    let leaves = |attributes: &[(&str, &str)]| span_leaves(&unkeyed(), span(texts(attributes)));
    let tool = leaves(&[
        ("openinference.span.kind", "TOOL"),
        ("input.value", ARGUMENTS),
        ("output.value", "rain"),
        ("tool.name", "weather"),
    ]);
    let own = leaves(&[
        ("gen_ai.operation.name", "execute_tool"),
        ("gen_ai.tool.call.arguments", ARGUMENTS),
        ("gen_ai.tool.call.result", "rain"),
    ]);
    assert_eq!(told(&tool), told(&own));
    assert_eq!(told(&own).len(), 5);
    let request = r#"{"messages":[{"role":"user","content":"hello"}],"model":"m"}"#;
    let inference = leaves(&[("openinference.span.kind", "LLM"), ("input.value", request), ("output.value", "hi")]);
    let agent = leaves(&[("openinference.span.kind", "AGENT"), ("input.value", "hello"), ("output.value", "hi")]);
    assert_eq!(told(&inference), told(&agent));
    // A span that groups others is no call, and its content is content like any other.
    let chain = leaves(&[("openinference.span.kind", "CHAIN"), ("input.value", "hello"), ("output.value", "hi")]);
    assert!(told(&chain).is_empty());
    let keys = by_key(&chain.attributes);
    assert!(["input.value.digest", "output.value.length"].iter().all(|key| keys.contains_key(key)), "{keys:?}");
    // Messages win over the request that they are a part of, which is told as it stands.
    let mut both = open_inference();
    both.push(attribute("input.value", text(request)));
    let veiled = span_leaves(&keyed(), span(both));
    assert_eq!(told(&veiled), told(&span_leaves(&keyed(), span(open_inference()))));
    assert!(by_key(&veiled.attributes).contains_key("input.value.digest"));
}

#[test]
fn what_was_embedded_looked_for_and_found_is_told_in_one_way() {
    let leaves = |attributes: &[(&str, &str)]| span_leaves(&unkeyed(), span(texts(attributes)));
    let digests = |said: &[&str]| {
        let digest = |said: &&str| text(veilspan::privacy::c1::digest::text(&Hasher::sha256(), said).to_string());
        array(said.iter().map(digest).collect::<Vec<_>>())
    };
    let lengths = |said: &[&str]| array(said.iter().map(|said| int(said.len() as i64)).collect::<Vec<_>>());
    let embedded = leaves(&[
        ("openinference.span.kind", "EMBEDDING"),
        ("embedding.embeddings.1.embedding.text", "the second"),
        ("embedding.embeddings.0.embedding.text", "first"),
        ("embedding.embeddings.0.embedding.vector", "[0.5]"),
    ]);
    let said = ["first", "the second"];
    assert_eq!(
        told(&embedded),
        [("veilspan.input.digests", &digests(&said)), ("veilspan.input.lengths", &lengths(&said))]
    );
    let (query, found) = (["where is Graz"], ["in Styria", "on the Mur"]);
    let expected = [
        ("veilspan.input.digests", &digests(&query)),
        ("veilspan.input.lengths", &lengths(&query)),
        ("veilspan.output.digests", &digests(&found)),
        ("veilspan.output.lengths", &lengths(&found)),
    ];
    for (kind, query_key) in [
        (("openinference.span.kind", "RETRIEVER"), "input.value"),
        (("gen_ai.operation.name", "retrieval"), "gen_ai.retrieval.query.text"),
    ] {
        let retrieved = leaves(&[
            kind,
            (query_key, query[0]),
            ("retrieval.documents.0.document.content", found[0]),
            ("retrieval.documents.1.document.content", found[1]),
        ]);
        assert_eq!(told(&retrieved), expected, "{query_key}");
        assert!(!by_key(&retrieved.attributes).contains_key(&*format!("{query_key}.digest")), "once is enough");
    }
    let listed = json!([{"id": "1", "score": 0.5, "content": found[0]}, {"id": "2", "score": 0.1, "text": found[1]}]);
    let retrieved = leaves(&[
        ("gen_ai.operation.name", "retrieval"),
        ("gen_ai.retrieval.query.text", query[0]),
        ("gen_ai.retrieval.documents", &listed.to_string()),
    ]);
    assert_eq!(told(&retrieved), expected);
    // On another call the names mean nothing.
    let other = leaves(&[("openinference.span.kind", "CHAIN"), ("retrieval.documents.0.document.content", found[0])]);
    assert!(told(&other).is_empty());
    assert!(by_key(&other.attributes).contains_key("retrieval.documents.0.document.content.digest"));
}

#[test]
fn what_cannot_be_read_is_content_like_any_other() {
    let cut = "[{\"role\":\"user\",\"content\":\"cut of";
    let veiled = span_leaves(
        &keyed(),
        span([
            attribute("ai.operationId", text("ai.generateText.doGenerate")),
            attribute("ai.prompt.messages", text(cut)),
            attribute("llm.input_messages.0.message.content", int(7)),
        ]),
    );
    let keys = by_key(&veiled.attributes);
    assert!(told(&veiled).is_empty(), "{keys:?}");
    assert!(keys.contains_key("ai.prompt.messages.digest") && keys.contains_key("ai.prompt.messages.length"));
}

#[test]
fn at_masked_messages_are_shown_as_the_conventions_have_them_and_stay_where_they_stood() {
    let policy = Policy::builder().content(Level::Masked).unkeyed_sha256().build_in(&Default::default()).0;
    let secret = "my key is sk-ant-api03-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcdefghijklmnopqrstuvwxyz-AbCdEfGhIjKlMnOpQrStUvWxAA";
    let mut attributes = open_inference();
    attributes[3] = attribute("llm.input_messages.0.message.contents.0.message_content.text", text(secret));
    let veiled = span_leaves(&policy, span(attributes));
    let keys = by_key(&veiled.attributes);
    let shown: serde_json::Value = serde_json::from_str(text_of(keys["gen_ai.input.messages"])).unwrap();
    assert_eq!(shown[1]["parts"][0]["name"], "weather");
    let left = text_of(keys["llm.input_messages.0.message.contents.0.message_content.text"]);
    for masked in [left, shown[0]["parts"][0]["content"].as_str().unwrap()] {
        assert!(masked.starts_with("my key is [redacted:"), "{masked}");
    }
    assert_eq!(text_of(keys["llm.output_messages.0.message.content"]), "it rains");
    assert!(keys.keys().all(|key| !key.ends_with(".digest") || key.starts_with("veilspan.")), "{keys:?}");
}

#[test]
fn nothing_that_was_said_leaves_under_any_name_of_a_dialect() {
    let said = "quiet zebras gallop over seven purple hills";
    let names = open_inference().into_iter().chain(open_llmetry()).chain(vercel()).map(|attribute| attribute.key);
    let more = [
        "ai.prompt",
        "ai.response.toolCalls",
        "ai.response.reasoning",
        "ai.response.object",
        "tool.parameters",
        "ai.toolCall.args",
        "ai.toolCall.result",
        "llm.prompts",
        "llm.completions",
        "user_prompt",
        "langfuse.input",
        "llm.prompts.0.prompt.text",
        "llm.choices.0.completion.text",
        "input.value",
        "output.value",
        "llm.input_messages.0.message.contents.0.message_content.image.image.url",
        "llm.input_messages.65535.message.tool_calls.65535.tool_call.function.arguments",
    ];
    let names: Vec<String> = names.chain(more.map(str::to_owned)).collect();
    for operation in ["chat", "execute_tool", "invoke_agent", "retrieval", "other"] {
        let spans = names.iter().map(|name| {
            span([attribute("gen_ai.operation.name", text(operation)), attribute(name.clone(), text(said))])
        });
        let all = span(names.iter().map(|name| attribute(name.clone(), text(format!("{said} {name}")))));
        let request = of_spans(spans.chain([all])).encode_to_vec();
        for policy in every_policy() {
            let out = veiled(&policy, &request);
            assert!(!holds(&out, "zebras"), "{operation}: {policy:?}");
        }
    }
}

#[test]
fn a_span_of_many_thousand_parts_in_the_worst_order_is_told_in_time() {
    let parts = (0..30_000u16)
        .rev()
        .map(|number| attribute(format!("llm.input_messages.{number}.message.content"), text("word")));
    let kind = attribute("openinference.span.kind", text("LLM"));
    let request = of_spans([span(parts.chain([kind]))]).encode_to_vec();
    let out = veiled(&keyed(), &request);
    assert!(out.len() < request.len());
}

#[test]
fn a_reason_that_a_detector_hits_is_told_as_another_in_every_dialect() {
    let policy = Policy::builder().content(Level::Masked).unkeyed_sha256().build_in(&Default::default()).0;
    let own =
        json!([{"role": "assistant", "finish_reason": "ada@example.com", "parts": [{"type": "text", "content": "x"}]}]);
    let flat = texts(&[("gen_ai.completion.0.content", "x"), ("gen_ai.completion.0.finish_reason", "ada@example.com")]);
    for attributes in [vec![attribute("gen_ai.output.messages", text(own.to_string()))], flat] {
        let veiled = span_leaves(&policy, span(attributes));
        let shown = text_of(by_key(&veiled.attributes)["gen_ai.output.messages"]).to_owned();
        assert!(shown.contains(r#""finish_reason":"_OTHER""#), "{shown}");
        assert!(!holds(&veiled.encode_to_vec(), "ada@example.com"));
    }
}
