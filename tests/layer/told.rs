//! Values in every form in which a field may give them, in any order, and from many threads at once.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing::field::{Empty, debug, display};
use tracing::{Dispatch, Span, dispatcher, info, info_span};
use tracing_subscriber::prelude::*;
use veilspan::event::{CallRecord, Veiled};
use veilspan::semconv::{self, Attr};

use super::stack::Recorded;

fn recorded(run: impl FnOnce()) -> Vec<CallRecord<Veiled>> {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, run);
    recorded.calls()
}

fn chat() -> Span {
    info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.request.model = Empty,
        gen_ai.request.max_tokens = Empty,
        gen_ai.request.choice.count = Empty,
        gen_ai.request.seed = Empty,
        gen_ai.request.temperature = Empty,
        gen_ai.request.stream = Empty,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
    )
}

fn reasons(tell: impl FnOnce(&Span)) -> Vec<String> {
    let calls = recorded(|| tell(&chat()));
    let reasons = calls[0].closed.attrs.get(semconv::FINISH_REASONS).unwrap_or_default();
    reasons.iter().map(ToString::to_string).collect()
}

#[test]
fn a_finish_reason_counts_in_the_form_in_which_it_was_told_last() {
    const NAME: &str = "gen_ai.response.finish_reasons";
    const LIST: &str = r#"["length","stop"]"#;
    let told = |tell: &dyn Fn(&Span)| reasons(|span| tell(span));
    assert_eq!(told(&|span| _ = span.record(NAME, "stop").record(NAME, "length")), ["length"]);
    assert_eq!(told(&|span| _ = span.record(NAME, "stop").record(NAME, LIST)), ["length", "stop"]);
    assert_eq!(told(&|span| _ = span.record(NAME, LIST).record(NAME, "stop")), ["stop"]);
    assert_eq!(told(&|span| _ = span.record(NAME, "stop").record(NAME, debug(Some("length")))), ["length"]);
    assert_eq!(told(&|span| _ = span.record(NAME, debug(Some("length"))).record(NAME, "stop")), ["stop"]);
    assert_eq!(told(&|span| _ = span.record(NAME, "stop").record(NAME, display("length"))), ["length"]);
    // What is none takes nothing away.
    let none = |span: &Span| {
        span.record(NAME, "stop").record(NAME, "").record(NAME, debug(None::<&str>)).record(NAME, 7);
    };
    assert_eq!(told(&none), ["stop"]);
    let by_event = |span: &Span| {
        span.record(NAME, "stop");
        span.in_scope(|| info!(gen_ai.response.finish_reasons = "length"));
    };
    assert_eq!(told(&by_event), ["length"]);
    let after_event = |span: &Span| {
        span.in_scope(|| info!(gen_ai.response.finish_reasons = LIST));
        span.record(NAME, "content_filter");
    };
    assert_eq!(told(&after_event), ["content_filter"]);
    assert!(told(&|_| ()).is_empty());
}

#[test]
fn a_value_of_any_type_is_told_as_what_its_name_wants() {
    let calls = recorded(|| {
        let span = chat();
        span.record("gen_ai.usage.input_tokens", u128::MAX).record("gen_ai.usage.output_tokens", u64::MAX);
        span.record("gen_ai.usage.cache_read.input_tokens", debug(Some(12))).record("gen_ai.request.seed", i128::MIN);
        span.record("gen_ai.request.max_tokens", 4096.0).record("gen_ai.request.choice.count", display(" 2"));
        span.record("gen_ai.request.temperature", 1).record("gen_ai.request.stream", "true");
        span.record("gen_ai.request.model", debug(Some("gpt-x")));
        // What cannot be meant replaces nothing.
        span.record("gen_ai.request.max_tokens", "many").record("gen_ai.request.stream", debug(None::<bool>));
        span.record("gen_ai.request.choice.count", false).record("gen_ai.request.temperature", true);
    });
    let (opened, closed) = (&calls[0].opened.attrs, &calls[0].closed.attrs);
    assert_eq!(closed.get(semconv::INPUT_TOKENS), Some(i64::MAX));
    assert_eq!(closed.get(semconv::OUTPUT_TOKENS), Some(i64::MAX));
    assert_eq!(closed.get(semconv::CACHE_READ_TOKENS), Some(12));
    assert_eq!(opened.get(semconv::SEED), Some(i64::MIN));
    assert_eq!(opened.get(semconv::MAX_TOKENS), Some(4096));
    assert_eq!(opened.get(semconv::CHOICE_COUNT), Some(2));
    assert_eq!(opened.get(semconv::TEMPERATURE), Some(1.0));
    assert_eq!(opened.get(semconv::STREAM), Some(true));
    assert_eq!(opened.text(semconv::REQUEST_MODEL), Some("gpt-x"));
}

