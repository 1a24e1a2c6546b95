//! Two stages in a row under one policy: the second finds nothing to do, where texts stand beside messages, and where there is
//! little room.

use veilspan::privacy::Level;

use super::build::{array, attribute, by_key, raw, span, span_leaves, text};
use super::levels::under;

#[test]
fn of_a_call_that_is_told_by_texts_messages_beside_them_tell_nothing() {
    for level in Level::ALL {
        let policy = under(&[("VEILSPAN_CONTENT", level.as_str())]);
        for (beside, message) in
            [("gen_ai.prompt.0.content", text("")), ("gen_ai.input.messages", text(r#"[{"role":"user","parts":[]}]"#))]
        {
            for texts in [None, Some("embedding.embeddings.0.embedding.text"), Some("input.value")] {
                let embedded = texts.map(|key| attribute(key, text("to be embedded")));
                let kind = attribute("gen_ai.operation.name", text("embeddings"));
                let left =
                    span_leaves(&policy, span(embedded.into_iter().chain([attribute(beside, message.clone()), kind])));
                let left = by_key(&left.attributes);
                assert_eq!(
                    left.contains_key("veilspan.input.digests"),
                    level > Level::None,
                    "{level:?} {beside} {texts:?}"
                );
            }
        }
    }
}

#[test]
fn what_is_left_where_there_is_no_room_is_looked_at_until_it_stays() {
    for level in Level::ALL {
        for bytes in ["0", "1", "60", "250"] {
            let policy = under(&[("VEILSPAN_CONTENT", level.as_str()), ("VEILSPAN_ATTRIBUTE_BYTES", bytes)]);
            for (kind, values) in [
                ("chat", [("gen_ai.output.messages", text("[]")), ("gen_ai.completion.0.content", text(""))]),
                ("chat", [("gen_ai.input.messages", text("[]")), ("gen_ai.prompt.0.content", text(""))]),
                ("execute_tool", [("gen_ai.tool.call.arguments", raw("x")), ("traceloop.entity.input", text(""))]),
                ("execute_tool", [("gen_ai.tool.call.result", raw("x")), ("output.value", text("{}"))]),
            ] {
                let attributes = values.into_iter().map(|(key, value)| attribute(key, value));
                let left =
                    span_leaves(&policy, span(attributes.chain([attribute("gen_ai.operation.name", text(kind))])));
                by_key(&left.attributes);
            }
        }
    }
}

#[test]
fn what_was_told_beside_a_value_that_stays_is_told_once() {
    let called = "llm.tools.0.tool.json_schema";
    let cases = [
        // A call that is told by texts may have the arguments of a tool.
        ("embeddings", vec![("ai.toolCall.args", text("a"))]),
        ("retrieval", vec![("ai.toolCall.result", text("a"))]),
        // What nobody could read tells nothing, so that what stands beside it does.
        ("embeddings", vec![("gen_ai.retrieval.query.text", raw("a")), ("input.value", text("a"))]),
        ("retrieval", vec![("gen_ai.retrieval.documents", raw("a")), ("output.value", text("a"))]),
        ("invoke_agent", vec![("llm.input_messages", text("a")), ("traceloop.entity.input", text("a"))]),
        ("chat", vec![("llm.output_messages.0.message.content", raw("a")), ("output.value", text("a"))]),
        // An empty list says nothing: what stands beside it is what was said.
        ("chat", vec![("gen_ai.output.messages", array([])), ("llm.completions", array([text("a")]))]),
        (
            "chat",
            vec![("gen_ai.input.messages", text("[]")), ("llm.prompts", text(r#"[{"role":"user","content":"a"}]"#))],
        ),
        ("chat", vec![("gen_ai.input.messages", text("[]")), ("gen_ai.prompt", text("a"))]),
        // What stays where it cannot be read leaves no place for what another dialect says.
        ("chat", vec![("gen_ai.tool.definitions", text("a")), (called, text("{}"))]),
        ("chat", vec![("gen_ai.tool.definitions", raw("a")), (called, text("{}"))]),
        ("execute_tool", vec![("gen_ai.tool.call.arguments", raw("a")), ("input.value", text("b"))]),
        ("execute_tool", vec![("gen_ai.tool.call.result", raw("a")), ("output.value", text("b"))]),
    ];
    for level in Level::ALL {
        let policy = under(&[("VEILSPAN_CONTENT", level.as_str())]);
        for (kind, values) in &cases {
            let kind = attribute("gen_ai.operation.name", text(*kind));
            let values = values.iter().map(|(key, value)| attribute(*key, value.clone()));
            let left = span_leaves(&policy, span(values.chain([kind])));
            by_key(&left.attributes);
        }
    }
}
