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

const PART: &str = "DISABLED";

/// The other test's child; nothing of its own.
#[test]
#[allow(clippy::disallowed_methods)]
fn the_child() {
    if std::env::var_os(PART).is_none() {
        return;
    }
    let recorder = Recorder::from_env();
    assert!(!recorder.is_enabled());
    let turn = recorder.turn("planner").start();
    let call = turn.inference("openai", "gpt-x").input_with(|| -> &str { panic!("a closure ran") });
    call.start().finish_with(&Err::<String, _>(std::io::Error::other("failed")));
    turn.tool("add").arguments_with(|| -> &str { panic!("a closure ran") }).start().cancel();
    turn.finish();
    assert!(recorder.shutdown(Duration::from_secs(1)).complete);
}

#[test]
fn reduction_a43_where_recording_is_switched_off_no_file_is_written_and_no_closure_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "the_child", "--nocapture"]).current_dir(&folder).env(PART, "1");
    child.env("OTEL_SDK_DISABLED", "true").env("VEILSPAN_SPOOL_DIR", folder.path().join("spool"));
    child.env("HOME", folder.path()).env("XDG_CONFIG_HOME", folder.path());
    let output = child.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
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
