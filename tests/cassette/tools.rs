//! Results of tools, given again.

use veilspan::Policy;
use veilspan::replay::{Cassette, Effect, Provenance, ToolRefused};

use super::build::{Host, full};

fn recorded(policy: Policy) -> Cassette {
    let host = Host::with(policy.clone());
    let turn = host.recorder.turn("agent").rollout("r").start();
    for result in ["one", "two"] {
        let mut call = turn.tool("roll").arguments(r#"{"sides": 6, "n": 1}"#).start();
        call.result(result);
        call.finish();
    }
    turn.finish();
    Cassette::new(&host.recording(), &policy)
}

#[test]
fn the_nth_equal_call_gets_the_nth_result_and_then_none() {
    let cassette = recorded(full());
    for expected in ["one", "two"] {
        let answer = cassette.tool("roll", r#"{"n":1,"sides":6.0}"#, Effect::SideEffect, None).unwrap();
        assert_eq!((answer.result.as_str(), answer.provenance), (expected, Provenance::Recorded));
    }
    assert_eq!(cassette.tool("roll", r#"{"n":1,"sides":6}"#, Effect::Pure, None), Err(ToolRefused::NotRecorded));
    assert_eq!(cassette.tool("other", r#"{"n":1,"sides":6}"#, Effect::Pure, None), Err(ToolRefused::NotRecorded));
}

#[test]
fn a_tool_is_run_only_where_it_was_declared_fit_and_that_was_asked_for() {
    let cassette = recorded(full());
    let mut runs = 0;
    let mut run = || {
        runs += 1;
        "live".to_owned()
    };
    assert!(cassette.tool("delete", "{}", Effect::SideEffect, Some(&mut run)).is_err());
    assert!(cassette.tool("delete", "{}", Effect::default(), Some(&mut run)).is_err());
    let answer = cassette.tool("read", "{}", Effect::Idempotent, Some(&mut run)).unwrap();
    assert_eq!((answer.result.as_str(), answer.provenance), ("live", Provenance::Live));
    cassette.tool("roll", r#"{"n":1,"sides":6}"#, Effect::Pure, Some(&mut run)).unwrap();
    assert_eq!(runs, 1, "what was recorded is not run");
}

#[test]
fn without_content_there_is_no_result() {
    let digests = Policy::builder().unkeyed_sha256().build_in(&Default::default()).0;
    let cassette = recorded(digests);
    assert_eq!(cassette.tool("roll", r#"{"n":1,"sides":6}"#, Effect::SideEffect, None), Err(ToolRefused::NotRecorded),);
}

#[test]
fn a_call_that_failed_fails_again_and_one_whose_result_was_not_kept_takes_no_others_place() {
    let host = Host::with(full());
    let turn = host.recorder.turn("agent").rollout("r").start();
    turn.tool("roll").arguments("{}").start().fail("timeout");
    turn.tool("roll").arguments("{}").start().cancel();
    let mut call = turn.tool("roll").arguments("{}").start();
    call.result("three");
    call.finish();
    turn.finish();
    let cassette = Cassette::new(&host.recording(), &full());
    let roll = || cassette.tool("roll", "{}", Effect::SideEffect, None);
    assert_eq!(roll(), Err(ToolRefused::Failed { kind: "timeout".to_owned() }));
    assert_eq!(roll(), Err(ToolRefused::NotRecorded));
    assert_eq!(roll().unwrap().result, "three");
}
