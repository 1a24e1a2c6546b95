//! Real processes that are killed while they record, against a sink that goes away, stalls, refuses with every code and cuts
//! connections in the middle of a message.
//!
//! ```text
//! cargo test --test chaos                 30 kills
//! cargo test --test chaos -- 200          so many
//! cargo test --test chaos -- 200 7        with this seed
//! ```
//!
//! Whatever a child has reported as durable before it was killed is at the sink in the end; all copies of a span are equal,
//! byte for byte; and a batch that was answered comes again only where the answer may not have arrived.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    unreachable_pub
)]

mod child;
mod link;
mod sink;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use link::{Link, Weather};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sink::{Mood, Sink};

const KILLS: usize = 30;
/// In the end a folder has to be emptied each time that this has passed, however slow the machine.
const PATIENCE: Duration = Duration::from_secs(120);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [mode, number, endpoint, folder] = arguments.as_slice()
        && (mode == child::RECORD || mode == child::DRAIN)
    {
        return child::run(mode, number, endpoint, Path::new(folder));
    }
    let numbers: Vec<u64> = arguments.iter().filter_map(|argument| argument.parse().ok()).collect();
    let is_filter = |argument: &String| !argument.starts_with('-') && argument.parse::<u64>().is_err();
    if arguments.iter().any(is_filter) && !arguments.iter().any(|argument| "chaos".contains(argument.as_str())) {
        return;
    }
    let kills = numbers.first().map_or(KILLS, |kills| *kills as usize);
    let seed = numbers.get(1).copied().unwrap_or_else(|| rand::random::<u32>().into());
    println!("chaos: {kills} kills, seed {seed}");
    torment(kills, seed);
}

/// A child at work, and the last watermark that it reported.
struct Life {
    process: Child,
    durable: Arc<AtomicI64>,
    lost: Arc<Mutex<Option<String>>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Life {
    fn start(mode: &str, number: usize, endpoint: &str, folder: &Path) -> Self {
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args([mode, &number.to_string(), endpoint])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let durable = Arc::new(AtomicI64::new(-1));
        let lost = Arc::new(Mutex::new(None));
        let reader = std::thread::spawn({
            let (durable, lost) = (Arc::clone(&durable), Arc::clone(&lost));
            move || {
                for line in output.lines().map_while(Result::ok) {
                    match line.split_once(' ') {
                        Some(("durable", seq)) => durable.store(seq.parse().unwrap(), Ordering::SeqCst),
                        _ => *lost.lock().unwrap() = Some(line),
                    }
                }
            }
        });
        Self { process, durable, lost, reader: Some(reader) }
    }

    /// SIGKILL; then what it had reported.
    fn kill(mut self) -> i64 {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        // The pipe is read to its end.
        self.reader.take().unwrap().join().unwrap();
        let lost = self.lost.lock().unwrap().take();
        assert_eq!(lost, None, "nothing may be lost, or what is durable proves nothing");
        self.durable.load(Ordering::SeqCst)
    }
}

/// Whatever ends the test, no process of it stays behind.
impl Drop for Life {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

fn torment(kills: usize, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool");
    let sink = Sink::start();
    let link = Link::start(sink.address());
    let mut watermarks = BTreeMap::new();
    let (mut storms, mut running) = (0u64, Vec::new());
    for number in 0..kills {
        running.push((number, Life::start(child::RECORD, number, &link.url(), &spool)));
        let until = Instant::now() + Duration::from_millis(random.random_range(20..700));
        while Instant::now() < until {
            sink.set(mood(&mut random));
            link.set(weather(&mut random));
            storms += 1;
            std::thread::sleep(Duration::from_millis(random.random_range(5..60)));
        }
        // Sometimes two share the folder for a while.
        let keep = usize::from(random.random_bool(0.3));
        while running.len() > keep {
            let (number, life) = running.remove(0);
            watermarks.insert(number, life.kill());
        }
    }
    for (number, life) in running {
        watermarks.insert(number, life.kill());
    }
    sink.set(Mood::Accept);
    link.set(Weather::Fair);
    drain(&link, &spool, kills);
    judge(&sink, &watermarks, storms + kills as u64, seed);
}

fn mood(random: &mut StdRng) -> Mood {
    match random.random_range(0..10) {
        0..5 => Mood::Accept,
        5 => Mood::Stall,
        6 => Mood::Reject(random.random_range(1..4)),
        _ => Mood::Refuse(random.random_range(1..17)),
    }
}

fn weather(random: &mut StdRng) -> Weather {
    match random.random_range(0..8) {
        0..5 => Weather::Fair,
        5 => Weather::Down,
        _ => Weather::Cut(random.random_range(1..60_000)),
    }
}

/// A last process takes over what the dead have left, until there is nothing any more.
fn drain(link: &Link, spool: &Path, number: usize) {
    let (mut least, mut since) = (usize::MAX, Instant::now());
    let _last = Life::start(child::DRAIN, number, &link.url(), spool);
    loop {
        let left = std::fs::read_dir(spool).map_or(0, Iterator::count);
        if left <= 1 {
            break;
        }
        if left < least {
            (least, since) = (left, Instant::now());
        }
        assert!(since.elapsed() < PATIENCE, "{left} folders are left");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn judge(sink: &Sink, watermarks: &BTreeMap<usize, i64>, troubles: u64, seed: u64) {
    let seen = sink.seen();
    println!(
        "chaos: {} spans of {} processes in {} requests, {} abandoned, {} of {} answered requests came again",
        seen.spans.len(),
        watermarks.len(),
        seen.requests,
        seen.abandoned,
        seen.again_after_an_answer,
        seen.answered,
    );
    assert_eq!(seen.different, 0, "copies of a span differ (seed {seed})");
    let mut checked = 0;
    for (number, durable) in watermarks {
        let nothing = Default::default();
        let seqs = seen.seqs.get(&number.to_string()).unwrap_or(&nothing);
        for seq in 0..=*durable {
            assert!(seqs.contains(&seq), "event {seq} of process {number} was durable up to {durable} (seed {seed})");
            checked += 1;
        }
    }
    println!("chaos: {checked} events were durable, and all of them arrived");
    assert!(checked > 100 * watermarks.len() as i64, "too little was recorded to prove anything");
    // Up to four requests are without an answer when a connection or a process ends.
    assert!(seen.again_after_an_answer <= 4 * troubles, "{} (seed {seed})", seen.again_after_an_answer);
}
