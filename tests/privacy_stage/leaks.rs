//! Where other producers are known to tell what they were told not to. The rules stand in `tests/conformance/leaks.md`.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use serde_json::json;
use veilspan::privacy::Level;

use super::build::{
    array, attribute, every_policy, keyed, leaves, map, of_spans, span, span_leaves, structured, text, veiled,
};
use super::levels::under;
use super::support::leaks::holds;
use prost::Message;

const SECRET: &str = "rm -rf the \u{fc}ber secret plans";
/// Made up, and in two parts so that no scanner takes it for one that was lost.
const KEY: &str = concat!("ghp_", "k3J9vQx2Lm8Zt5Rw1Ny7Ub4Hc6Pd0SfGaEi9");

#[test]
fn l09_a_tools_command_leaves_under_none_of_the_names_that_it_stands_under() {
    let event = Event {
        name: format!("ran {SECRET}"),
        attributes: vec![attribute("tool.output", text(SECRET))],
        ..Event::default()
    };
    let link = Link {
        trace_id: vec![3; 16],
        span_id: vec![4; 8],
        attributes: vec![attribute("cmd", text(SECRET))],
        ..Link::default()
    };
    let of = Span {
        name: format!("execute_tool {SECRET}"),
        events: vec![event],
        links: vec![link],
        status: Some(Status { message: format!("{SECRET} failed"), code: 2 }),
        ..span([
            attribute("gen_ai.operation.name", text("execute_tool")),
            attribute("gen_ai.tool.call.arguments", text(json!({"command": SECRET}).to_string())),
            attribute("full_command", text(SECRET)),
            attribute("tool_input", map([attribute("command", text(SECRET))])),
            attribute("gen_ai.tool.name", text(SECRET)),
            attribute("file_path", array([text(SECRET)])),
        ])
    };
    for policy in every_policy() {
        let out = veiled(&policy, &of_spans([of.clone()]).encode_to_vec());
        for word in ["secret plans", "rm -rf"] {
            assert!(!holds(&out, word), "{word} under {}", policy.snapshot());
        }
    }
}

#[test]
fn l10_a_secret_leaves_on_no_span_of_whichever_genai_library_made_it() {
    let telling = |key: &str| Span {
        name: "request".to_owned(),
        status: Some(Status { message: format!("401 for {KEY}"), code: 2 }),
        events: vec![Event {
            name: "log".to_owned(),
            attributes: vec![attribute("line", text(format!("token {KEY}")))],
            ..Event::default()
        }],
        ..span([attribute(key, text("x")), attribute("url.full", text(format!("https://h.test/?access_token={KEY}")))])
    };
    let masked = under(&[("VEILSPAN_CONTENT", "masked")]);
    for policy in [keyed(), masked] {
        // By its keys, and by a scope all of whose spans are a library's own.
        for key in ["llm.model_name", "traceloop.span.kind", "openinference.span.kind", "mcp.method.name"] {
            let out = veiled(&policy, &of_spans([telling(key)]).encode_to_vec());
            assert!(!holds(&out, KEY), "{key} under {}", policy.snapshot());
        }
        for scope in ["langfuse-sdk", "opentelemetry.instrumentation.openai.v1", "openinference.instrumentation.agno"] {
            let mut of = of_spans([telling("http.request.method")]);
            of.resource_spans[0].scope_spans[0].scope =
                Some(InstrumentationScope { name: scope.to_owned(), ..InstrumentationScope::default() });
            let out = veiled(&policy, &of.encode_to_vec());
            assert!(!holds(&out, KEY), "{scope} under {}", policy.snapshot());
        }
    }
}

#[test]
fn l11_a_secret_inside_json_and_inside_json_in_a_string_is_masked() {
    let inner = json!({"env": {"DB_PASSWORD": "tulip-Anchor-77", "REGION": "eu"}, "note": "kept words"}).to_string();
    let arguments = json!({"headers": {"X-Api-Key": KEY}, "body": inner});
    let masked = under(&[("VEILSPAN_CONTENT", "masked")]);
    for value in [text(arguments.to_string()), structured(&arguments)] {
        let of = span([
            attribute("gen_ai.operation.name", text("execute_tool")),
            attribute("gen_ai.tool.call.arguments", value),
        ]);
        let out = veiled(&masked, &of_spans([of]).encode_to_vec());
        assert!(!holds(&out, KEY) && !holds(&out, "tulip-Anchor-77"));
        assert!(holds(&out, "kept words"), "the rest is there");
    }
}

#[test]
fn l12_megabytes_in_the_name_of_an_event_leave_not_and_their_neighbours_do() {
    const MEGABYTES: usize = 11 << 20;
    let huge = Span {
        events: vec![Event { name: "long ".repeat(MEGABYTES / 5), ..Event::default() }],
        ..span([attribute("gen_ai.operation.name", text("chat"))])
    };
    for level in Level::ALL {
        let policy = under(&[("VEILSPAN_CONTENT", level.as_str())]);
        let neighbour = span([attribute("gen_ai.operation.name", text("chat"))]);
        let left = leaves(&policy, &of_spans([neighbour.clone(), huge.clone(), neighbour]));
        assert!(left.encoded_len() < 1 << 20, "{} bytes at {level}", left.encoded_len());
        assert_eq!(left.resource_spans[0].scope_spans[0].spans.len(), 3);
    }
    assert!(span_leaves(&keyed(), huge).events[0].name.len() < 128);
}
