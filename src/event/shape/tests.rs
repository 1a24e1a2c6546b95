use serde_json::{Value, json};

use super::*;
use crate::event::{Message, Part, RawText, ResultContent, Role};

/// A message as plain text, so that a test can say what it expects.
fn show(message: &Message) -> String {
    let parts: Vec<_> = message.parts.iter().map(show_part).collect();
    format!("{}: {}", message.role.as_str(), parts.join(" | "))
}

fn show_part(part: &Part) -> String {
    let text = |text: &RawText| text.expose().unwrap().to_owned();
    let id = |id: &Option<RawText>| id.as_ref().map_or("-".to_owned(), text);
    match part {
        Part::Text(content) => format!("text {}", text(content)),
        Part::Reasoning(content) => format!("reasoning {}", text(content)),
        Part::ToolCall { id: call, name, arguments } => format!("call {} {} {}", id(call), text(name), text(arguments)),
        Part::ToolResult { call_id, content: ResultContent::Text(content) } => {
            format!("result {} {}", id(call_id), text(content))
        }
        Part::ToolResult { call_id, content: ResultContent::Parts(parts) } => {
            let parts: Vec<_> = parts.iter().map(show_part).collect();
            format!("result {} [{}]", id(call_id), parts.join(", "))
        }
        Part::Blob(bytes) => format!("blob {:?}", bytes.expose().unwrap()),
        Part::Encrypted(bytes) => format!("encrypted {:?}", bytes.expose().unwrap()),
        Part::Reference(content) => format!("reference {}", text(content)),
        Part::Other(json) => format!("other {}", text(json)),
    }
}

/// Members stand here in an order in which they come out whether or not another crate has switched serde_json to keep it.
/// Read by reference and by value: both ways have to agree.
fn shown(value: Value) -> Vec<String> {
    let borrowed: Vec<_> = messages(&value).iter().map(show).collect();
    let owned: Vec<_> = messages(value).iter().map(show).collect();
    assert_eq!(borrowed, owned);
    owned
}

fn block(block: Value) -> String {
    let mut shown = shown(json!([{"role": "user", "content": [block]}]));
    shown.pop().unwrap().trim_start_matches("user: ").to_owned()
}

