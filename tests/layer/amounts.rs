//! However much a span tells, and however often: what counts is told, and what may wait is bounded.

use tracing::field::{Empty, debug};
use tracing::info_span;
use tracing_subscriber::prelude::*;
use veilspan::event::{CallKind, CallRecord, Given, Returned, Veiled};
use veilspan::intake::{Bounds, Drop};
use veilspan::semconv;

use super::stack::{Recorded, SOON, policy};

fn answer_length(call: &CallRecord<Veiled>) -> Option<u64> {
    match &call.returned {
        Returned::Answer(answer) => answer.items[0].length,
        other => panic!("{other:?}"),
    }
}

fn recorded(run: impl FnOnce()) -> Recorded {
    let recorded = Recorded::new();
    let subscriber = tracing_subscriber::registry().with(recorded.recorder.layer());
    tracing::subscriber::with_default(subscriber, run);
    recorded
}

fn streamed() -> tracing::Span {
    info_span!(
        "chat",
        gen_ai.operation.name = "chat",
        gen_ai.usage.output_tokens = Empty,
        gen_ai.response.finish_reasons = Empty,
        llm.usage.completion_tokens = Empty,
        gen_ai.completion = Empty,
        error.type = Empty,
    )
}

#[test]
fn a_streamed_answer_may_record_all_of_it_with_each_chunk() {
    let recorded = recorded(|| {
        let span = streamed();
        let mut text = String::new();
        for chunk in 1..=3000_u64 {
            text.push('x');
            span.record("gen_ai.completion", text.as_str());
            span.record("gen_ai.usage.output_tokens", chunk);
            span.record("llm.usage.completion_tokens", -1);
        }
        span.record("gen_ai.response.finish_reasons", r#"["stop"]"#);
        drop(span);
        let once = streamed();
        once.record("gen_ai.completion", text.as_str());
        once.record("gen_ai.usage.output_tokens", 3000_u64);
        once.record("gen_ai.response.finish_reasons", "stop");
    });
    let calls = recorded.calls();
    for call in &calls {
        assert_eq!(call.closed.attrs.get(semconv::OUTPUT_TOKENS), Some(3000));
        assert_eq!(call.closed.attrs.get(semconv::FINISH_REASONS).unwrap(), ["stop"]);
    }
    assert_eq!(calls[0].returned, calls[1].returned);
}

#[test]
fn a_text_of_any_length_is_told_and_only_the_length_of_one_that_is_too_long() {
    let lengths = [1, 64 << 10, (64 << 10) + 1, 1 << 20, 4 << 20, (4 << 20) + 1, 5 << 20];
    for length in lengths {
        let recorded = recorded(|| {
            let text = "ü".repeat(length / 2) + if length % 2 == 1 { "x" } else { "" };
            let as_text = streamed();
            as_text.record("gen_ai.completion", text.as_str());
            let formatted = streamed();
            formatted.record("gen_ai.completion", debug(format_args!("{text}")));
            // And again, after all that.
            formatted.record("gen_ai.usage.output_tokens", debug(format_args!("{}", 7)));
        });
        let calls = recorded.calls();
        assert_eq!(calls.iter().map(answer_length).collect::<Vec<_>>(), [Some(length as u64); 2], "{length}");
        assert_eq!(calls[0].returned, calls[1].returned, "{length}");
        assert_eq!(calls[1].closed.attrs.get(semconv::OUTPUT_TOKENS), Some(7));
    }
}

#[test]
fn a_label_of_any_length_is_no_more_than_a_digest() {
    for length in [200, 100_000, 300_000, 5 << 20] {
        let recorded = recorded(|| {
            let text = "y".repeat(length);
            drop(info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = text.as_str()));
            drop(info_span!("chat", gen_ai.operation.name = "chat", gen_ai.request.model = %text));
            let failed = streamed();
            failed.record("error.type", text.as_str());
        });
        for call in recorded.calls().iter().take(2) {
            assert!(call.opened.attrs.text(semconv::REQUEST_MODEL).unwrap().starts_with("id:"));
        }
    }
}

