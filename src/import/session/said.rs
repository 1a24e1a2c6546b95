//! What was said, straight from a row.
//!
//! The blocks and the items that agents mostly write are read here, with their strings as they stand. Everything else is
//! made a value and given to [`shape`], whose reading counts: a test holds that both read the same.

use std::borrow::Cow;

use serde_json::Value;

use crate::event::{Message, Part, RawBytes, RawText, ResultContent, Role, shape};
use crate::json::Node;
use crate::privacy::c1::canonical;
use crate::privacy::heard::Returning;

/// The parts of what a message's `content` holds: a text, or blocks.
pub(in crate::import) fn blocks(content: Node<'_>) -> Vec<Part> {
    let mut parts = Vec::new();
    if content.is_array() {
        content.elements().for_each(|block| push(block, &mut parts));
    } else if !content.is_null() {
        push(content, &mut parts);
    }
    parts
}

/// Adds the parts of one block.
pub(in crate::import) fn push(block: Node<'_>, parts: &mut Vec<Part>) {
    let before = parts.len();
    if direct(block, parts).is_none() {
        parts.truncate(before);
        match value(block) {
            Some(value) => parts.extend(shape::blocks(Value::Array(vec![value]))),
            None => parts.push(Part::Other(RawText::from(block.json()))),
        }
    }
}

/// The messages of an item of a model's responses, or of a list of them.
pub(in crate::import) fn messages(items: Node<'_>) -> Vec<Message> {
    if let Some(message) = message(items) {
        return vec![message];
    }
    match value(items) {
        Some(list @ Value::Array(_)) => shape::messages(list),
        Some(item) => shape::messages(Value::Array(vec![item])),
        None => vec![not_understood(items.json())],
    }
}

/// The parts of an item of a model's responses.
pub(in crate::import) fn parts(item: Node<'_>) -> Vec<Part> {
    match message(item) {
        Some(message) => message.parts,
        None => messages(item).into_iter().flat_map(|message| message.parts).collect(),
    }
}

/// One element of a list of items, as a message of its own.
pub(in crate::import) fn item(item: Node<'_>) -> Message {
    let read = message(item).or_else(|| shape::messages(Value::Array(vec![value(item)?])).pop());
    read.unwrap_or_else(|| not_understood(item.json()))
}

/// What is no value that can be read.
pub(in crate::import) fn not_understood(json: &str) -> Message {
    Message { role: Role::Other, parts: vec![Part::Other(RawText::from(json))] }
}

/// What a tool returned, of the block or the item that says so.
pub(in crate::import) fn returned(block: Node<'_>) -> Option<Returning<'_>> {
    let is_known = block.get("type").and_then(Node::as_str).is_some_and(|kind| RESULTS.contains(&kind));
    if let Some(text) = result_of(block).filter(|_| is_known).and_then(Node::as_str) {
        return Some(Returning::Text(text));
    }
    let mut parts = Vec::new();
    push(block, &mut parts);
    parts.into_iter().find_map(|part| match part {
        Part::ToolResult { content, .. } => Some(Returning::Content(content)),
        _ => None,
    })
}

/// The text of a value: of a string what it holds, of anything else its JSON as `serde_json` writes it.
pub(in crate::import) fn text<'t>(value: Node<'t>) -> Cow<'t, str> {
    match value.text() {
        Some(text) => text,
        None if is_compact(value) => Cow::Borrowed(value.json()),
        None => self::value(value).map_or(Cow::Borrowed(value.json()), |value| Cow::Owned(value.to_string())),
    }
}

/// The same, to be digested.
pub(in crate::import) fn raw(text: Cow<'_, str>) -> RawText {
    match text {
        Cow::Borrowed(text) => RawText::from(text),
        Cow::Owned(text) => RawText::from(text),
    }
}

/// The string that a value is, to be digested.
fn taken(value: Node<'_>) -> Option<RawText> {
    value.text().map(raw)
}

/// The value; nothing where it is deeper than one may be, or has a number beyond a double.
fn value(node: Node<'_>) -> Option<Value> {
    serde_json::from_str(node.json()).ok()
}

/// Whether a value stands as `serde_json` writes it, certainly: its canonical form differs in numbers alone, and in the
/// order of names beyond ASCII.
fn is_compact(value: Node<'_>) -> bool {
    let is_short = |literal: &str| literal.len() < 18 && literal.bytes().all(|byte| byte.is_ascii_digit());
    let json = value.json();
    json.is_ascii() && value.numbers().all(is_short) && canonical(json).is_some_and(|canonical| canonical.is_exact())
}