#[test]
fn media_become_bytes_or_references_in_every_shape() {
    let blob = "blob [0, 1, 2, 255]";
    let blobs = [
        json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAEC/w==", "detail": "low"}}),
        json!({"type": "image_url", "image_url": "data:;BASE64,AAEC/w"}),
        json!({"type": "input_image", "image_url": "data:image/png;charset=x;base64,AAEC_w"}),
        json!({"type": "input_audio", "input_audio": {"data": "AAEC/w==", "format": "wav"}}),
        json!({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,AAEC/w=="}}),
        json!({"type": "input_file", "file_data": "AAEC/w=="}),
        json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC/w=="}}),
        json!({"type": "document", "source": {"type": "base64", "data": "AAEC/w=="}, "title": "t"}),
        json!({"type": "blob", "modality": "image", "content": "AAEC/w=="}),
        json!({"type": "image", "data": "AAEC/w==", "mimeType": "image/png"}),
    ];
    for value in blobs {
        assert_eq!(block(value.clone()), blob, "{value}");
    }
    let references = [
        json!({"type": "image_url", "image_url": {"url": "https://a/b"}}),
        json!({"type": "input_image", "image_url": "https://a/b"}),
        json!({"type": "input_image", "file_id": "https://a/b"}),
        json!({"type": "file", "file": {"file_id": "https://a/b"}}),
        json!({"type": "file", "file_id": "https://a/b", "modality": "image"}),
        json!({"type": "input_file", "file_url": "https://a/b"}),
        json!({"type": "image", "source": {"type": "url", "url": "https://a/b"}}),
        json!({"type": "document", "source": {"type": "file", "file_id": "https://a/b"}}),
        json!({"type": "uri", "uri": "https://a/b"}),
    ];
    for value in references {
        assert_eq!(block(value.clone()), "reference https://a/b", "{value}");
    }
}

#[test]
fn bad_base64_is_never_lost() {
    let url = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,?"}});
    assert_eq!(block(url), "reference data:image/png;base64,?");
    let plain = json!({"image_url": "data:text/plain,hello", "type": "data"});
    assert_eq!(block(plain), r#"other {"image_url":"data:text/plain,hello","type":"data"}"#);
    let source = json!({"source": {"data": "?", "type": "base64"}, "type": "image", "cache_control": {}});
    assert_eq!(block(source), r#"other {"source":{"data":"?","type":"base64"},"type":"image"}"#);
}

#[test]
fn thoughts_are_read_and_what_is_encrypted_is_kept_apart() {
    let content = json!([{"role": "assistant", "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "thinking", "thinking": "", "signature": "s"},
        {"type": "redacted_thinking", "data": "AB"},
        {"type": "reasoning", "content": "so"},
    ]}]);
    assert_eq!(shown(content), ["assistant: reasoning hm | encrypted [65, 66] | reasoning so"]);
    let item = json!([{"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "b"}],
        "content": [{"type": "reasoning_text", "text": "a"}], "encrypted_content": "AB"}]);
    assert_eq!(shown(item), ["assistant: reasoning a | reasoning b | encrypted [65, 66]"]);
    let gateway = json!([{"role": "assistant", "reasoning_content": "hm", "content": "hi"}]);
    assert_eq!(shown(gateway), ["assistant: reasoning hm | text hi"]);
}

#[test]
fn the_items_of_one_answer_are_one_message() {
    let input = json!([
        {"role": "user", "content": "add"},
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "ok", "annotations": []}]},
        {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "add", "arguments": "{}"},
        {"status": "completed", "type": "web_search_call", "id": "ws_1"},
        {"type": "function_call_output", "call_id": "c1", "output": "5"},
        {"type": "computer_call_output", "call_id": "c2",
            "output": {"type": "computer_screenshot", "image_url": "data:;base64,AA=="}},
        {"type": "custom_tool_call", "call_id": "c3", "name": "run", "input": "ls"},
        {"type": "item_reference", "id": "msg_1"},
        "bye",
    ]);
    assert_eq!(
        shown(input),
        [
            "user: text add",
            r#"assistant: text ok | call c1 add {} | other {"status":"completed","type":"web_search_call"}"#,
            "tool: result c1 5",
            "tool: result c2 [blob [0]]",
            "assistant: call c3 run ls",
            "other: reference msg_1",
            "user: text bye",
        ]
    );
}

#[test]
fn chat_messages_beside_each_other_stay_apart() {
    let chat = json!([{"role": "assistant", "content": "a"}, {"role": "assistant", "content": "b"}]);
    assert_eq!(shown(chat), ["assistant: text a", "assistant: text b"]);
}

