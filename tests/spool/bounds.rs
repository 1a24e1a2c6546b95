//! What gives way where room runs short, and what is waited for.

use std::collections::BTreeSet;

use tonic::Status;
use veilspan::Recorder;
use veilspan::export::{Fsync, SpoolConfig, SpoolWait};
use veilspan::intake::Drop;

use crate::place::{BRIEF, SOON, SmallDisk, config, nowhere, policy, private, recorder, segments, until};
use crate::support::receiver::{Behaviour, Receiver};

/// Whether every call that was opened was taken or is counted as lost.
fn is_accounted_for(recorder: &Recorder) -> bool {
    let counts = recorder.counts();
    counts.recorded + counts.dropped.calls() == counts.started
}

#[test]
fn over_its_budget_new_calls_give_way_and_what_is_open_still_ends() {
    let home = private();
    let receiver = Receiver::start(Behaviour::Refuse(Status::unavailable("")));
    let mut config = config(receiver.url(), home.path());
    let mut spool = SpoolConfig::new(home.path());
    spool.bytes = 64 << 10;
    config.spool = Some(spool);
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    let turn = recorder.turn("planner").start();
    let early: Vec<_> = (0..5).map(|n| turn.tool(&format!("early-{n}")).start()).collect();
    (0..500).for_each(|_| recorder.tool("late").start().finish());
    early.into_iter().for_each(|tool| tool.finish());
    turn.finish();
    assert!(until(|| is_accounted_for(&recorder)), "{:?}", recorder.counts());
    let on_disk: u64 = segments(home.path()).iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(on_disk <= 64 << 10, "{on_disk}");
    let lost = recorder.counts().dropped.of(Drop::SpoolFull);
    assert!(lost > 300 && lost < 500, "{:?}", recorder.counts());
    receiver.behave(Behaviour::Accept);
    assert!(recorder.shutdown(SOON).complete);
    let counts = recorder.counts();
    assert_eq!(counts.sent + counts.dropped.calls(), counts.started);
    let names: Vec<_> = receiver.spans().into_iter().map(|span| span.name).collect();
    let told = |name: &str| names.iter().any(|told| told == name);
    assert!((0..5).all(|n| told(&format!("execute_tool early-{n}"))) && told("invoke_agent planner"));
}

#[test]
fn a_full_disk_costs_new_calls_and_never_the_end_of_one_that_was_taken() {
    let home = private();
    let Some(disk) = SmallDisk::mount(home.path(), "256k") else { return };
    let receiver = Receiver::start(Behaviour::Refuse(Status::unavailable("")));
    let recorder = recorder(receiver.url(), &disk.0.join("spool"));
    let early: Vec<_> = (0..5).map(|n| recorder.tool(&format!("early-{n}")).start()).collect();
    recorder.flush(BRIEF);
    std::fs::write(disk.0.join("somebody else's"), vec![1; 1 << 20]).unwrap_err();
    (0..500).for_each(|_| recorder.tool("late").start().finish());
    early.into_iter().for_each(|tool| tool.finish());
    assert!(until(|| is_accounted_for(&recorder)), "{:?}", recorder.counts());
    assert!(recorder.counts().dropped.calls() > 0, "{:?}", recorder.counts());
    receiver.behave(Behaviour::Accept);
    assert!(recorder.shutdown(SOON).complete);
    let counts = recorder.counts();
    assert_eq!(counts.sent + counts.dropped.calls(), counts.started, "{counts:?}");
    let names: BTreeSet<_> = receiver.spans().into_iter().map(|span| span.name).collect();
    assert!((0..5).all(|n| names.contains(&format!("execute_tool early-{n}"))), "{names:?}");
}

#[test]
fn what_is_waited_for_is_written_before_the_call_goes_on() {
    for (wait, fsync) in [(SpoolWait::Written, Fsync::Os), (SpoolWait::Synced, Fsync::Os)] {
        let home = private();
        let mut config = config(nowhere(), home.path());
        let mut spool = SpoolConfig::new(home.path());
        (spool.wait, spool.fsync) = (Some(wait), fsync);
        config.spool = Some(spool);
        let recorder = Recorder::exporting(&config, policy()).unwrap();
        for n in 0..20 {
            let tool = recorder.tool("t").start();
            let cut_short = recorder.counts().waits_cut_short;
            assert!(cut_short > 0 || recorder.durable_seq() >= Some(2 * n));
            tool.finish();
            let cut_short = recorder.counts().waits_cut_short;
            assert!(cut_short > 0 || recorder.durable_seq() >= Some(2 * n + 1));
        }
        assert!(recorder.counts().waits_cut_short < 20, "{:?}", recorder.counts());
    }
}

#[test]
fn the_watermark_passes_what_was_lost_and_stops_at_what_is_not_written() {
    let home = private();
    let recorder = recorder(nowhere(), home.path());
    assert_eq!(recorder.durable_seq(), None);
    recorder.tool("t").start().finish();
    assert!(until(|| recorder.durable_seq() == Some(1)));
    recorder.shutdown(BRIEF);
    recorder.tool("after the end").start().finish();
    assert_eq!(recorder.durable_seq(), Some(2), "its start was not taken, and it has no end");
    assert_eq!(Recorder::disabled().durable_seq(), None);
}
