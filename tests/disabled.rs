//! A disabled recorder costs nothing that an allocator would see.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::Duration;

use serde_json::json;
use veilspan::Recorder;
use veilspan::event::{Message, Role};

#[test]
fn a_disabled_recorder_allocates_nothing() {
    let recorder = Recorder::disabled();
    let body = json!({ "messages": [{ "role": "user", "content": "hello" }] });
    let answer: Result<serde_json::Value, std::io::Error> = Ok(json!({ "choices": [] }));
    let counted = allocation_counter::measure(|| {
        let mut turn = recorder.turn("planner").rollout("r").thread("t").conversation("c").start();
        let reference = turn.reference();
        let mut call = turn
            .inference("openai", "gpt-x")
            .input(&body)
            .system("be brief")
            .input_with(|| -> &str { panic!("a closure ran") })
            .temperature(0.5)
            .start();
        call.finish_reason("stop").tokens(10, 4).response_id("id").mark_failed("kind");
        call.finish_with(&answer);
        let tool = turn.tool("add").arguments_with(|| -> &str { panic!("a closure ran") }).call_id("1").start();
        tool.turn("worker").start().finish();
        tool.finish();
        turn.ends_rollout();
        turn.finish();
        recorder.turn("planner").after(&reference).start().finish();
        assert!(recorder.flush(Duration::from_secs(1)).complete);
    });
    assert_eq!((counted.count_total, counted.bytes_total), (0, 0), "{counted:?}");
}

/// What is moved into a disabled recorder's call is dropped where it would have been taken: nothing is copied.
#[test]
fn content_that_is_moved_into_a_disabled_recorder_is_not_copied() {
    let recorder = Recorder::disabled();
    let mut call = recorder.inference("openai", "m").start();
    let message = Message::text(Role::Assistant, "text".to_owned());
    let counted = allocation_counter::measure(|| {
        call.output(message);
    });
    assert_eq!(counted.count_total, 0);
    call.finish();
}
