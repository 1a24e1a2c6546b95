//! Two stages in a row under one policy: the second finds nothing to do, where texts stand beside messages, and where there is
//! little room.

use veilspan::privacy::Level;

use super::build::{attribute, by_key, raw, span, span_leaves, text};
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
