//! The process that is killed: it records as fast as the spool can keep up, and reports what is durable.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use veilspan::environment::Environment;
use veilspan::event::{Message, Role};
use veilspan::export::{ExporterConfig, SpoolConfig, SpoolWait};
use veilspan::{Policy, Recorder};

pub const RECORD: &str = "--record";
pub const DRAIN: &str = "--drain";

/// So many events may be ahead of the spool: fewer than the intake holds, so that nothing is lost.
const AHEAD: u64 = 10_000;

pub fn run(mode: &str, number: &str, endpoint: &str, folder: &Path) {
    let environment: Environment = [("VEILSPAN_HASH_KEY", "0123456789abcdef0123456789abcdef")].into_iter().collect();
    let (policy, _) = Policy::builder().build_in(&environment);
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint.to_owned();
    config.timeout = Duration::from_millis(300);
    config.batch_delay = Duration::from_millis(20);
    config.batch_spans = 100;
    config.resource.push(("service.instance.id".to_owned(), number.to_owned()));
    let mut spool = SpoolConfig::new(folder);
    if number.ends_with('7') {
        spool.wait = Some(SpoolWait::Written);
    }
    config.spool = Some(spool);
    let recorder = Recorder::exporting(&config, policy).unwrap();
    if mode == DRAIN {
        loop {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    let handed_in = AtomicU64::new(0);
    std::thread::scope(|threads| {
        for thread in 0..2u64 {
            let (recorder, handed_in) = (&recorder, &handed_in);
            threads.spawn(move || record(recorder, handed_in, thread));
        }
        report(&recorder);
    });
}

fn record(recorder: &Recorder, handed_in: &AtomicU64, thread: u64) {
    let mut long_lived = Vec::new();
    for round in 0u64.. {
        let turn = recorder.turn("planner").start();
        let mut call = turn.inference("openai", "gpt-x").input("what was asked").start();
        call.output(Message::text(Role::Assistant, "what was answered")).tokens(3, 4);
        let mut tool = turn.tool("search").arguments("{}").start();
        tool.result("what was found");
        match round % 5 {
            0 => tool.fail("timeout"),
            1 => drop(tool),
            _ => tool.finish(),
        }
        call.finish();
        turn.finish();
        if round % 100 == thread {
            long_lived.push(recorder.tool("long").start());
            if long_lived.len() > 5 {
                long_lived.remove(0).finish();
            }
        }
        let events = handed_in.fetch_add(6, Ordering::Relaxed);
        while events > recorder.durable_seq().map_or(0, |seq| seq + 1) + AHEAD {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn report(recorder: &Recorder) {
    let mut output = std::io::stdout();
    loop {
        let durable = recorder.durable_seq();
        let lost = recorder.counts().dropped;
        if lost.calls() > 0 && only_refused(&lost) > 0 {
            writeln!(output, "lost {lost:?}").unwrap();
        }
        if let Some(durable) = durable {
            writeln!(output, "durable {durable}").unwrap();
        }
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// What was lost on this side: what a sink refuses for good has been there.
fn only_refused(lost: &veilspan::intake::Losses) -> u64 {
    use veilspan::intake::Drop;
    lost.calls() - lost.of(Drop::PeerRefused) - lost.of(Drop::TooLongForPeer)
}
