//! The vectors of form `c1`, which every implementation has to meet.

#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a helper of a test may panic like the test"
)]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use veilspan::event::{Digest, Message, Part, RawText, Request, ResultContent, Role, ToolDefinition};
use veilspan::privacy::c1::{self, Hasher, digest};

struct Vectors {
    key: Vec<u8>,
    vectors: Vec<Value>,
}

fn vectors() -> Vectors {
    let file: Value = serde_json::from_str(include_str!("fixtures/digests.json")).unwrap();
    assert_eq!(file["form"], "c1");
    let digits = file["key_hex"].as_str().unwrap();
    let key = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    Vectors { key, vectors: file["vectors"].as_array().unwrap().clone() }
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).map(|value| value.as_str().unwrap())
}

fn ordinal(value: &Value) -> Option<u32> {
    let ordinal = value["result_of_ordinal"].as_u64().unwrap() as u32;
    (ordinal != u32::MAX).then_some(ordinal)
}

/// The messages that end in this part: a result comes after the call that it answers.
fn messages(part: &Value) -> Vec<Message> {
    let assistant = |parts| Message { role: Role::Assistant, parts };
    if part.get("result_of_ordinal").is_none() {
        return vec![assistant(vec![plain_part(part)])];
    }
    let ordinal = ordinal(part);
    let call = |id: u32| Part::ToolCall {
        id: Some(RawText::from(id.to_string())),
        name: RawText::from_static("add"),
        arguments: RawText::from_static("{}"),
    };
    let result = Part::ToolResult {
        call_id: ordinal.map(|id| RawText::from(id.to_string())),
        content: ResultContent::Text(text(part, "text").unwrap().into()),
    };
    let calls = (0..=ordinal.unwrap_or(0)).map(call).collect();
    vec![assistant(calls), Message { role: Role::Tool, parts: vec![result] }]
}

fn plain_part(part: &Value) -> Part {
    match (text(part, "text"), text(part, "call")) {
        (Some(text), None) => Part::Text(text.into()),
        (None, Some(name)) => {
            Part::ToolCall { id: None, name: name.into(), arguments: text(part, "arguments").unwrap().into() }
        }
        _ => panic!("unknown part {part}"),
    }
}

fn message(hasher: &Hasher, parts: &[Value]) -> Option<Digest> {
    let messages = match parts {
        [part] => messages(part),
        _ => vec![Message { role: Role::Assistant, parts: parts.iter().map(plain_part).collect() }],
    };
    let request = Request { messages, ..Request::default() };
    c1::request(hasher, &request).items.last().unwrap().digest
}

fn system(parts: &Value) -> Vec<RawText> {
    parts.as_array().into_iter().flatten().map(|part| part.as_str().unwrap().into()).collect()
}

fn tools(tools: &Value) -> Vec<ToolDefinition> {
    let definition = |tool: &Value| ToolDefinition {
        name: text(tool, "name").unwrap().into(),
        description: text(tool, "description").map(RawText::from),
        parameters: tool.get("parameters").or(tool.get("input_schema")).map(|schema| schema.to_string().into()),
    };
    tools.as_array().into_iter().flatten().map(definition).collect()
}

fn chain(chain: &Value) -> Request {
    let message =
        |message: &Value| Message::text(Role::from_word(message[0].as_str().unwrap()), message[1].as_str().unwrap());
    Request {
        system: system(&chain["system"]),
        tools: tools(&chain["tools"]),
        messages: chain["messages"].as_array().unwrap().iter().map(message).collect(),
    }
}

fn simple(hasher: &Hasher, case: &Value) -> Option<Digest> {
    let string = |key| text(case, key);
    if case.get("result_of_ordinal").is_some() {
        let content = digest::text(hasher, string("text").unwrap());
        return Some(digest::result(hasher, ordinal(case), &content));
    }
    if let Some(name) = string("call") {
        return Some(digest::call(hasher, name, string("arguments").unwrap()));
    }
    let simple = string("text").map(|text| digest::text(hasher, text));
    simple
        .or_else(|| string("reasoning").map(|text| digest::reasoning(hasher, text)))
        .or_else(|| string("reference").map(|text| digest::reference(hasher, text)))
        .or_else(|| string("blob_base64").map(|text| digest::blob(hasher, &STANDARD.decode(text).unwrap())))
        .or_else(|| case.get("part").map(|part| digest::other(hasher, &part.to_string())))
}

fn compound(hasher: &Hasher, case: &Value, last_chain: &mut Value) -> Option<Digest> {
    if let Some(parts) = case.get("message") {
        return message(hasher, parts.as_array().unwrap());
    }
    if let Some(parts) = case.get("system") {
        return c1::system(hasher, &system(parts)).digest;
    }
    if let Some(definitions) = case.get("tools") {
        return c1::tools(hasher, &tools(definitions));
    }
    if case["chain"] != "same" {
        *last_chain = case["chain"].clone();
    }
    let heads = c1::request(hasher, &chain(last_chain)).heads;
    heads.get(case["after"].as_u64().unwrap() as usize).copied()
}

#[test]
fn every_vector_has_its_digest() {
    let Vectors { key, vectors } = vectors();
    assert_eq!(vectors.len(), 93);
    let mut last_chain = Value::Null;
    for vector in &vectors {
        let hasher = match vector["algorithm"].as_str().unwrap() {
            "sha256" => Hasher::sha256(),
            _ => Hasher::hmac_sha256(&key),
        };
        let hasher = hasher.for_tenant(vector["tenant"].as_str());
        let case = &vector["case"];
        let digest = simple(&hasher, case).or_else(|| compound(&hasher, case, &mut last_chain));
        assert_eq!(digest.unwrap().to_string(), vector["digest"].as_str().unwrap(), "{case}");
    }
}
