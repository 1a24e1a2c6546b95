//! The spool on a real file system: whose folder it is, what is in it, and what becomes of what a process leaves there.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

mod support;

use std::collections::BTreeSet;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::TracesData;
use prost::Message;
use support::leaks::holds;
use support::receiver::{Behaviour, Receiver, attribute, text};
use tonic::Status;
use veilspan::export::{ExporterConfig, Fsync, SpoolConfig, SpoolWait};
use veilspan::intake::Drop;
use veilspan::{Policy, Recorder};

const SOON: Duration = Duration::from_secs(20);
/// Long enough for what is written, not for what is sent.
const BRIEF: Duration = Duration::from_millis(200);

fn policy() -> Policy {
    Policy::builder().build_in(&Default::default()).0
}

fn config(endpoint: String, folder: &Path) -> ExporterConfig {
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint;
    config.batch_delay = Duration::from_millis(20);
    config.spool = Some(SpoolConfig::new(folder));
    config
}

fn recorder(endpoint: String, folder: &Path) -> Recorder {
    Recorder::exporting(&config(endpoint, folder), policy()).unwrap()
}

/// A folder of ours alone.
fn private() -> tempfile::TempDir {
    tempfile::Builder::new().permissions(std::fs::Permissions::from_mode(0o700)).tempdir().unwrap()
}

/// Where nobody listens.
fn nowhere() -> String {
    format!("http://{}", std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        }
        found.push(path);
    }
    found
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let is_written = |path: &PathBuf| path.metadata().unwrap().len() > 0;
    files(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "seg"))
        .filter(is_written)
        .collect()
}

