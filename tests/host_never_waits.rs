//! Between entry and return of what a host calls there is no system call but one that reads a clock or wakes a thread,
//! whatever the sink does and however full the queues are.
//!
//! Shown by the kernel itself: a child process lets one of its threads make no other call (seccomp), and any other kills
//! it. Memory is the affair of the host's allocator: what it asks the kernel for is let through, and one is chosen whose
//! threads do not wait for each other, as the C library's do where one frees what another has made. While that one grows it
//! does let them wait, so it has grown before anybody is watched, and no sink keeps what it takes.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::disallowed_methods)]

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, exit};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};
use veilspan::event::{Message, Record, Role};
use veilspan::intake::{Bounds, Refused, Sink};
use veilspan::record::Turn;
use veilspan::{Policy, Recorder};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many of them are made unwatched, and then how many watched.
const REQUESTS: u32 = 3000;

/// Which part the child plays.
const PART: &str = "HOST_NEVER_WAITS";

struct Dead;

impl Sink for Dead {
    fn take(&self, _: Record) -> Result<(), Refused> {
        loop {
            std::thread::park();
        }
    }
}

/// Takes everything, and keeps nothing.
struct Willing;

impl Sink for Willing {
    fn take(&self, _: Record) -> Result<(), Refused> {
        Ok(())
    }
}

/// Everything that a service does for a request.
fn record(recorder: &Recorder, prompt: &Arc<str>) {
    let mut turn: Turn = recorder.turn("agent").tenant("t").start();
    turn.in_scope(|| {
        let mut call =
            recorder.inference("openai", "m").input(vec![Message::text(Role::User, Arc::clone(prompt))]).start();
        call.chunk("an answer").tokens(10, 4).finish_reason("stop");
        call.finish();
        drop(recorder.tool("t").arguments("{}").start());
    });
    turn.decision("go on").confidence(0.5).record();
    turn.ends_rollout();
    turn.finish();
}

/// What may be called: a clock, a wake, and memory.
fn filter() -> BpfProgram {
    let any = |numbers: &[i64]| numbers.iter().map(|number| (*number, Vec::new())).collect::<Vec<_>>();
    let mut rules = any(&[libc::SYS_clock_gettime, libc::SYS_gettimeofday]);
    rules.extend(any(&[
        // Gives a mapping its name.
        libc::SYS_prctl,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_mprotect,
        libc::SYS_madvise,
        libc::SYS_brk,
    ]));
    // FUTEX_WAKE is 1, with or without FUTEX_PRIVATE_FLAG.
    let wake = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(0x7f), 1).unwrap();
    rules.push((libc::SYS_futex, vec![SeccompRule::new(vec![wake]).unwrap()]));
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let rules = rules.into_iter().collect();
    SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch).unwrap().try_into().unwrap()
}

/// Plays a part; comes back only as an exit.
fn play(part: &str) -> ! {
    let policy = Policy::builder().unkeyed_sha256().build_in(&Default::default()).0;
    let sink: Arc<dyn Sink> = match part {
        "willing" => Arc::new(Willing),
        _ => Arc::new(Dead),
    };
    let mut bounds = Bounds::default();
    if part == "full" {
        bounds = Bounds { events: 64, open_calls: 16, content_bytes: 1024 };
    }
    let recorder = Recorder::builder().sink(sink).policy(policy).bounds(bounds).build();
    assert!(recorder.is_enabled());
    let prompt: Arc<str> = "a prompt of some length ".repeat(40).into();
    let program = filter();
    let ready = AtomicBool::new(false);
    std::thread::scope(|scope| {
        // Two hosts beside each other, so that they meet in the queue.
        for filtered in [false, true] {
            let (recorder, prompt, program, ready) = (&recorder, &prompt, &program, &ready);
            scope.spawn(move || {
                // Nothing of this thread's own is made while it is watched.
                (0..REQUESTS).for_each(|_| record(recorder, prompt));
                if filtered {
                    apply_filter(program).unwrap();
                }
                for call in 0..REQUESTS {
                    record(recorder, prompt);
                    if call % 64 == 0 {
                        // Lets the pipeline fall asleep now and then, to be woken.
                        spin(Duration::from_millis(1));
                    }
                }
                if filtered {
                    if part == "sleep" {
                        // The proof that the watch is kept: this is one call too many.
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    ready.store(true, Ordering::Release);
                    // Even to end would be a system call.
                    loop {
                        std::hint::spin_loop();
                    }
                }
            });
        }
        while !ready.load(Ordering::Acquire) {
            std::thread::sleep(Duration::from_millis(1));
        }
        exit(0)
    })
}

fn spin(time: Duration) {
    let started = std::time::Instant::now();
    while started.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Whether the child lived: `Err` is the signal that ended it.
fn child(part: &str) -> Result<(), i32> {
    let name = std::env::current_exe().unwrap();
    let status = Command::new(name).args(["--exact", "the_child", "--nocapture"]).env(PART, part).status().unwrap();
    if status.success() { Ok(()) } else { Err(status.signal().unwrap_or(0)) }
}

/// The other tests' child; nothing of its own.
#[test]
fn the_child() {
    if let Ok(part) = std::env::var(PART) {
        play(&part);
    }
}

const SIGSYS: i32 = 31;

#[test]
fn a_call_too_many_is_noticed() {
    assert_eq!(child("sleep"), Err(SIGSYS));
}

#[test]
fn with_a_sink_that_takes_everything_the_host_makes_no_system_call() {
    assert_eq!(child("willing"), Ok(()));
}

#[test]
fn with_a_dead_sink_the_host_makes_no_system_call() {
    assert_eq!(child("dead"), Ok(()));
}

#[test]
fn with_full_queues_the_host_makes_no_system_call() {
    assert_eq!(child("full"), Ok(()));
}
