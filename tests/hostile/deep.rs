//! Values in each other, deeper than a stack.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use veilspan::privacy::Level;
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use super::targets::{canonical, detect, shapes};

const SOON: Duration = Duration::from_secs(120);

/// So deep that what recurses ends the process.
const DEEP: usize = 200_000;

fn nested(depth: usize) -> Value {
    (0..depth).fold(json!("innermost"), |inner, level| {
        if level % 2 == 0 {
            Value::Array(vec![inner])
        } else {
            Value::Object(Map::from_iter([("k".to_owned(), inner)]))
        }
    })
}

/// As a host has to let go of one.
fn let_go(value: Value) {
    let mut left = vec![value];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(elements) => left.extend(elements),
            Value::Object(members) => left.extend(members.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

#[test]
fn values_deeper_than_a_stack_are_told_of_whoever_lets_go_of_them() {
    for level in Level::ALL {
        let environment = [("VEILSPAN_CONTENT_MAX", "full")].into_iter().collect();
        let policy = Policy::builder().content(level).build_in(&environment).0;
        let sink = Arc::new(MemorySink::default());
        let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
        let turn = recorder.turn("agent").start();
        let borrowed = nested(DEEP);
        let in_messages = json!({ "messages": [] });
        let Value::Object(mut body) = in_messages else { unreachable!() };
        body.insert("messages".to_owned(), Value::Array(vec![nested(DEEP)]));
        let body = Value::Object(body);
        let list = [nested(DEEP), nested(3)];
        turn.inference("p", "m").input(&borrowed).start().finish();
        turn.inference("p", "m").input(&body).start().finish();
        turn.inference("p", "m").input(&list[..]).start().finish();
        turn.inference("p", "m").input(nested(DEEP)).start().finish();
        turn.inference("p", "m").input(body).start().finish();
        turn.inference("p", "m").input(vec![nested(DEEP)]).start().finish();
        let mut call = turn.inference("p", "m").start();
        call.answer(&borrowed).chunk(&borrowed);
        call.finish();
        let mut tool = turn.tool("t").start();
        tool.result(&borrowed);
        tool.finish();
        let mut tool = turn.tool("t").start();
        tool.result(nested(DEEP));
        tool.finish();
        turn.finish();
        assert!(recorder.shutdown(SOON).complete);
        assert_eq!(sink.calls().len(), 10);
        let_go(borrowed);
        list.into_iter().for_each(let_go);
    }
}

#[test]
fn texts_of_json_ten_thousand_deep_are_texts() {
    for (open, close) in [("[", "]"), ("{\"k\":", "}"), ("\\\"", "\\\""), ("[\"", "\"]"), ("\\\\", "")] {
        for count in [127, 128, 129, 10_000] {
            let text = format!("{}0{}", open.repeat(count), close.repeat(count));
            canonical(text.as_bytes());
            detect(text.as_bytes());
            shapes(text.as_bytes());
        }
    }
}

#[test]
fn lone_surrogates_are_no_characters_and_break_nothing() {
    for escape in [r"\ud800", r"\udfff", r"\ud800\ud800", r"\udc00\ud800", r"\ud800x", r"\ud800\u0041", r"\uD83D"] {
        for text in [format!(r#"{{"a":"{escape}"}}"#), format!(r#"["{escape}{escape}"]"#), escape.to_owned()] {
            canonical(text.as_bytes());
            detect(text.as_bytes());
            super::targets::record(text.as_bytes());
        }
    }
}

#[test]
fn a_cap_of_zero_is_a_cap() {
    let variables = [
        ("VEILSPAN_CONTENT", "full"),
        ("VEILSPAN_CONTENT_MAX", "full"),
        ("VEILSPAN_PREVIEW_CHARS", "0"),
        ("VEILSPAN_ATTRIBUTE_BYTES", "0"),
    ];
    let policy = Policy::builder().build_in(&variables.into_iter().collect()).0;
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(policy).build();
    let mut call = recorder.inference("p", "m").input("what was asked, in words").start();
    call.answer("what was answered");
    call.finish();
    assert!(recorder.shutdown(SOON).complete);
    let printed = format!("{:?}", sink.records());
    assert!(!printed.contains("words") && !printed.contains("answered"), "{printed}");
}