#[test]
fn threads_that_tell_of_one_span_at_once_lose_nothing() {
    const TIMES: i64 = 500;
    let told: [(&str, Attr<i64>); 4] = [
        ("gen_ai.usage.input_tokens", semconv::INPUT_TOKENS),
        ("gen_ai.usage.output_tokens", semconv::OUTPUT_TOKENS),
        ("gen_ai.usage.cache_read.input_tokens", semconv::CACHE_READ_TOKENS),
        ("gen_ai.request.seed", semconv::SEED),
    ];
    let calls = recorded(|| {
        let span = chat();
        std::thread::scope(|threads| {
            for (name, _) in told {
                let span = &span;
                threads.spawn(move || {
                    let _entered = span.enter();
                    for number in 1..=TIMES {
                        span.record(name, number);
                    }
                });
            }
        });
    });
    for (name, attr) in told {
        let told = calls[0].closed.attrs.get(attr).or(calls[0].opened.attrs.get(attr));
        assert_eq!(told, Some(TIMES), "{name}");
    }
}

#[test]
fn a_span_that_is_cloned_entered_and_dropped_elsewhere_while_it_is_told_of_is_handed_in_once() {
    const SPANS: i64 = 200;
    let recorded = Recorded::new();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(recorded.recorder.layer()));
    for number in 1..=SPANS {
        let span = dispatcher::with_default(&dispatch, chat);
        let is_told = AtomicBool::new(false);
        let elsewhere = span.clone();
        std::thread::scope(|threads| {
            threads.spawn(|| {
                while !is_told.load(Ordering::Relaxed) {
                    elsewhere.clone().in_scope(std::thread::yield_now);
                }
                drop(elsewhere);
            });
            threads.spawn(|| {
                span.record("gen_ai.usage.input_tokens", number);
                is_told.store(true, Ordering::Relaxed);
                drop(span);
            });
        });
    }
    let told = recorded.calls().into_iter().map(|call| call.closed.attrs.get(semconv::INPUT_TOKENS).unwrap());
    assert!(told.eq(1..=SPANS));
}

#[test]
fn spans_that_are_open_on_many_threads_at_once_are_each_told() {
    const THREADS: i64 = 8;
    const EACH: i64 = 700;
    let recorded = Recorded::new();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(recorded.recorder.layer()));
    std::thread::scope(|threads| {
        for thread in 0..THREADS {
            let dispatch = &dispatch;
            threads.spawn(move || {
                let open: Vec<Span> = dispatcher::with_default(dispatch, || (0..EACH).map(|_| chat()).collect());
                for (number, span) in (thread * EACH..).zip(&open) {
                    span.record("gen_ai.usage.input_tokens", number);
                }
            });
        }
    });
    let mut told: Vec<i64> =
        recorded.calls().iter().map(|call| call.closed.attrs.get(semconv::INPUT_TOKENS).unwrap()).collect();
    told.sort_unstable();
    assert!(told.into_iter().eq(0..THREADS * EACH));
}
