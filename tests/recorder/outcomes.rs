//! How calls end.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::json;
use veilspan::event::{EdgeKind, KeyIdentity, ManualClock, Outcome};
use veilspan::intake::Drop;
use veilspan::record::{Failure, Fault, Operation};
use veilspan::testing::MemorySink;
use veilspan::{Recorder, semconv};

use super::common::*;

struct RateLimited;

impl Failure for RateLimited {
    fn kind(&self) -> Cow<'_, str> {
        "rate_limited".into()
    }

    fn retryable(&self) -> Option<bool> {
        Some(true)
    }
}

#[test]
fn r06_r07_a_handled_error_is_told_with_its_digest_although_the_body_returns() {
    let (recorder, sink) = recorder();
    let mut call = recorder.inference("openai", "m").start();
    call.mark_failed("E").error_text("what it said");
    call.finish();
    let mut call = recorder.tool("t").start();
    call.mark_failed("E").error_text("what it said");
    call.result("{}");
    call.finish();
    for call in calls(&recorder, &sink) {
        assert_eq!(call.closed.outcome, Some(Outcome::Failed));
        assert_eq!(call.closed.attrs.text(semconv::ERROR_KIND), Some("E"));
        assert_eq!(call.closed.error.length, Some(12));
        assert!(call.closed.error.digest.is_some());
        assert!(!format!("{call:?}").contains("what it said"));
    }
}

#[test]
fn r09_an_error_that_is_raised_counts_over_one_that_was_handled_and_both_are_told() {
    let (recorder, sink) = recorder();
    let mut call = recorder.inference("openai", "m").start();
    call.mark_failed("E");
    call.finish_with::<str_answer::Text, _>(&Err(RateLimited));
    let call = calls(&recorder, &sink).remove(0);
    assert_eq!(call.closed.attrs.text(semconv::ERROR_KIND), Some("rate_limited"));
    assert_eq!(call.closed.attrs.text(semconv::ERROR_HANDLED), Some("E"));
    assert_eq!(call.closed.attrs.get(semconv::ERROR_RETRYABLE), Some(true));
}

mod str_answer {
    pub type Text = String;
}

#[test]
fn r10_a_result_that_says_it_is_an_error_fails_its_tool() {
    let (recorder, sink) = recorder();
    let mut call = recorder.tool("t").start();
    call.error_result("no such file");
    call.finish();
    let mut call = recorder.tool("t").start();
    call.mark_failed("not_found").error_result("no such file");
    call.finish();
    let kinds: Vec<_> = calls(&recorder, &sink)
        .iter()
        .map(|call| (call.closed.outcome.unwrap(), call.closed.attrs.text(semconv::ERROR_KIND).unwrap().to_owned()))
        .collect();
    assert_eq!(kinds, [(Outcome::Failed, "tool_error".to_owned()), (Outcome::Failed, "not_found".to_owned())]);
}

#[test]
fn r15_the_bodys_own_error_surfaces_whatever_the_sink_does() {
    let (recorder, sink) = recorder();
    sink.refuse(true);
    let body = || -> Result<String, std::num::ParseIntError> {
        let call = recorder.inference("openai", "m").start();
        let result = "x".parse::<i32>().map(|number| number.to_string());
        call.finish_with(&result);
        result
    };
    assert_eq!(body().unwrap_err(), "x".parse::<i32>().unwrap_err());
    assert!(recorder.flush(SOON).complete);
    assert!(sink.records().is_empty());
    assert_eq!(recorder.counts().dropped.of(Drop::SinkRefused), 1);
}

#[test]
fn r19_an_answer_of_any_shape_closes_its_call() {
    let (recorder, sink) = recorder();
    let odd = [json!(null), json!(7), json!([1, [2]]), json!({ "choices": 3 }), json!({ "output": { "a": [] } })];
    for answer in &odd {
        recorder.inference("openai", "m").input(answer).start().finish_with::<_, std::io::Error>(&Ok(answer));
        recorder.tool("t").start().finish_with::<_, std::io::Error>(&Ok(answer.to_string()));
    }
    let calls = calls(&recorder, &sink);
    assert_eq!(calls.len(), 2 * odd.len());
    assert!(calls.iter().all(|call| call.closed.outcome == Some(Outcome::Completed)));
}

