use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use super::*;
use crate::event::shape::{self, genai};
use crate::event::{Message, Part, RawText, Request, ResultContent, ToolDefinition};

/// JSON as JSON, so that the order of members does not count: whether serde_json keeps it is not ours to say.
fn text(text: &RawText) -> String {
    let text = text.expose().expect("a text of that length");
    serde_json::from_str::<Value>(text).map_or_else(|_| format!("text {text}"), |json| format!("json {json}"))
}

fn part(said: &Part) -> String {
    let id = |id: &Option<RawText>| id.as_ref().map(text);
    match said {
        Part::Text(said) => format!("text {}", text(said)),
        Part::Reasoning(said) => format!("reasoning {}", text(said)),
        Part::ToolCall { id: call, name, arguments } => {
            format!("call {:?} {} {}", id(call), text(name), text(arguments))
        }
        Part::ToolResult { call_id, content: ResultContent::Text(said) } => {
            format!("result {:?} {}", id(call_id), text(said))
        }
        Part::ToolResult { call_id, content: ResultContent::Parts(parts) } => {
            format!("result {:?} {:?}", id(call_id), parts.iter().map(part).collect::<Vec<_>>())
        }
        Part::Blob(bytes) => format!("blob {:?}", bytes.expose()),
        Part::Encrypted(bytes) => format!("encrypted {:?}", bytes.expose()),
        Part::Reference(said) => format!("reference {}", text(said)),
        Part::Other(json) => format!("other {}", text(json)),
    }
}

fn all(messages: &[Message]) -> Vec<String> {
    let one = |message: &Message| {
        format!("{}: {:?}", message.role.as_str(), message.parts.iter().map(part).collect::<Vec<_>>())
    };
    messages.iter().map(one).collect()
}

fn definitions(tools: &[ToolDefinition]) -> Vec<String> {
    let optional = |said: &Option<RawText>| said.as_ref().map(text);
    tools
        .iter()
        .map(|tool| format!("{} {:?} {:?}", text(&tool.name), optional(&tool.description), optional(&tool.parameters)))
        .collect()
}

fn whole(request: Option<Request>) -> Option<(Vec<String>, Vec<String>, Vec<String>)> {
    request.map(|it| (it.system.iter().map(text).collect(), definitions(&it.tools), all(&it.messages)))
}

/// Everything that is read of a value.
macro_rules! said {
    ($value:expr, $look:expr) => {{
        let look = $look;
        let reasons: Option<Vec<Option<String>>> = Look::as_array(look).map(|messages| {
            messages.map(|it| Look::get(it, "finish_reason").and_then(Look::as_str).map(str::to_owned)).collect()
        });
        (
            all(&genai::messages($value)),
            genai::system($value).iter().map(text).collect::<Vec<_>>(),
            definitions(&genai::tools($value)),
            all(&shape::answer($value)),
            whole(shape::request($value)),
            text(&Look::write(look, &["id", "name"])),
            reasons,
        )
    }};
}

fn assert_same(json: &str) {
    let value = serde_json::from_str::<Value>(json).ok();
    let theirs = value.as_ref().map(|value| said!(value.clone(), value));
    let ours = read(json, |value| said!(value, value));
    assert_eq!(ours, theirs, "{json}");
    assert_eq!(value.as_ref().map(|value| said!(value, value)), theirs, "borrowed: {json}");
}

const KEYS: &[&str] = &[
    "type",
    "role",
    "parts",
    "content",
    "text",
    "id",
    "name",
    "arguments",
    "response",
    "finish_reason",
    "tool_calls",
    "function",
    "messages",
    "system",
    "tools",
    "output",
    "choices",
    "message",
    "summary",
    "source",
    "data",
    "uri",
    "parameters",
    "description",
    "encrypted_content",
    "a",
    "é",
    "\\u0061",
    "ty\\u0070e",
    "a\\/b",
    "\\\"",
];
const WORDS: &[&str] = &[
    "text",
    "tool_call",
    "tool_call_response",
    "reasoning",
    "user",
    "assistant",
    "tool",
    "system",
    "message",
    "blob",
    "uri",
    "document",
    "base64",
    "redacted_thinking",
    "function_call_output",
    "json",
    "stop",
    "",
    "AAEC",
    "AAEC\\/w==",
    "two\\nlines",
    "\\\\ \\\" \\b\\f\\t\\r",
    "\\u00e9\\ud83d\\ude00",
    "\\ud83d",
    "\\ude00\\ud83d",
    "\\ud83d\\n",
    "\\x",
    "\\u12",
    "über all",
    "a\u{1}b",
    "a\u{7f}b",
];
const SCALARS: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "7",
    "-12",
    "1.0",
    "1.50",
    "1e3",
    "1E-7",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "1e400",
    "01",
    "-",
    "1.",
    ".5",
    "+1",
    "nul",
    "NaN",
    "'x'",
];

fn string() -> impl Strategy<Value = String> {
    prop_oneof![4 => select(WORDS).prop_map(str::to_owned), 1 => "[ !#-\\[\\]-~]{0,80}"]
        .prop_map(|it| format!("\"{it}\""))
}

