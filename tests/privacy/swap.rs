//! Policies that are swapped while calls are open.

use std::sync::Arc;

use veilspan::event::{CallRecord, Given, Veiled};
use veilspan::testing::MemorySink;
use veilspan::{Policy, Recorder};

use super::recorded::{SOON, policy};

fn start(content: &str) -> (Recorder, Arc<MemorySink>) {
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(under(content)).build();
    (recorder, sink)
}

fn under(content: &str) -> Policy {
    policy(&[("VEILSPAN_CONTENT", content)])
}

fn content(call: &CallRecord<Veiled>) -> Option<&str> {
    match &call.given {
        Given::Request(input) => input.shown.content().map(|content| &**content),
        _ => None,
    }
}

#[test]
fn an_open_call_keeps_its_policy_when_a_laxer_one_comes() {
    let (recorder, sink) = start("digest");
    let call = recorder.inference("p", "m").input("before").start();
    recorder.set_policy(under("masked"));
    let after = recorder.inference("p", "m").input("after").start();
    after.finish();
    call.finish();
    assert!(recorder.flush(SOON).complete);
    let calls = sink.calls();
    assert!(content(&calls[0]).is_some_and(|content| content.contains("after")));
    assert_eq!(content(&calls[1]), None);
    assert!(calls[0].opened.policy.as_ref().unwrap().starts_with("content=masked"));
    assert!(calls[1].opened.policy.as_ref().unwrap().starts_with("content=digest"));
}

#[test]
fn a_stricter_policy_holds_at_once_for_what_was_not_encoded() {
    for stricter in ["none", "digest", "preview"] {
        let (recorder, sink) = start("masked");
        let mut call = recorder.inference("p", "m").input("said before").start();
        let mut tool = recorder.tool("t").arguments(r#"{"said":"before"}"#).start();
        // Veiled under the laxer policy, and still open.
        assert!(recorder.flush(SOON).complete);
        recorder.set_policy(under(stricter));
        call.output(veilspan::event::Message::text(veilspan::event::Role::Assistant, "said after"));
        tool.result("said after");
        call.finish();
        tool.finish();
        assert!(recorder.flush(SOON).complete);
        for call in sink.calls() {
            assert!(call.opened.policy.as_ref().unwrap().starts_with(&format!("content={stricter};")));
            let mut bytes = Vec::new();
            veilspan::otlp::encode::Encoder::default().span(&call, &mut bytes);
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains(r#""parts""#), "{text}");
            assert_eq!(text.contains("said"), stricter == "preview", "{stricter}: {text}");
            assert_eq!(text.contains("sha256:"), stricter != "none", "{stricter}");
            assert_eq!(text.contains(".length"), stricter != "none", "{stricter}");
        }
    }
}

#[test]
fn what_waits_when_a_stricter_policy_comes_is_veiled_under_that() {
    let (recorder, sink) = start("masked");
    for _ in 0..200 {
        recorder.inference("p", "m").input("said").start().finish();
    }
    recorder.set_policy(under("none"));
    recorder.set_policy(under("masked"));
    recorder.inference("p", "m").input("said last").start().finish();
    assert!(recorder.flush(SOON).complete);
    let last = sink.calls().pop().unwrap();
    assert!(content(&last).is_some_and(|content| content.contains("said last")));
}