#[test]
fn r20_an_empty_or_odd_identity_fails_no_call() {
    let (recorder, sink) = recorder();
    for id in ["", " ", "\0", "ü", &"x".repeat(5000)] {
        let turn = recorder.turn(id).rollout(id).thread(id).turn_id(id).tenant(id).conversation(id).start();
        turn.inference(id, id).caller(id).importance(f64::NAN).start().finish();
        turn.checkpoint(id).cut(id).label(id).record();
        turn.finish();
    }
    assert_eq!(calls(&recorder, &sink).len(), 10);
    let disabled = Recorder::builder().build();
    assert!(!disabled.is_enabled());
    disabled.turn("").start().finish();
}

#[test]
fn r35_attempts_are_numbered_and_a_pause_is_part_of_none() {
    let clock = Arc::new(ManualClock::at(1_000_000_000));
    let sink = Arc::new(MemorySink::default());
    let recorder = Recorder::builder().sink(sink.clone()).policy(unkeyed()).clock(clock.clone()).build();
    let ms = std::time::Duration::from_millis;
    let operation = Operation::new();
    for attempt in 1..=3 {
        let mut call = recorder.inference("openai", "m").input("the same").attempt_of(&operation).start();
        clock.advance(ms(10 * attempt));
        if attempt < 3 {
            call.fail_with(&Fault::new("overloaded").retryable(true));
            clock.advance(ms(1000));
        } else {
            call.tokens(1, 1);
            call.finish();
        }
    }
    let calls = calls(&recorder, &sink);
    let attempts: Vec<_> = calls.iter().map(|call| call.opened.attrs.get(semconv::ATTEMPT).unwrap()).collect();
    assert_eq!(attempts, [1, 2, 3]);
    let lasted: Vec<_> =
        calls.iter().map(|call| (call.closed_at.time_unix_nano - call.opened_at.time_unix_nano) / 1_000_000).collect();
    assert_eq!(lasted, [10, 20, 30]);
    let operations: Vec<_> = calls.iter().map(|call| call.opened.attrs.text(semconv::OPERATION_ID).unwrap()).collect();
    assert!(operations.iter().all(|id| *id == operations[0]) && operations[0].len() == 26);
    let outcomes: Vec<_> = calls.iter().map(|call| call.closed.outcome.unwrap()).collect();
    assert_eq!(outcomes, [Outcome::Failed, Outcome::Failed, Outcome::Completed]);
    let digests: Vec<_> = calls.iter().map(|call| inference(call).0.items[0].digest).collect();
    assert!(digests[0].is_some() && digests.iter().all(|digest| *digest == digests[0]));
    for (before, after) in calls.iter().zip(&calls[1..]) {
        let link = after.opened.links[0];
        assert_eq!((link.span, link.kind), (before.opened.span.span, Some(EdgeKind::Retry)));
    }
    let another = Operation::new();
    recorder.tool("t").attempt_of(&another).start().finish();
    let tool = super::common::calls(&recorder, &sink).remove(3);
    assert_eq!(tool.opened.attrs.get(semconv::ATTEMPT), Some(1));
    assert_ne!(tool.opened.attrs.text(semconv::OPERATION_ID), Some(operations[0]));
}

