//! The levels that let text leave, on other producers' spans.

use proptest::prelude::*;
use serde_json::{Value, json};
use veilspan::Policy;
use veilspan::environment::Environment;
use veilspan::privacy::Level;

use super::build::{
    array, attribute, by_key, int, leaves, map, of_spans, raw, span, span_leaves, structured, text, text_of, veiled,
};
use crate::schema::{is_input, is_output, is_system, is_tools};
use crate::support::leaks::holds;
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::Event;
use prost::Message;

const KEY: &str = "ghp_016C7f7e4b2c9D8a3F5e6B1d0A9c8E7f2a4b";

pub fn under(variables: &[(&str, &str)]) -> Policy {
    let fixed = [("VEILSPAN_HASH", "sha256"), ("VEILSPAN_CONTENT_MAX", "full")];
    let environment: Environment = variables.iter().copied().chain(fixed).collect();
    Policy::builder().build_in(&environment).0
}

fn at(level: Level) -> Policy {
    under(&[("VEILSPAN_CONTENT", level.as_str())])
}

fn messages(said: &str) -> Value {
    json!([{ "role": "user", "parts": [{ "type": "text", "content": said }] }])
}

fn answer(said: &str) -> Value {
    json!([{ "role": "assistant", "parts": [{ "type": "text", "content": said }], "finish_reason": "stop" }])
}

