//! The parameters that stand in a request body of OpenAI's or Anthropic's API.

use bytestring::ByteString;
use serde_json::Value;

use crate::event::{RawAttrs, shape};
use crate::semconv::{
    Attr, CHOICE_COUNT, FORMAT_DIGEST, FREQUENCY_PENALTY, MAX_TOKENS, OUTPUT_TYPE, PRESENCE_PENALTY,
    PREVIOUS_RESPONSE_ID, REASONING_LEVEL, SEED, STOP_DIGEST, STREAM, TEMPERATURE, TOP_K, TOP_P,
};

/// What a body says of them. A member that is absent, `null` or of another type than the API's says nothing.
pub(crate) fn of_body(body: &Value, attrs: &mut RawAttrs) {
    if !body.is_object() {
        return;
    }
    for (path, attr) in [
        ("/temperature", TEMPERATURE),
        ("/top_p", TOP_P),
        ("/top_k", TOP_K),
        ("/frequency_penalty", FREQUENCY_PENALTY),
        ("/presence_penalty", PRESENCE_PENALTY),
    ] {
        if let Some(number) = body.pointer(path).and_then(Value::as_f64) {
            attrs.double(attr, number);
        }
    }
    let whole = |attr: Attr<i64>, paths: &[&str], attrs: &mut RawAttrs| {
        if let Some(number) = first(body, paths, Value::as_i64) {
            attrs.int(attr, number);
        }
    };
    whole(MAX_TOKENS, &["/max_completion_tokens", "/max_output_tokens", "/max_tokens"], attrs);
    whole(SEED, &["/seed"], attrs);
    if let Some(count) = body.pointer("/n").and_then(Value::as_i64).filter(|count| *count != 1) {
        attrs.int(CHOICE_COUNT, count);
    }
    // The convention has it only where it is true.
    if body.pointer("/stream").and_then(Value::as_bool) == Some(true) {
        attrs.bool(STREAM, true);
    }
    let word = |attr: Attr<ByteString>, paths: &[&str], attrs: &mut RawAttrs| {
        if let Some(word) = first(body, paths, Value::as_str) {
            attrs.text(attr, word);
        }
    };
    word(REASONING_LEVEL, &["/reasoning_effort", "/reasoning/effort", "/output_config/effort"], attrs);
    word(PREVIOUS_RESPONSE_ID, &["/previous_response_id"], attrs);
    match first(body, &["/stop", "/stop_sequences"], Some) {
        Some(Value::String(one)) => stop([one.as_str()], attrs),
        Some(Value::Array(several)) => stop(several.iter().filter_map(Value::as_str), attrs),
        _ => {}
    }
    if let Some(shape) = first(body, &["/response_format", "/text/format", "/output_config/format"], Some) {
        format(shape, attrs);
    }
}

/// The sequences at which a model stops. One alone is the array of it, and none are none.
pub(super) fn stop<'s>(sequences: impl IntoIterator<Item = &'s str>, attrs: &mut RawAttrs) {
    let sequences: Vec<Value> = sequences.into_iter().map(Value::from).collect();
    if !sequences.is_empty() {
        attrs.said(STOP_DIGEST, &shape::json::into_text(Value::Array(sequences)));
    }
}

/// The shape of the answer.
pub(super) fn format(format: &Value, attrs: &mut RawAttrs) {
    let kind = format.get("type").and_then(Value::as_str);
    match kind {
        Some("json_object" | "json_schema") => attrs.text(OUTPUT_TYPE, "json"),
        Some("text") => attrs.text(OUTPUT_TYPE, "text"),
        _ => {}
    }
    // Text is what there is without it.
    if !format.is_null() && kind != Some("text") {
        attrs.said(FORMAT_DIGEST, &shape::json::text(format));
    }
}

/// The first of these members that says something.
fn first<'b, T>(body: &'b Value, paths: &[&str], read: impl Fn(&'b Value) -> Option<T>) -> Option<T> {
    paths.iter().find_map(|path| body.pointer(path).filter(|member| !member.is_null()).and_then(&read))
}
