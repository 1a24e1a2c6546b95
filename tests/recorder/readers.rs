//! What a reader can make of what was recorded, and of nothing else.

use veilspan::event::{Outcome, Source};
use veilspan::otlp::decode::{self, NotACall};
use veilspan::otlp::encode::Encoder;
use veilspan::otlp::{SpanView, writer};
use veilspan::record::{Fault, Operation};
use veilspan::reduce::Facts;
use veilspan::semconv;

use super::common::*;

#[test]
fn r46_a_reader_pairs_what_it_has_and_invents_nothing() {
    let (recorder, sink) = recorder();
    let turn = recorder.turn("t").rollout("r").start();
    let one = turn.tool("a").start();
    let two = turn.tool("b").start();
    two.finish();
    one.finish();
    turn.finish();
    recorder.turn("other").rollout("elsewhere").start().finish();
    let calls = calls(&recorder, &sink);
    let events: Vec<_> = calls.iter().flat_map(|call| call.clone().into_events(Source::Recorder)).collect();
    let reduced = |keep: &dyn Fn(usize) -> bool| {
        let mut facts = Facts::default();
        for (_, event) in events.iter().enumerate().filter(|(place, _)| keep(*place)) {
            facts.absorb(event);
        }
        facts.derive().into_iter().find(|rollout| &*rollout.id == "r").unwrap()
    };
    let whole = reduced(&|_| true);
    let names: Vec<_> =
        whole.threads[0].turns[0].tool_calls().map(|tool| tool.call.attrs.get(semconv::TOOL_NAME).unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(whole.totals.turns, 1);
    assert_eq!(whole.serialise(), reduced(&|_| true).serialise());
    // The calls stand in the order of their ends: `b` opened is 0, closed is 1.
    let open_only = reduced(&|place| place != 1);
    let tool = open_only.threads[0].turns[0].tool_calls().find(|tool| tool.call.closed_at.is_none()).unwrap();
    assert_eq!((tool.call.outcome, tool.call.attrs.text(semconv::TOOL_NAME)), (None, Some("b")));
    let close_only = reduced(&|place| place != 0);
    let tool = close_only.threads[0].turns[0].tool_calls().find(|tool| tool.call.opened_at.is_none()).unwrap();
    assert_eq!(tool.call.outcome, Some(Outcome::Completed));
}

#[test]
fn r48_what_is_no_clear_success_is_none() {
    let (recorder, sink) = recorder();
    recorder.tool("t").start().finish();
    let mut call = calls(&recorder, &sink).remove(0);
    let read = |call: &_, more: &[u8]| {
        let mut bytes = Vec::new();
        Encoder::default().span(call, &mut bytes);
        bytes.extend_from_slice(more);
        decode::call(&SpanView::parse(&bytes).unwrap(), None).map(|call| call.closed.outcome)
    };
    assert_eq!(read(&call, &[]), Ok(Some(Outcome::Completed)));
    let mut status = Vec::new();
    writer::delimited(&mut status, 15, |out| out.extend_from_slice(&[3 << 3, 2]));
    assert_eq!(read(&call, &status), Ok(Some(Outcome::Failed)), "who says both has not succeeded");
    call.closed.outcome = None;
    assert_eq!(read(&call, &[]), Ok(None));
    let said = |value: &dyn Fn(&mut Vec<u8>)| {
        let mut attribute = Vec::new();
        writer::delimited(&mut attribute, 9, |out| {
            writer::put_bytes(out, 1, b"veilspan.outcome");
            writer::delimited(out, 2, value);
        });
        attribute
    };
    for nonsense in [
        said(&|out| writer::put_bytes(out, 1, b"false")),
        said(&|out| writer::put_integer(out, 3, 0)),
        said(&|out| writer::put_integer(out, 2, 1)),
    ] {
        assert_eq!(read(&call, &nonsense), Err(NotACall::Field("veilspan.outcome")));
    }
}

#[test]
fn r49_the_records_alone_say_why_there_was_another_attempt() {
    let (recorder, sink) = recorder();
    let operation = Operation::new();
    recorder
        .inference("openai", "m")
        .attempt_of(&operation)
        .start()
        .fail_with(&Fault::new("overloaded").retryable(true));
    recorder.inference("openai", "m").attempt_of(&operation).start().finish();
    let calls = calls(&recorder, &sink);
    let why = |second: &veilspan::event::CallRecord<veilspan::event::Veiled>| {
        let operation = second.opened.attrs.get(semconv::OPERATION_ID)?;
        let attempt = second.opened.attrs.get(semconv::ATTEMPT)?;
        let before = calls.iter().find(|call| {
            call.opened.attrs.get(semconv::OPERATION_ID).as_ref() == Some(&operation)
                && call.opened.attrs.get(semconv::ATTEMPT) == Some(attempt - 1)
        })?;
        let nanos = before.closed_at.time_unix_nano - before.opened_at.time_unix_nano;
        Some((before.closed.attrs.get(semconv::ERROR_KIND)?, before.closed.attrs.get(semconv::ERROR_RETRYABLE)?, nanos))
    };
    let (kind, retryable, _after) = why(&calls[1]).unwrap();
    assert_eq!((&*kind, retryable), ("overloaded", true));
    assert!(why(&calls[0]).is_none());
}
