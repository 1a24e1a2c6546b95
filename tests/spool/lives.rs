//! What a process leaves behind, and who takes it over.

use std::collections::BTreeSet;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use veilspan::intake::Drop;

use crate::place::{BRIEF, SOON, files, nowhere, private, recorder, segments, until};
use crate::support::receiver::{Behaviour, Receiver, attribute, text};

#[test]
fn what_one_process_could_not_send_the_next_one_sends_once_and_byte_for_byte() {
    let home = private();
    let folder = home.path().join("spool");
    let first = recorder(nowhere(), &folder);
    for n in 0..20 {
        first.tool(&format!("tool-{n}")).start().finish();
    }
    let drained = first.shutdown(BRIEF);
    assert!(!drained.complete);
    assert_eq!((drained.counts.written, drained.counts.sent, drained.counts.dropped.calls()), (20, 0, 0));
    drop(first);
    let receiver = Receiver::start(Behaviour::Accept);
    let second = recorder(receiver.url(), &folder);
    let spans = receiver.wait_for_spans(20);
    assert_eq!(spans.iter().map(|span| span.name.clone()).collect::<BTreeSet<_>>().len(), 20);
    assert!(until(|| second.counts().adopted_sent == 20));
    assert_eq!(second.counts().sent, 0, "they are not its own");
    assert!(second.shutdown(SOON).complete);
    drop(second);
    assert!(until(|| std::fs::read_dir(&folder).unwrap().count() == 0), "nothing is left: {:?}", files(&folder));
    assert_eq!(receiver.spans().len(), 20);
}

#[test]
fn a_call_that_was_open_when_its_recorder_went_is_told_as_abandoned_under_its_own_ids() {
    let home = private();
    let first = recorder(nowhere(), home.path());
    let turn = first.turn("planner").conversation("chat-1").start();
    // Never dropped: its process dies before it could be.
    std::mem::forget(turn.inference("openai", "gpt-x").input("what was asked").temperature(0.5).start());
    turn.finish();
    assert!(until(|| first.counts().written == 1));
    let left = home.path().join("left");
    // The lock goes with the process, and this one lives: a copy without it is what a dead one leaves.
    copy(home.path(), &left);
    let receiver = Receiver::start(Behaviour::Accept);
    let second = recorder(receiver.url(), &left);
    let spans = receiver.wait_for_spans(2);
    let call = spans.iter().find(|span| span.name == "chat gpt-x").unwrap();
    assert_eq!(text(call, "veilspan.outcome"), Some("abandoned"));
    assert!(attribute(call, "veilspan.end.inferred").is_some() && attribute(call, "veilspan.seq.end").is_none());
    assert!(
        attribute(call, "gen_ai.request.temperature").is_some() && call.end_time_unix_nano >= call.start_time_unix_nano
    );
    assert!(attribute(call, "veilspan.input.digests").is_none(), "no digest is written before a call closes");
    let turn = spans.iter().find(|span| span.name == "invoke_agent planner").unwrap();
    assert_eq!(call.parent_span_id, turn.span_id);
    assert_eq!(text(call, "veilspan.turn.id"), text(turn, "veilspan.turn.id"));
    assert_eq!(text(turn, "veilspan.outcome"), Some("completed"));
    assert_eq!(second.counts().abandoned, 1);
}

/// Everything but locks, into a folder of a life that nobody holds.
fn copy(from: &Path, to: &Path) {
    std::fs::DirBuilder::new().mode(0o700).create(to).unwrap();
    for life in std::fs::read_dir(from).unwrap().map(|life| life.unwrap().path()).filter(|life| life != to) {
        let there = to.join(life.file_name().unwrap());
        std::fs::DirBuilder::new().mode(0o700).create(&there).unwrap();
        for file in files(&life) {
            let copied = there.join(file.file_name().unwrap());
            std::fs::copy(&file, &copied).unwrap();
            std::fs::set_permissions(&copied, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }
}

#[test]
fn a_link_or_a_strangers_file_among_the_lives_is_left_alone() {
    let home = private();
    let folder = home.path().join("spool");
    let first = recorder(nowhere(), &folder);
    first.tool("mine").start().finish();
    first.shutdown(BRIEF);
    drop(first);
    assert!(until(|| files(&folder).iter().any(|path| path.ends_with("lock"))));
    let (target, name) = (home.path().join("elsewhere"), "01K00000000000000000000000");
    std::fs::DirBuilder::new().mode(0o700).create(&target).unwrap();
    std::fs::write(target.join("precious"), "").unwrap();
    std::os::unix::fs::symlink(&target, folder.join(name)).unwrap();
    std::fs::write(folder.join("not ours"), "").unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let second = recorder(receiver.url(), &folder);
    assert_eq!(receiver.wait_for_spans(1).len(), 1, "a neighbour is not lost by it");
    assert!(second.shutdown(SOON).complete);
    assert!(target.join("precious").exists() && folder.join(name).is_symlink() && folder.join("not ours").exists());
}

#[test]
fn a_damaged_byte_costs_its_own_record_and_no_neighbour() {
    let home = private();
    let folder = home.path().join("spool");
    let first = recorder(nowhere(), &folder);
    let calls: Vec<_> = (0..5).map(|n| first.tool(&format!("tool-{n}")).start()).collect();
    // Those that are open then are written as such.
    first.flush(BRIEF);
    calls.into_iter().for_each(|call| call.finish());
    first.shutdown(BRIEF);
    drop(first);
    let segment = segments(&folder).pop().unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    // Inside of the span that closes the third call.
    let name = b"execute_tool tool-2";
    let places: Vec<_> = (0..bytes.len() - name.len()).filter(|at| bytes[*at..].starts_with(name)).collect();
    assert_eq!(places.len(), 2, "one record for the opening, and one for the end");
    bytes[places[1]] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let receiver = Receiver::start(Behaviour::Accept);
    let second = recorder(receiver.url(), &folder);
    let names: BTreeSet<_> = receiver.wait_for_spans(4).into_iter().map(|span| span.name).collect();
    assert_eq!(names, [0, 1, 3, 4].map(|n| format!("execute_tool tool-{n}")).into());
    let dropped = second.counts().dropped;
    // It may have been sent as it ended: nothing is told of it as abandoned.
    assert_eq!((dropped.of(Drop::SpoolDamaged), dropped.of(Drop::EndUnknown)), (1, 1));
}

#[test]
fn several_recorders_share_a_folder_and_nothing_is_told_twice() {
    let home = private();
    let receiver = Receiver::start(Behaviour::Accept);
    let recorders: Vec<_> = (0..4).map(|_| recorder(receiver.url(), home.path())).collect();
    for (n, recorder) in recorders.iter().enumerate() {
        (0..25).for_each(|call| recorder.tool(&format!("tool-{n}-{call}")).start().finish());
    }
    assert!(recorders.iter().all(|recorder| recorder.shutdown(SOON).complete));
    let names: BTreeSet<_> = receiver.spans().into_iter().map(|span| span.name).collect();
    assert_eq!((names.len(), receiver.spans().len()), (100, 100));
    assert!(recorders.iter().all(|recorder| recorder.counts().adopted == 0), "the living are not taken over");
}
