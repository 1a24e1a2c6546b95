//! Policies that are swapped while calls are open.

use std::sync::Arc;

use veilspan::event::{CallRecord, Given, Returned, Veiled};
use veilspan::privacy::c1::{Hasher, digest};
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

/// Texts that are long are hashed two at a time, those of calls that wait together beside each other.
#[test]
fn every_text_of_a_call_is_hashed_under_the_policy_that_the_call_names() {
    const KEYS: [&str; 2] = ["the first key, of 32 bytes or more", "the other key, of 32 bytes or more"];
    let keyed = |key: &str| {
        let environment: veilspan::environment::Environment = [("VEILSPAN_HASH_KEY", key)].into_iter().collect();
        Policy::builder().build_in(&environment).0
    };
    let policies = KEYS.map(keyed);
    let texts = |number: usize| ["asked", "answered"].map(|word| format!("{word} {number} ").repeat(120 + number % 9));
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(policies[0].clone()).build();
    let record = |number: usize| {
        let [asked, answered] = texts(number);
        let mut call = recorder.inference("p", &number.to_string()).input(asked).start();
        call.output(veilspan::event::Message::text(veilspan::event::Role::Assistant, answered));
        call.finish();
    };
    record(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for number in 1..400 {
                recorder.set_policy(policies[number % 2].clone());
                std::thread::yield_now();
            }
        });
        (1..1499).for_each(record);
    });
    record(1499);
    assert!(recorder.flush(SOON).complete);
    let calls = sink.calls();
    assert_eq!(calls.len(), 1500);
    let mut seen = [0; 2];
    for call in &calls {
        let snapshot = call.opened.policy.as_ref().unwrap();
        let key = KEYS.iter().position(|key| snapshot.contains(&Hasher::key_id(key.as_bytes()))).unwrap();
        seen[key] += 1;
        let number = call.opened.attrs.text(veilspan::semconv::REQUEST_MODEL).unwrap().parse().unwrap();
        let hasher = Hasher::hmac_sha256(KEYS[key].as_bytes());
        let expected = texts(number).map(|text| Some(digest::text(&hasher, &text)));
        let (Given::Request(input), Returned::Answer(output)) = (&call.given, &call.returned) else { panic!("halves") };
        assert_eq!([input.items[0].digest, output.items[0].digest], expected, "call {number}");
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
}
