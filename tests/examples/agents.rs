//! What an author of agents does with the recorder.

use std::collections::BTreeMap;

use crate::program::{alone, sent};

#[test]
fn a_handover_is_one_run_of_several_threads() {
    let told = alone("handover");
    for agent in ["triage", "invoices", "contracts", "billing"] {
        assert!(told.contains(&format!("turn {agent}")), "{told}");
    }
    assert_eq!(told.matches("execute_tool consult").count(), 2, "{told}");
    assert_eq!(told.matches("rollout").count(), 1, "{told}");
}

#[test]
fn an_approved_turn_goes_on_under_its_own_id() {
    let spans = sent("approval");
    let ids = |name: &str| -> Vec<String> {
        let of_name = spans.iter().filter(|span| span.name.starts_with(name));
        of_name.map(|span| attribute(span, "veilspan.turn.id")).collect()
    };
    let turns = ids("invoke_agent shop");
    assert_eq!(turns.len(), 2);
    assert!(turns.iter().chain(&ids("approval")).all(|id| *id == turns[0]));
    assert_eq!(ids("approval").len(), 1);
    let told = alone("approval");
    assert!(told.contains("turn shop"), "{told}");
}

#[test]
fn attempts_are_told_in_order() {
    let told = alone("retries");
    for line in [
        "attempt 1: failed overloaded, 0 chunks",
        "attempt 2: failed overloaded, 0 chunks",
        "attempt 3: completed -, 3 chunks",
    ] {
        assert!(told.contains(line), "{told}");
    }
}

#[test]
fn a_call_to_an_mcp_server_is_told_once_and_what_the_server_does_is_part_of_it() {
    let spans = sent("mcp");
    let by_name: BTreeMap<&str, _> = spans.iter().map(|span| (span.name.as_str(), span)).collect();
    let names: Vec<&str> = by_name.keys().copied().collect();
    assert_eq!(
        names,
        ["chat gpt-scripted", "execute_tool temperature", "invoke_agent assistant", "retrieval stations"]
    );
    assert_eq!(spans.len(), 4);
    let (tool, search) = (by_name["execute_tool temperature"], by_name["retrieval stations"]);
    assert_eq!(search.parent_span_id, tool.span_id);
    assert_eq!(attribute(tool, "veilspan.mcp.server"), "weather");
    for name in ["veilspan.rollout.id", "veilspan.turn.id"] {
        assert_eq!(attribute(search, name), attribute(tool, name));
    }
}

fn attribute(span: &opentelemetry_proto::tonic::trace::v1::Span, key: &str) -> String {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let attribute = span.attributes.iter().find(|attribute| attribute.key == key).unwrap();
    match attribute.value.as_ref().unwrap().value.as_ref().unwrap() {
        Value::StringValue(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}