fn until(what: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + SOON;
    while !what() {
        if Instant::now() > deadline {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    true
}

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
    first.flush(BRIEF);
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
fn nothing_is_on_disk_that_others_may_read() {
    let home = private();
    let folder = home.path().join("spool");
    let recorder = recorder(nowhere(), &folder);
    recorder.tool("t").start().finish();
    recorder.flush(BRIEF);
    assert_eq!(folder.metadata().unwrap().mode() & 0o777, 0o700);
    let found = files(&folder);
    assert!(found.len() >= 3, "{found:?}");
    for path in found {
        let mode = path.symlink_metadata().unwrap().mode() & 0o777;
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
}

#[test]
fn a_folder_that_is_not_ours_alone_or_a_link_is_refused_with_the_cure() {
    let home = private();
    let refused = |folder: &Path| {
        let error = Recorder::exporting(&config(nowhere(), folder), policy()).unwrap_err();
        std::error::Error::source(&error).unwrap().to_string()
    };
    let open = home.path().join("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o750)).unwrap();
    assert!(refused(&open).contains("0700"));
    let (target, link) = (home.path().join("target"), home.path().join("link"));
    std::fs::DirBuilder::new().mode(0o700).create(&target).unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert!(refused(&link).contains("link"));
    assert_eq!(std::fs::read_dir(&target).unwrap().count(), 0, "nothing was written through it");
    let file = home.path().join("file");
    std::fs::write(&file, "").unwrap();
    assert!(refused(&file).contains("no folder"));
    assert!(refused(&home.path().join("no/such")).contains("cannot be made"));
    // Another user's: where we may give one away, and else one that is there.
    let other = home.path().join("other");
    std::fs::DirBuilder::new().mode(0o700).create(&other).unwrap();
    let other = match std::os::unix::fs::chown(&other, Some(54321), None) {
        Ok(()) => other,
        Err(_) => PathBuf::from("/"),
    };
    assert!(refused(&other).contains("this user"), "{}", refused(&other));
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
    for n in 0..5 {
        first.tool(&format!("tool-{n}")).start().finish();
    }
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
    recorder.flush(BRIEF);
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
    recorder.flush(BRIEF);
    assert!(recorder.counts().dropped.calls() > 0, "{:?}", recorder.counts());
    receiver.behave(Behaviour::Accept);
    assert!(recorder.shutdown(SOON).complete);
    let counts = recorder.counts();
    assert_eq!(counts.sent + counts.dropped.calls(), counts.started, "{counts:?}");
    let names: BTreeSet<_> = receiver.spans().into_iter().map(|span| span.name).collect();
    assert!((0..5).all(|n| names.contains(&format!("execute_tool early-{n}"))), "{names:?}");
}

/// A file system of its own, where we may mount one: CI runs as a user who may.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        let at = at.join("disk");
        std::fs::create_dir(&at).unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&at)
            .stderr(std::process::Stdio::null())
            .status();
        mounted.is_ok_and(|status| status.success()).then_some(Self(at))
    }
}

impl std::ops::Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_that_says_so() {
    let home = private();
    let Some(disk) = SmallDisk::mount(home.path(), "64k") else { return };
    let folder = disk.0.join("spool");
    std::fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
    let remounted = std::process::Command::new("mount").args(["-o", "remount,ro"]).arg(&disk.0).status();
    assert!(remounted.unwrap().success());
    let error = Recorder::exporting(&config(nowhere(), &folder), policy()).unwrap_err();
    let cause = std::error::Error::source(&error).unwrap();
    assert!(cause.to_string().contains("nothing can be written"), "{cause}");
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

#[test]
fn a_span_that_is_too_long_for_the_peer_is_set_aside_in_a_file_that_says_why_and_holds_nothing_that_was_said() {
    let home = private();
    let receiver = Receiver::start_small(6000);
    let mut config = config(receiver.url(), home.path());
    config.batch_delay = Duration::from_secs(5);
    let recorder = Recorder::exporting(&config, policy()).unwrap();
    (0..60).for_each(|_| recorder.tool("short").start().finish());
    let mut call = recorder.inference("openai", "m").input("a planted canary text").start();
    (0..300).for_each(|n| {
        call.finish_reason(&format!("a-reason-that-is-long-enough-to-count-{n}"));
    });
    call.finish();
    assert!(recorder.shutdown(SOON).complete);
    let counts = recorder.counts();
    assert_eq!((counts.sent, counts.dropped.of(Drop::TooLongForPeer), counts.set_aside), (60, 1, 1), "{counts:?}");
    drop(recorder);
    let aside = home.path().join("set-aside");
    assert!(until(|| std::fs::read_dir(home.path()).unwrap().count() == 1), "its own folder is gone");
    let kept = files(&aside);
    let [file] = kept.as_slice() else { panic!("{kept:?}") };
    let modes = [&aside, file].map(|path| path.symlink_metadata().unwrap().mode() & 0o777);
    assert_eq!(modes, [0o700, 0o600]);
    let bytes = std::fs::read(file).unwrap();
    let told = TracesData::decode(&*bytes).unwrap();
    let span = &told.resource_spans[0].scope_spans[0].spans[0];
    assert_eq!(span.name, "chat m");
    let hex = |id: &[u8]| id.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let name = format!("{}-{}.too_long_for_peer.pb", hex(&span.trace_id), hex(&span.span_id));
    assert_eq!(file.file_name().unwrap().to_str(), Some(&*name));
    assert!(told.resource_spans[0].resource.as_ref().is_some_and(|resource| !resource.attributes.is_empty()));
    assert!(!holds(&bytes, "planted canary"));
}

#[test]
fn what_is_set_aside_stays_within_its_share_of_the_spool_and_through_no_link() {
    let home = private();
    let receiver = Receiver::start_small(3000);
    let record = |config: &ExporterConfig, calls: usize| {
        let recorder = Recorder::exporting(config, policy()).unwrap();
        for _ in 0..calls {
            let mut call = recorder.inference("openai", "m").start();
            (0..100).for_each(|n| {
                call.finish_reason(&format!("a-reason-that-is-long-enough-to-count-{n}"));
            });
            call.finish();
        }
        assert!(recorder.shutdown(SOON).complete);
        recorder.counts()
    };
    let mut config = config(receiver.url(), home.path());
    let mut spool = SpoolConfig::new(home.path());
    spool.bytes = 512 << 10;
    config.spool = Some(spool);
    let counts = record(&config, 20);
    assert_eq!(counts.dropped.of(Drop::TooLongForPeer), 20, "{counts:?}");
    let kept = files(&home.path().join("set-aside"));
    let bytes: u64 = kept.iter().map(|path| path.metadata().unwrap().len()).sum();
    assert!(bytes <= 32 << 10 && bytes > 20 << 10, "{bytes}");
    assert_eq!(kept.len() as u64, counts.set_aside);

    let (elsewhere, other) = (private(), private());
    std::os::unix::fs::symlink(elsewhere.path(), other.path().join("set-aside")).unwrap();
    config.spool = Some(SpoolConfig::new(other.path()));
    let counts = record(&config, 1);
    assert_eq!((counts.dropped.of(Drop::TooLongForPeer), counts.set_aside, counts.spool_failures), (1, 0, 1));
    assert_eq!(files(elsewhere.path()).len(), 0);
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

#[test]
fn nothing_that_was_said_is_in_any_file_of_the_spool() {
    let home = private();
    let recorder = recorder(nowhere(), home.path());
    let turn = recorder.turn("canary agent with blanks").rollout("canary rollout with blanks").start();
    let mut call = turn.inference("openai", "canary model with blanks").input("canary input with blanks").start();
    call.output(veilspan::event::Message::text(veilspan::event::Role::Assistant, "canary output with blanks"));
    call.finish();
    let mut tool = turn.tool("t").arguments("{\"canary\": \"canary arguments with blanks\"}").start();
    tool.result("canary result with blanks");
    tool.fail("canary error with blanks");
    std::mem::forget(turn.tool("open").arguments("canary of an open call").start());
    turn.finish();
    recorder.flush(BRIEF);
    let written: Vec<u8> =
        files(home.path()).iter().filter(|path| path.is_file()).flat_map(|path| std::fs::read(path).unwrap()).collect();
    assert!(holds(&written, "execute_tool open") && holds(&written, "veilspan.input.digests"));
    assert!(!holds(&written, "canary"));
}