#[test]
fn what_is_over_the_bound_is_counted_and_its_call_is_kept() {
    let sink = std::sync::Arc::new(veilspan::testing::MemorySink::default());
    let bounds = Bounds { content_bytes: 64 << 10, ..Bounds::default() };
    let recorder = veilspan::Recorder::builder().sink(sink.clone()).policy(policy()).bounds(bounds).build();
    let subscriber = tracing_subscriber::registry().with(recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        for length in [10, 40 << 10, 80 << 10, 2 << 20] {
            let text = "z".repeat(length);
            drop(info_span!(
                "t",
                gen_ai.tool.call.arguments = text.as_str(),
                gen_ai.tool.name = "shell",
                gen_ai.tool.call.id = text.as_str(),
            ));
            assert!(recorder.flush(SOON).complete);
        }
    });
    let calls = sink.calls();
    let lengths = calls.iter().map(|call| match &call.given {
        Given::Arguments(arguments) => arguments.length,
        other => panic!("{other:?}"),
    });
    // An id as long as the content weighs next to nothing: its beginning alone is taken.
    assert_eq!(lengths.collect::<Vec<_>>(), [Some(10), Some(40 << 10), None, None]);
    assert!(calls.iter().all(|call| call.opened.attrs.text(semconv::TOOL_NAME) == Some("shell")));
    assert_eq!(recorder.counts().dropped.of(Drop::ContentOverBound), 2);
}

#[test]
fn without_content_a_span_is_still_what_its_content_says_that_it_is() {
    let environment = veilspan::environment::Environment::from_iter([("VEILSPAN_CONTENT", "none")]);
    let policy = veilspan::Policy::builder().unkeyed_sha256().build_in(&environment).0;
    let sink = std::sync::Arc::new(veilspan::testing::MemorySink::default());
    let recorder = veilspan::Recorder::builder().sink(sink.clone()).policy(policy).build();
    let subscriber = tracing_subscriber::registry().with(recorder.layer());
    tracing::subscriber::with_default(subscriber, || {
        drop(info_span!("a", gen_ai.tool.call.arguments = "canary"));
        drop(info_span!("b", "gen_ai.prompt.0.content" = "canary", gen_ai.response.id = Empty));
    });
    assert!(recorder.flush(SOON).complete);
    let calls = sink.calls();
    assert_eq!(calls.iter().map(|call| call.kind).collect::<Vec<_>>(), [CallKind::Tool, CallKind::Inference]);
    assert_eq!((&calls[0].given, &calls[1].given), (&Given::empty(calls[0].kind), &Given::empty(calls[1].kind)));
}

#[test]
fn of_a_long_array_of_labels_a_part_is_told_and_the_rest_is_counted() {
    let formats = serde_json::to_string(&vec!["float"; 600]).unwrap();
    let recorded = recorded(|| {
        for _ in 0..2 {
            drop(info_span!(
                "embeddings",
                gen_ai.operation.name = "embeddings",
                gen_ai.request.encoding_formats = formats.as_str()
            ));
        }
    });
    for call in recorded.calls() {
        assert_eq!(call.opened.attrs.get(semconv::ENCODING_FORMATS).unwrap().len(), 512);
    }
    assert_eq!(recorded.recorder.counts().labels_left_out, 2 * 88);
}

#[test]
fn a_reason_that_comes_with_more_than_may_wait_replaces_the_one_before() {
    let text = "x".repeat(3 << 20);
    let recorded = recorded(|| {
        let span = streamed();
        span.record("gen_ai.response.finish_reasons", "stop");
        tracing::info!(
            parent: &span,
            gen_ai.response.finish_reasons = r#"["tool_calls"]"#,
            gen_ai.prompt = text.as_str(),
            gen_ai.completion = text.as_str(),
            gen_ai.system_instructions = text.as_str(),
        );
    });
    assert_eq!(recorded.call().closed.attrs.get(semconv::FINISH_REASONS).unwrap(), ["tool_calls"]);
}