/// Reads a block that has no more than what is known here.
fn direct(block: Node<'_>, parts: &mut Vec<Part>) -> Option<()> {
    if let Some(text) = taken(block) {
        parts.push(Part::Text(text));
        return Some(());
    }
    match block.get("type")?.as_str()? {
        "tool_use" | "function_call" | "custom_tool_call" => parts.push(call(block)?),
        kind if RESULTS.contains(&kind) => parts.push(result(block)?),
        "thinking" | "reasoning" => thoughts(block, parts)?,
        _ => parts.push(Part::Text(said(block)?)),
    }
    Some(())
}

/// The text of a block of text.
fn said(block: Node<'_>) -> Option<RawText> {
    match block.get("type")?.as_str()? {
        "text" | "input_text" | "output_text" | "summary_text" => taken(block.get("text")?),
        _ => None,
    }
}

fn first<'t>(block: Node<'t>, names: &[&str], is_one: impl Fn(Node<'t>) -> bool) -> Option<Node<'t>> {
    names.iter().find_map(|name| block.get(name).filter(|member| is_one(*member)))
}

fn id(block: Node<'_>, names: &[&str]) -> Option<RawText> {
    taken(first(block, names, Node::is_text)?)
}

fn call(block: Node<'_>) -> Option<Part> {
    let name = taken(block.get("name")?)?;
    let id = id(block, &["call_id", "toolCallId", "id"]);
    let arguments = first(block, &["arguments", "input", "args"], |member| !member.is_null());
    Some(Part::ToolCall { id, name, arguments: arguments.map_or(RawText::from_static(""), |told| raw(text(told))) })
}

/// What says what a tool returned.
const RESULTS: [&str; 3] = ["tool_result", "function_call_output", "custom_tool_call_output"];

fn result_of(block: Node<'_>) -> Option<Node<'_>> {
    first(block, &["content", "output", "response", "result"], |member| !member.is_null())
}

fn result(block: Node<'_>) -> Option<Part> {
    let call_id = id(block, &["tool_use_id", "call_id", "tool_call_id", "toolCallId", "id"]);
    let content = match result_of(block) {
        None => ResultContent::Text(RawText::from_static("")),
        Some(text) if text.is_text() => ResultContent::Text(taken(text)?),
        Some(list) if list.elements().next().is_some() => {
            let texts: Option<Vec<Part>> = list.elements().map(|block| said(block).map(Part::Text)).collect();
            ResultContent::Parts(texts?)
        }
        Some(_) => return None,
    };
    Some(Part::ToolResult { call_id, content })
}

fn thoughts(block: Node<'_>, parts: &mut Vec<Part>) -> Option<()> {
    let mut think = |text: RawText| {
        // One that is withheld has an empty text beside its signature.
        if !text.is_empty() {
            parts.push(Part::Reasoning(text));
        }
    };
    let mut is_understood = false;
    for name in ["thinking", "text", "content", "summary"] {
        let Some(member) = block.get(name).filter(|member| !member.is_null()) else { continue };
        is_understood = true;
        match taken(member) {
            Some(text) => think(text),
            None if member.is_array() => {
                for block in member.elements() {
                    think(taken(block).or_else(|| said(block))?);
                }
            }
            None => return None,
        }
    }
    if let Some(sealed) = block.get("encrypted_content").and_then(Node::text) {
        is_understood = true;
        parts.push(Part::Encrypted(RawBytes::from(sealed.into_owned().into_bytes())));
    }
    is_understood.then_some(())
}

/// A message, or an item that stands for one, that has no more than what is known here.
fn message(item: Node<'_>) -> Option<Message> {
    let mut role = None;
    for (name, member) in item.members() {
        match name {
            "role" => role = Some(Role::from_word(member.as_str()?)),
            "reasoning_content" | "parts" | "refusal" | "audio" | "tool_calls" => return None,
            _ => {}
        }
    }
    let kind = item.get("type").and_then(Node::as_str);
    let Some(role) = role else {
        let role = match kind? {
            "function_call" | "custom_tool_call" | "reasoning" => Role::Assistant,
            "function_call_output" | "custom_tool_call_output" => Role::Tool,
            _ => return None,
        };
        let mut parts = Vec::new();
        direct(item, &mut parts)?;
        return Some(Message { role, parts });
    };
    // Gateways add more to messages, and the whole message of a tool is a result.
    if role == Role::Tool || item.get("reasoning").is_some() || item.get("function_call").is_some() {
        return None;
    }
    Some(Message { role, parts: blocks(item.get("content")?) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::json::{Escapes, Tape};
    use crate::privacy::c1::{Hasher, visible};

    /// All that there is to know of messages.
    fn known(messages: &[Message]) -> String {
        let known = messages.iter().map(|message| {
            let hasher = Hasher::sha256();
            let ids: Vec<_> = message
                .parts
                .iter()
                .map(|part| match part {
                    Part::ToolCall { id, name, arguments } => {
                        (id.as_ref().and_then(|id| id.expose()), name.expose(), arguments.expose())
                    }
                    Part::ToolResult { call_id, .. } => (call_id.as_ref().and_then(|id| id.expose()), None, None),
                    Part::Encrypted(bytes) => {
                        (std::str::from_utf8(bytes.expose().unwrap()).ok(), Some("encrypted"), None)
                    }
                    _ => (None, None, None),
                })
                .collect();
            format!("{:?} {:?} {ids:?}", message.role, visible(Some(&hasher), message))
        });
        known.collect::<Vec<_>>().join("\n")
    }

    fn same(value: &Value) {
        let mut tape = Tape::default();
        let text = value.to_string();
        let read = |node: Node<'_>| {
            let (as_items, as_blocks) = (messages(node), blocks(node));
            let list = if value.is_array() { value.clone() } else { json!([value]) };
            assert_eq!(known(&as_items), known(&shape::messages(list)), "{text}");
            let of_shape = Message { role: Role::User, parts: shape::blocks(value.clone()) };
            assert_eq!(known(&[Message { role: Role::User, parts: as_blocks }]), known(&[of_shape]), "{text}");
        };
        tape.read(&text, Escapes::Unescaped, read).unwrap();
    }

    const NAMES: [&str; 26] = [
        "role",
        "type",
        "content",
        "text",
        "thinking",
        "summary",
        "encrypted_content",
        "name",
        "id",
        "call_id",
        "tool_use_id",
        "arguments",
        "input",
        "args",
        "output",
        "result",
        "response",
        "reasoning",
        "reasoning_content",
        "parts",
        "refusal",
        "tool_calls",
        "function_call",
        "value",
        "toolName",
        "status",
    ];
    const WORDS: [&str; 24] = [
        "message",
        "text",
        "input_text",
        "output_text",
        "summary_text",
        "thinking",
        "reasoning",
        "reasoning_text",
        "redacted_thinking",
        "tool_use",
        "function_call",
        "custom_tool_call",
        "tool_result",
        "function_call_output",
        "custom_tool_call_output",
        "web_search_call",
        "image",
        "user",
        "assistant",
        "tool",
        "system",
        "",
        "a \"b\"\n",
        "compaction",
    ];

    fn items() -> impl Strategy<Value = Value> {
        let word = || prop::sample::select(&WORDS[..]).prop_map(Value::from);
        let leaf = prop_oneof![
            4 => word(), 1 => Just(Value::Null), 1 => any::<i64>().prop_map(Value::from), 1 => any::<f64>().prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, move |inner| {
            let member = (prop::sample::select(&NAMES[..]), inner.clone());
            let object = (prop::option::of(word()), prop::collection::vec(member, 0..5)).prop_map(|(kind, members)| {
                let kind = kind.map(|kind| ("type".to_owned(), kind));
                Value::Object(
                    kind.into_iter().chain(members.into_iter().map(|(name, value)| (name.to_owned(), value))).collect(),
                )
            });
            prop_oneof![1 => prop::collection::vec(inner, 0..4).prop_map(Value::from), 3 => object]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_read_here_is_read_as_shape_reads_it(item in items()) {
            same(&item);
        }
    }

    #[test]
    fn what_agents_mostly_write_is_read_here() {
        for item in [
            json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "a"}], "content": null, "encrypted_content": "QUJD"}),
            json!({"type": "function_call", "name": "shell", "call_id": "c", "arguments": "{\"a\":1}"}),
            json!({"type": "custom_tool_call", "name": "apply_patch", "call_id": "c", "input": "*** Begin"}),
            json!({"type": "function_call_output", "call_id": "c", "output": "a\nb"}),
            json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}),
        ] {
            let mut tape = Tape::default();
            assert_eq!(
                tape.read(&item.to_string(), Escapes::Unescaped, |node| message(node).is_some()),
                Ok(true),
                "{item}"
            );
            same(&item);
        }
        for block in [
            json!({"type": "text", "text": "a"}),
            json!({"type": "thinking", "thinking": "a", "signature": "s"}),
            json!({"type": "tool_use", "id": "t", "name": "Bash", "input": {"command": "ls", "timeout": 7}}),
            json!({"type": "tool_result", "tool_use_id": "t", "content": "a", "is_error": false}),
            json!({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "a"}]}),
        ] {
            let mut tape = Tape::default();
            let is_direct = |node: Node<'_>| direct(node, &mut Vec::new()).is_some();
            assert_eq!(tape.read(&block.to_string(), Escapes::Unescaped, is_direct), Ok(true), "{block}");
            same(&block);
        }
    }

    #[test]
    fn what_is_too_deep_for_a_value_is_kept_as_it_stands() {
        let deep = format!(r#"{{"type":"x","y":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        let read = |node: Node<'_>| matches!(blocks(node).as_slice(), [Part::Other(json)] if json.len() == deep.len());
        assert_eq!(Tape::default().read(&deep, Escapes::Unescaped, read), Ok(true));
    }
}