#[test]
fn r42_a_call_id_is_an_upper_case_ulid() {
    let (recorder, sink) = recorder();
    (0..50).for_each(|_| recorder.tool("t").start().finish());
    let ids: Vec<String> = calls(&recorder, &sink)
        .iter()
        .map(|call| match call.id {
            KeyIdentity::Call(id) => id.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(ids.is_sorted());
    for id in &ids {
        assert!(id.len() == 26 && id.as_bytes()[0] <= b'7');
        assert!(id.bytes().all(|byte| b"0123456789ABCDEFGHJKMNPQRSTVWXYZ".contains(&byte)), "{id}");
    }
    for wrong in [ids[0].to_lowercase(), "Z".repeat(26), "not-a-ulid".to_owned(), ids[0][1..].to_owned()] {
        assert!(wrong.parse::<veilspan::event::CallId>().is_err(), "{wrong}");
    }
}

#[test]
fn r44_the_answer_that_is_told_is_the_one_that_the_caller_got() {
    let (recorder, sink) = recorder();
    let answer = "a long answer";
    let mut call = recorder.inference("openai", "m").start();
    call.answer(&answer[..6]);
    call.finish();
    let call = recorder.inference("openai", "m").start();
    call.finish_with::<String, _>(&Err(Fault::new("parse_error")));
    let calls = calls(&recorder, &sink);
    let plain = recorder.inference("openai", "m").start();
    plain.finish_with::<_, std::io::Error>(&Ok("a long".to_owned()));
    let again = super::common::calls(&recorder, &sink).remove(2);
    assert_eq!(inference(&calls[0]).1, inference(&again).1);
    assert!(inference(&calls[1]).1.items.is_empty());
    assert_eq!(calls[1].closed.outcome, Some(Outcome::Failed));
}

#[test]
fn r45_usage_that_nobody_told_is_absent_and_says_why() {
    let (recorder, sink) = recorder();
    let answers = [
        (json!({ "choices": [] }), Some("missing")),
        (json!({ "choices": [], "usage": null }), Some("missing")),
        (json!({ "choices": [], "usage": 12 }), Some("unrecognised")),
        (json!({ "choices": [], "usage": { "cost": 1 } }), Some("no_token_count")),
        (json!({ "choices": [], "usage": { "prompt_tokens": 0 } }), None),
    ];
    for (answer, _) in &answers {
        recorder.inference("openai", "m").start().finish_with::<_, std::io::Error>(&Ok(answer));
    }
    for (call, (_, why)) in calls(&recorder, &sink).iter().zip(&answers) {
        let attrs = &call.closed.attrs;
        assert_eq!(attrs.text(semconv::USAGE_MISSING), *why);
        assert_eq!(attrs.get(semconv::INPUT_TOKENS), why.is_none().then_some(0));
        for absent in [semconv::OUTPUT_TOKENS, semconv::CACHE_READ_TOKENS, semconv::REASONING_TOKENS] {
            assert_eq!(attrs.get(absent), None);
        }
    }
}

#[test]
fn input_tokens_include_cached_ones_whoever_counts_them() {
    let (recorder, sink) = recorder();
    let anthropic = json!({ "content": [], "usage": { "input_tokens": 10, "cache_read_input_tokens": 100,
        "cache_creation_input_tokens": 1000, "output_tokens": 5 } });
    let openai = json!({ "choices": [], "usage": { "prompt_tokens": 1110, "completion_tokens": 5,
        "prompt_tokens_details": { "cached_tokens": 100 }, "completion_tokens_details": { "reasoning_tokens": 2 } } });
    recorder.inference("anthropic", "m").start().finish_with::<_, std::io::Error>(&Ok(anthropic));
    recorder.inference("openai", "m").start().finish_with::<_, std::io::Error>(&Ok(openai));
    let mut call = recorder.inference("anthropic", "m").start();
    call.input_tokens_beside_cache(10, 100, 1000).output_tokens(5).finish_reason("end_turn");
    call.finish();
    let calls = calls(&recorder, &sink);
    for call in &calls {
        let count = |attr| call.closed.attrs.get(attr);
        assert_eq!((count(semconv::INPUT_TOKENS), count(semconv::CACHE_READ_TOKENS)), (Some(1110), Some(100)));
        assert_eq!(count(semconv::CACHE_CREATION_TOKENS), count(semconv::CACHE_WRITE_TOKENS));
    }
    assert_eq!(calls[2].closed.attrs.get(semconv::CACHE_WRITE_TOKENS), Some(1000));
    assert_eq!(calls[1].closed.attrs.get(semconv::REASONING_TOKENS), Some(2));
    assert_eq!(calls[2].closed.attrs.get(semconv::FINISH_REASONS).unwrap(), ["end_turn"]);
}
