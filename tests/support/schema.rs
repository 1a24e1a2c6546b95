//! The JSON schemas of content in the GenAI conventions, v1.41, written down as checks.

use serde_json::Value;

fn has_text(value: &Value, key: &str) -> bool {
    value.get(key).is_some_and(Value::is_string)
}

fn may_have_text(value: &Value, key: &str) -> bool {
    value.get(key).is_none_or(|value| value.is_string() || value.is_null())
}

/// A part: of a known type with what that requires, or generic.
fn is_part(part: &Value) -> bool {
    let has_media = || has_text(part, "modality") && may_have_text(part, "mime_type");
    match part.get("type").and_then(Value::as_str) {
        Some("text" | "reasoning") => has_text(part, "content"),
        Some("tool_call") => has_text(part, "name") && may_have_text(part, "id") && part.get("arguments").is_some(),
        Some("tool_call_response") => may_have_text(part, "id") && part.get("response").is_some(),
        Some("blob") => has_media() && has_text(part, "content"),
        Some("file") => has_media() && has_text(part, "file_id"),
        Some("uri") => has_media() && has_text(part, "uri"),
        Some(_) => part.is_object(),
        None => false,
    }
}

fn all(value: &Value, check: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|elements| elements.iter().all(check))
}

fn is_message(message: &Value) -> bool {
    has_text(message, "role")
        && may_have_text(message, "name")
        && message.get("parts").is_some_and(|parts| all(parts, is_part))
}

fn is_definition(tool: &Value) -> bool {
    let is_function = tool.get("type").is_some_and(|kind| kind == "function");
    let has_schema = tool.get("parameters").is_none_or(Value::is_object);
    has_text(tool, "type")
        && has_text(tool, "name")
        && (!is_function || may_have_text(tool, "description") && has_schema)
}

/// `gen_ai.input.messages`
pub(crate) fn is_input(text: &str) -> bool {
    serde_json::from_str(text).is_ok_and(|value| all(&value, is_message))
}

/// `gen_ai.output.messages`
pub(crate) fn is_output(text: &str) -> bool {
    let is_answer = |message: &Value| is_message(message) && has_text(message, "finish_reason");
    serde_json::from_str(text).is_ok_and(|value| all(&value, is_answer))
}

/// `gen_ai.system_instructions`
pub(crate) fn is_system(text: &str) -> bool {
    serde_json::from_str(text).is_ok_and(|value| all(&value, is_part))
}

/// `gen_ai.tool.definitions`
pub(crate) fn is_tools(text: &str) -> bool {
    serde_json::from_str(text).is_ok_and(|value| all(&value, is_definition))
}

#[test]
fn the_checks_refuse_what_the_schemas_refuse() {
    assert!(is_input(r#"[{"role":"user","parts":[{"type":"text","content":"x"},{"type":"ours","y":1}]}]"#));
    assert!(is_input("[]"));
    for wrong in [
        "",
        "{}",
        r#"[{"role":"user"}]"#,
        r#"[{"parts":[]}]"#,
        r#"[{"role":"user","parts":[{"type":"text"}]}]"#,
        r#"[{"role":"user","parts":[{"content":"x"}]}]"#,
        r#"[{"role":"user","parts":[{"type":"tool_call","name":"x"}]}]"#,
        r#"[{"role":"user","parts":[{"type":"text","content":"x"}"#,
    ] {
        assert!(!is_input(wrong), "{wrong}");
    }
    assert!(!is_output(r#"[{"role":"assistant","parts":[]}]"#));
    assert!(!is_tools(r#"[{"type":"function","name":"x","parameters":"y"}]"#));
}
