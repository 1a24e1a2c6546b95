//! The parameters of a request that OpenInference has in one text of JSON.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use veilspan::Policy;
use veilspan::privacy::Level;

use super::build::{
    attribute, by_key, every_policy, int, keyed, of_spans, span, span_leaves, text, text_of, undigested,
};
use super::build::{leaves, nothing};
use super::support::leaks::holds;

const KEY: &str = "llm.invocation_parameters";

fn with(parameters: &str) -> Vec<KeyValue> {
    vec![attribute("openinference.span.kind", text("LLM")), attribute(KEY, text(parameters))]
}

#[test]
fn known_parameters_leave_under_the_names_of_the_conventions_at_every_level() {
    let parameters = r#"{"temperature":0.5,"top_k":3,"max_tokens":64,"seed":7,"n":2,"stream":true,
        "reasoning_effort":"high","response_format":{"type":"json_object"},"stop":["canary stop"],"canary":"a canary"}"#;
    for policy in every_policy() {
        let span = span_leaves(&policy, span(with(parameters)));
        let told = by_key(&span.attributes);
        let value = |key: &str| told.get(key).and_then(|value| value.value.clone());
        assert_eq!(value("gen_ai.request.temperature"), Some(Value::DoubleValue(0.5)));
        assert_eq!(value("gen_ai.request.top_k"), Some(Value::DoubleValue(3.0)));
        assert_eq!(value("gen_ai.request.max_tokens"), Some(Value::IntValue(64)));
        assert_eq!(value("gen_ai.request.seed"), Some(Value::IntValue(7)));
        assert_eq!(value("gen_ai.request.choice.count"), Some(Value::IntValue(2)));
        assert_eq!(value("gen_ai.request.stream"), Some(Value::BoolValue(true)));
        assert_eq!(value("gen_ai.output.type"), Some(Value::StringValue("json".to_owned())));
        assert_eq!(value("gen_ai.request.reasoning.level"), Some(Value::StringValue("high".to_owned())));
        assert!(value(KEY).is_none(), "the rest is a digest");
        assert!(!holds(&prost::Message::encode_to_vec(&of_spans([span.clone()])), "canary"));
    }
    for (policy, has_digests) in [(keyed(), true), (undigested(), false), (nothing(), false)] {
        let span = span_leaves(&policy, span(with(parameters)));
        for key in
            ["veilspan.request.stop.digest", "veilspan.request.format.digest", "llm.invocation_parameters.digest"]
        {
            assert_eq!(by_key(&span.attributes).contains_key(key), has_digests, "{key}");
        }
    }
}

#[test]
fn what_the_span_says_itself_holds_and_what_is_no_json_says_nothing() {
    let mut attributes = with(r#"{"temperature":0.5,"top_p":0.9}"#);
    attributes.push(attribute("gen_ai.request.temperature", int(1)));
    let span_left = span_leaves(&keyed(), span(attributes));
    let told = by_key(&span_left.attributes);
    assert_eq!(told["gen_ai.request.temperature"].value, Some(Value::IntValue(1)));
    assert_eq!(told["gen_ai.request.top_p"].value, Some(Value::DoubleValue(0.9)));
    for other in ["", "temperature=0.5", "[0.5]", r#"{"temperature":"hot"}"#, r#"{"temperature":0.5"#] {
        let span_left = span_leaves(&keyed(), span(with(other)));
        assert!(!span_left.attributes.iter().any(|it| it.key.starts_with("gen_ai.request.")), "{other}");
    }
}

#[test]
fn a_text_of_a_parameter_that_is_no_label_leaves_as_none() {
    let attributes = with(r#"{"reasoning_effort":"a canary that thinks","previous_response_id":"a canary id"}"#);
    let request = of_spans([span(attributes)]);
    for level in [Level::None, Level::Digest, Level::Preview] {
        let policy = Policy::builder().content(level).build_in(&Default::default()).0;
        let left = leaves(&policy, &request);
        let span = &left.resource_spans[0].scope_spans[0].spans[0];
        let effort = text_of(by_key(&span.attributes)["gen_ai.request.reasoning.level"]).to_owned();
        assert!(effort.starts_with("id:") || effort == "_OTHER", "{effort}");
        if level < Level::Preview {
            assert!(!holds(&prost::Message::encode_to_vec(&left), "canary"));
        }
    }
}