#[test]
fn results_are_texts_parts_or_json() {
    let result = |response: Value| block(json!({"type": "tool_call_response", "id": "1", "response": response}));
    assert_eq!(result(json!("5")), "result 1 5");
    assert_eq!(result(json!({"sum": 5})), r#"result 1 {"sum":5}"#);
    assert_eq!(result(json!([1, 2])), "result 1 [1,2]");
    assert_eq!(result(json!(null)), "result 1 ");
    assert_eq!(result(json!([{"type": "text", "text": "5"}])), "result 1 [text 5]");
    let chat = json!([{"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "5"}]}]);
    assert_eq!(shown(chat), ["tool: result 1 5"]);
    assert_eq!(shown(json!([{"role": "tool", "content": null}])), ["tool: result - "]);
}

#[test]
fn what_is_not_understood_is_kept_as_json() {
    for value in [json!(5), json!([1]), json!({"a": 1}), json!({"type": 5}), json!({"type": "text", "text": 5})] {
        assert_eq!(block(value.clone()), format!("other {value}"));
    }
    assert_eq!(
        shown(json!([5, null, {"role": "user", "said": "x"}, {"role": 5, "content": 6}])),
        ["other: other 5", "other: other null", r#"user: other {"role":"user","said":"x"}"#, "other: other 6",]
    );
    assert_eq!(
        shown(json!([{"role": "assistant", "tool_calls": [{"id": "1"}, 7]}])),
        ["assistant: other {} | other 7"]
    );
    assert_eq!(answer(json!({"choices": 5})).len(), 1);
}

#[test]
fn answers_of_every_provider_are_read() {
    let shown = |value: Value| -> Vec<String> { answer(value).iter().map(show).collect() };
    let chat = json!({"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}},
        {"index": 1, "message": {"role": "assistant", "content": null, "refusal": "no"}}]});
    assert_eq!(shown(chat), ["assistant: text hi", "assistant: text no"]);
    let anthropic = json!({"type": "message", "role": "assistant", "content": [{"type": "text", "text": "hi"}]});
    assert_eq!(shown(anthropic), ["assistant: text hi"]);
    let responses = json!({"object": "response", "instructions": "x", "output": [
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]},
        {"type": "function_call", "call_id": "1", "name": "add", "arguments": "{}"}]});
    assert_eq!(shown(responses), ["assistant: text hi | call 1 add {}"]);
    let genai = json!([{"role": "assistant", "parts": [{"type": "text", "content": "hi"}], "finish_reason": "stop"}]);
    assert_eq!(shown(genai), ["assistant: text hi"]);
    assert_eq!(shown(json!({"error": {"code": 5}})), [r#"assistant: other {"error":{"code":5}}"#]);
}

#[test]
fn the_same_input_is_counted_the_same_by_every_provider() {
    let chat = json!({"id": "r", "model": "m", "choices": [{"finish_reason": "stop"}, {"finish_reason": null}], "usage": {
        "prompt_tokens": 15, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5},
        "completion_tokens_details": {"reasoning_tokens": 3}}});
    let facts = response_facts(&chat);
    assert_eq!((facts.id, facts.model, facts.finish_reasons.as_slice()), (Some("r"), Some("m"), ["stop"].as_slice()));
    let usage =
        Usage { input: Some(15), output: Some(4), cache_read: Some(5), cache_creation: None, reasoning: Some(3) };
    assert_eq!(facts.usage, usage);
    let responses = json!({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "usage": {
        "input_tokens": 15, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 5},
        "output_tokens_details": {"reasoning_tokens": 3}}});
    assert_eq!(response_facts(&responses).usage, usage);
    assert_eq!(response_facts(&responses).finish_reasons.as_slice(), ["max_output_tokens"]);
    let anthropic = json!({"stop_reason": "end_turn", "usage": {"input_tokens": 8, "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 2, "output_tokens": 4}});
    let facts = response_facts(&anthropic);
    assert_eq!(facts.usage, Usage { cache_creation: Some(2), reasoning: None, ..usage });
    assert_eq!(facts.finish_reasons.as_slice(), ["end_turn"]);
}

#[test]
fn what_is_no_count_is_absent() {
    for odd in [json!(-1), json!(1.5), json!("1"), json!(null), json!(u64::MAX), json!([1])] {
        let body = json!({"usage": {"input_tokens": odd, "output_tokens": odd, "cache_read_input_tokens": odd}});
        assert_eq!(response_facts(&body).usage, Usage::default());
    }
    let usage = json!({"input_tokens": i64::MAX, "cache_read_input_tokens": 1});
    assert_eq!(Usage::read(&usage).input, None);
    assert_eq!(response_facts(&json!(5)).usage, Usage::default());
}

/// A block in a block, as deep as is told; `json!` would copy the inner one each time, by recursion.
fn nested(kind: &str, depth: usize) -> Value {
    (0..depth).fold(json!("x"), |inner, _| {
        let mut block = json!({"type": kind, "content": [], "source": {"type": "content", "content": []}});
        block["content"] = Value::Array(vec![inner]);
        if kind == "document" {
            block["source"]["content"] = block["content"].take();
        }
        block
    })
}

#[test]
fn depth_exhausts_no_stack() {
    let text = json::write(&nested("tool_result", 30), &[]);
    assert_eq!(text.expose().unwrap(), nested("tool_result", 30).to_string());
    for kind in ["tool_result", "reasoning", "document", "text"] {
        // As deep as serde_json itself can drop here; far deeper than a stack this small could follow.
        let mut message = json!({"role": "user"});
        message["content"] = nested(kind, 700);
        let read = || show(&message::message(&message, Role::User));
        let small = std::thread::Builder::new().stack_size(256 << 10);
        let borrowed = std::thread::scope(|scope| small.spawn_scoped(scope, read).unwrap().join().unwrap());
        assert!(borrowed.len() > 700);
        assert_eq!(borrowed, show(&message::message(message, Role::User)));
    }
}