#[test]
fn content_of_the_conventions_leaves_by_its_level_and_stays_valid() {
    let said = |what: &str| format!("{what} with {KEY} in it");
    let span = || {
        span([
            attribute("gen_ai.operation.name", text("chat")),
            attribute("gen_ai.input.messages", text(messages(&said("the question")).to_string())),
            attribute("gen_ai.output.messages", structured(&answer(&said("the answer")))),
            attribute(
                "gen_ai.system_instructions",
                text(json!([{ "type": "text", "content": said("the system") }]).to_string()),
            ),
            attribute(
                "gen_ai.tool.definitions",
                text(json!([{ "type": "function", "name": "t", "description": said("the tool") }]).to_string()),
            ),
            attribute("gen_ai.tool.call.arguments", text(json!({ "a": said("the arguments") }).to_string())),
            attribute("gen_ai.tool.call.result", text(said("the result"))),
        ])
    };
    for level in Level::ALL {
        let left = span_leaves(&at(level), span());
        let left = by_key(&left.attributes);
        let has = |key: &str| left.contains_key(key);
        assert_eq!(has("gen_ai.input.messages"), level >= Level::Masked, "{level}");
        assert_eq!(has("veilspan.input.preview"), level >= Level::Preview, "{level}");
        assert_eq!(has("veilspan.input.digests"), level >= Level::Digest, "{level}");
        if level >= Level::Preview {
            assert!(text_of(left["veilspan.input.preview"]).starts_with("the question with "));
            assert!(text_of(left["veilspan.output.preview"]).starts_with("the answer with "));
            assert!(text_of(left["veilspan.tool.result.preview"]).starts_with("the result with "));
        }
        if level >= Level::Masked {
            let json = |key: &str| text_of(left[key]);
            assert!(is_input(json("gen_ai.input.messages")) && is_output(json("gen_ai.output.messages")));
            assert!(is_system(json("gen_ai.system_instructions")) && is_tools(json("gen_ai.tool.definitions")));
            assert!(json("gen_ai.output.messages").contains(r#""finish_reason":"stop""#));
            assert!(serde_json::from_str::<Value>(json("gen_ai.tool.call.arguments")).unwrap()["a"].is_string());
        }
        let bytes = leaves(&at(level), &of_spans([span()])).encode_to_vec();
        assert_eq!(holds(&bytes, KEY), level == Level::Full, "{level}");
        assert_eq!(holds(&bytes, "the question"), level >= Level::Preview, "{level}");
        assert_eq!(holds(&bytes, "the tool"), level >= Level::Masked, "{level}");
    }
}

#[test]
fn content_without_a_class_leaves_by_the_strictest_of_all() {
    let span =
        || span([attribute("gen_ai.operation.name", text("chat")), attribute("my.own.input", text("said to a model"))]);
    for (class, shown) in [("VEILSPAN_CONTENT_ERRORS", "none"), ("VEILSPAN_CONTENT_PROMPTS", "digest")] {
        let bytes =
            leaves(&under(&[("VEILSPAN_CONTENT", "masked"), (class, shown)]), &of_spans([span()])).encode_to_vec();
        assert!(!holds(&bytes, "said to a model"), "{class}");
    }
    let left = span_leaves(&at(Level::Masked), span());
    assert_eq!(text_of(by_key(&left.attributes)["my.own.input"]), "said to a model");
    let left = span_leaves(&at(Level::Preview), span());
    assert_eq!(text_of(by_key(&left.attributes)["my.own.input.preview"]), "said to a model");
    assert!(!by_key(&left.attributes).contains_key("my.own.input"));
}

#[test]
fn the_words_of_an_error_leave_by_the_level_of_errors() {
    let failed = || veilspan_span_with_status(&format!("it failed with {KEY}"));
    for level in Level::ALL {
        let policy = under(&[("VEILSPAN_CONTENT_ERRORS", level.as_str())]);
        let message = span_leaves(&policy, failed()).status.unwrap().message;
        assert_eq!(message.is_empty(), level < Level::Preview, "{level}");
        assert_eq!(message.contains(KEY), level == Level::Full, "{level}");
        assert_eq!(message.contains("it failed with [redacted:"), matches!(level, Level::Preview | Level::Masked));
    }
}

fn veilspan_span_with_status(message: &str) -> opentelemetry_proto::tonic::trace::v1::Span {
    let mut span = span([attribute("gen_ai.operation.name", text("chat"))]);
    span.status = Some(Status { code: 2, message: message.to_owned() });
    span
}

#[test]
fn what_one_policy_has_shown_a_stricter_one_takes_back() {
    let said = "x".repeat(5000);
    let told = span_leaves(
        &at(Level::Full),
        span([
            attribute("gen_ai.operation.name", text("chat")),
            attribute("gen_ai.input.messages", text(messages(&said).to_string())),
        ]),
    );
    let short = under(&[("VEILSPAN_CONTENT", "preview"), ("VEILSPAN_PREVIEW_CHARS", "3")]);
    let left = span_leaves(&short, told.clone());
    let preview = text_of(by_key(&left.attributes)["veilspan.input.preview"]);
    assert!(preview.starts_with("xxx… <truncated len="), "{preview}");
    assert!(!by_key(&left.attributes).contains_key("gen_ai.input.messages"));
    for level in [Level::None, Level::Digest] {
        let bytes = leaves(&at(level), &of_spans([told.clone()])).encode_to_vec();
        assert!(!holds(&bytes, "xxxxxx"), "{level}");
    }
}

#[test]
fn a_label_that_a_detector_hits_leaves_as_its_digest() {
    let mut hit = span([
        attribute("gen_ai.request.model", text(KEY)),
        attribute("gen_ai.response.finish_reasons", array([text("stop"), text(KEY)])),
        attribute(KEY, int(1)),
        attribute("veilspan.policy", text(format!("content={KEY}"))),
    ]);
    hit.name = format!("chat {KEY}");
    hit.trace_state = format!("vendor={KEY}");
    hit.events = vec![Event { name: KEY.to_owned(), ..Event::default() }];
    let bytes = veiled(&at(Level::Digest), &of_spans([hit]).encode_to_vec());
    assert!(!holds(&bytes, KEY));
    assert!(holds(&bytes, "id:sha256:"));
}

/// A text that looks like content of the conventions, or like anything else.
fn said() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        Just(KEY.to_owned()),
        "[a-z ]{0,400}",
        any::<String>().prop_map(|said| messages(&said).to_string()),
        any::<String>().prop_map(|said| answer(&said).to_string()),
        any::<String>().prop_map(|said| json!({ "a": said, "b": [1, { "c": 1.5 }] }).to_string()),
        Just("<redacted len=7>".to_owned()),
        Just("shown… <truncated len=7>".to_owned()),
        Just(r#"[{"role":"user","parts":[{"type":"blob","modality":"image","content":"aGk="},{"type":"x","z":1,"a":2}]}]"#.to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_second_pass_changes_nothing_at_any_level(
        values in proptest::collection::vec((0usize..18, 0usize..4, said()), 0..8),
        level in proptest::sample::select(&Level::ALL[..]),
        errors in proptest::sample::select(&Level::ALL[..]),
        bytes in prop_oneof![Just("0"), Just("100"), Just("400"), Just("65536")],
        style in prop_oneof![Just("text"), Just("placeholder")],
        chars in prop_oneof![Just("0"), Just("5"), Just("256")],
    ) {
        const KEYS: [&str; 18] = [
            "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "gen_ai.tool.definitions",
            "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.prompt", "gen_ai.completion",
            "veilspan.input.preview", "veilspan.tool.result.preview", "exception.message", "langfuse.input", "any.preview",
            "gen_ai.request.model", "veilspan.input.ref", "any.digest", "error.type", "two words",
        ];
        let attributes = values.into_iter().map(|(key, shape, said)| {
            let value = match shape {
                0 | 1 => text(said),
                2 => serde_json::from_str(&said).map_or_else(|_| raw(said.clone()), |json| structured(&json)),
                _ => map([attribute("inner", array([text(said), int(4)]))]),
            };
            (KEYS[key], value)
        });
        // Keys are unique in OTLP.
        let unique: std::collections::BTreeMap<_, _> = attributes.collect();
        let genai = attribute("gen_ai.operation.name", text("chat"));
        let attributes = unique.into_iter().map(|(key, value)| attribute(key, value)).chain([genai]);
        let policy = under(&[
            ("VEILSPAN_CONTENT", level.as_str()),
            ("VEILSPAN_CONTENT_ERRORS", errors.as_str()),
            ("VEILSPAN_ATTRIBUTE_BYTES", bytes),
            ("VEILSPAN_PREVIEW", style),
            ("VEILSPAN_PREVIEW_CHARS", chars),
        ]);
        let left = veiled(&policy, &of_spans([span(attributes)]).encode_to_vec());
        if level < Level::Full && errors < Level::Full {
            prop_assert!(!holds(&left, KEY));
        }
    }
}

#[test]
fn bytes_that_stay_leave_no_place_for_what_an_older_name_says() {
    for level in Level::ALL {
        for room in ["0", "100", "400"] {
            for bytes in ["", "four", &"long ".repeat(100)] {
                let policy = under(&[("VEILSPAN_CONTENT", level.as_str()), ("VEILSPAN_ATTRIBUTE_BYTES", room)]);
                let of = span([
                    attribute("gen_ai.operation.name", text("chat")),
                    attribute("gen_ai.completion", text("an answer")),
                    attribute("gen_ai.output.messages", raw(bytes)),
                    attribute("gen_ai.prompt", text("a question")),
                    attribute("gen_ai.input.messages", raw(bytes)),
                ]);
                by_key(&span_leaves(&policy, of).attributes);
            }
        }
    }
}

#[test]
fn an_older_name_does_not_outlive_the_newer_one_that_does_not_fit() {
    let policy = under(&[("VEILSPAN_CONTENT", "masked"), ("VEILSPAN_ATTRIBUTE_BYTES", "0")]);
    let newer = text(r#"[{"role":"user","parts":[{"type":"text","content":""}]}]"#.to_owned());
    let older = attribute("gen_ai.completion", text(String::new()));
    // A second pass is made inside.
    let left = span_leaves(&policy, span([attribute("gen_ai.output.messages", newer), older]));
    assert!(left.attributes.iter().all(|attribute| attribute.key.starts_with("veilspan.")), "{left:?}");
}
