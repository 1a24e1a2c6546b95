//! Many spans in one request.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::build::{array, attribute, every_policy, int, leaves, of_spans, span, span_leaves, text};

/// Attributes of one length and one end each, which stay under one name and not under the other.
fn look_alikes() -> Vec<KeyValue> {
    let model = "a-model-of-some-name-2026-04-14";
    vec![
        attribute("gen_ai.request.model", text(model)),
        attribute("my.own.request.model", text(model)),
        attribute("gen_ai.response.finish_reasons", array([text("stop"), text("tool_calls")])),
        attribute("my_own_response_finish_reasons", array([text("stop"), text("tool_calls")])),
        attribute("gen_ai.usage.input_tokens", int(1 << 40)),
        attribute("its.own.usage.input_token", int(1 << 40)),
        attribute("gen_ai.tool.call.id", text("a canary with a blank")),
        attribute("gen_ai.tool.call.id", text("a-label-without-blanks")),
    ]
}

#[test]
fn each_span_of_a_request_leaves_as_it_would_alone() {
    let attributes = look_alikes();
    let spans: Vec<Span> = (0..4 * attributes.len())
        .map(|number| {
            // Each of them first, and last, and among some of the others.
            let (place, count) = (number % attributes.len(), 1 + number / 5);
            let mut own: Vec<KeyValue> = Vec::new();
            for attribute in attributes.iter().cycle().skip(place).take(count) {
                if own.iter().all(|known| known.key != attribute.key) {
                    own.push(attribute.clone());
                }
            }
            own.push(attribute("gen_ai.operation.name", text("chat")));
            span(own)
        })
        .collect();
    for policy in every_policy() {
        let together = leaves(&policy, &of_spans(spans.clone()));
        let alone: Vec<Span> = spans.iter().map(|span| span_leaves(&policy, span.clone())).collect();
        assert_eq!(together.resource_spans[0].scope_spans[0].spans, alone);
        assert!(!super::support::leaks::holds(&prost::Message::encode_to_vec(&together), "canary"));
    }
}