fn blank() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => select(&[" ", "\n", "\t \r", "\u{a0}"][..])]
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![3 => string(), 1 => select(SCALARS).prop_map(str::to_owned)];
    leaf.prop_recursive(5, 48, 6, |inner| {
        let elements = prop::collection::vec((blank(), inner.clone(), blank()), 0..5);
        let array = elements.prop_map(|all| {
            let all: Vec<String> =
                all.into_iter().map(|(before, json, after)| format!("{before}{json}{after}")).collect();
            format!("[{}]", all.join(","))
        });
        let key = prop_oneof![8 => select(KEYS).prop_map(|it| format!("\"{it}\"")), 1 => string()];
        let members = prop::collection::vec((key, blank(), inner, blank()), 0..7);
        let object = members.prop_map(|all| {
            let all: Vec<String> =
                all.into_iter().map(|(key, before, json, after)| format!("{key}{before}:{json}{after}")).collect();
            format!("{{{}}}", all.join(","))
        });
        prop_oneof![1 => array, 2 => object]
    })
}

/// Messages of the conventions, with whatever in the places of their texts.
fn conventional() -> impl Strategy<Value = String> {
    let kind = select(&["text", "reasoning", "tool_call", "tool_call_response", "blob", "other"][..]);
    let part = (kind, json(), string()).prop_map(|(kind, json, text)| {
        format!(r#"{{"type":"{kind}","content":{text},"id":"c1","name":"f","arguments":{json},"response":{json}}}"#)
    });
    let parts = prop::collection::vec(part, 0..4);
    let role = select(&["user", "assistant", "tool", "system", "odd"][..]);
    let message = (role, parts, string()).prop_map(|(role, parts, reason)| {
        format!(r#"{{"role":"{role}","parts":[{}],"finish_reason":{reason}}}"#, parts.join(","))
    });
    prop::collection::vec(message, 0..4).prop_map(|all| format!("[{}]", all.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn a_text_says_the_same_as_to_serde_json(json in json(), before in blank(), after in blank()) {
        assert_same(&format!("{before}{json}{after}"));
    }

    #[test]
    fn messages_say_the_same_as_to_serde_json(json in conventional(), cut in any::<prop::sample::Index>()) {
        assert_same(&json);
        let cut = cut.index(json.len() + 1);
        if let Some(beginning) = json.get(..cut) {
            assert_same(beginning);
        }
    }
}

#[test]
fn as_deep_is_taken_as_serde_json_takes_and_no_deeper() {
    for depth in [1, 126, 127, 128, 129, 100_000] {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let json = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert_eq!(read(&json, |_| ()).is_some(), depth <= 127, "{depth}");
            assert_eq!(serde_json::from_str::<Value>(&json).is_ok(), depth <= 127, "{depth}");
        }
    }
}

#[test]
fn of_a_key_that_stands_twice_the_last_value_counts_however_many_there_are() {
    for others in [0, 3, 100] {
        let others: String = (0..others).map(|number| format!("\"k{number}\":{number},")).collect();
        let json = format!(r#"[{{"role":"user",{others}"content":"first","role":"assistant","content":"last"}}]"#);
        assert_same(&json);
        let messages = read(&json, |value| all(&genai::messages(value))).unwrap();
        assert_eq!(messages, [r#"assistant: ["text text last"]"#]);
    }
    let many: String = (0..200_000).map(|number| format!("\"{number}\":1,")).collect();
    assert!(read(&format!("{{{many}\"0\":1}}"), |value| text(&Look::write(value, &[]))).is_some(), "in time");
}

#[test]
fn a_value_is_written_as_serde_json_writes_it() {
    for json in [
        r#"{"a":[1,2.5,"x\n",true],"b":{}}"#,
        "[ ]",
        "[1 ]",
        r#"["\/","\u0061","\u001f"]"#,
        "[1.50,-0,1e3,18446744073709551615,18446744073709551616,-9223372036854775809,1E-7]",
        r#"{"a":1,"b":2,"a":3}"#,
        r#"[[ ],[],null,false]"#,
    ] {
        let written = read(json, |value| Look::write(value, &[]).expose().unwrap().to_owned()).unwrap();
        assert_eq!(written, serde_json::from_str::<Value>(json).unwrap().to_string(), "{json}");
        assert_same(json);
    }
}

#[test]
fn what_is_told_of_a_part_is_told_once() {
    for json in [
        r#"[{"role":"user","content":[{"type":"document","context":"of last year","source":{"type":"odd","x":1}}]}]"#,
        r#"[{"role":"assistant","content":[{"type":"odd","encrypted_content":"c2VjcmV0","x":1}]}]"#,
    ] {
        assert_same(json);
        let messages = read(json, |value| all(&genai::messages(value))).unwrap().join(" ");
        assert_eq!(
            messages.matches("of last year").count() + messages.matches("encrypted Some").count(),
            1,
            "{messages}"
        );
        assert!(!messages.contains("context") && !messages.contains("encrypted_content"), "{messages}");
    }
}
