//! How fast calls are delivered, without loss and from a full queue: `cargo bench --bench delivery [-- ROUNDS]`.
//!
//! Each comparison is a line `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target` on standard output, the ratio being the median of
//! paired rounds. Of spans a second more is better, of processor time and of the time of a flush less. The receiver is a
//! process of its own. Where a round loses a span the benchmark ends, but for the lines that tell of loss at full rate.

#![allow(unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod bare;
#[path = "../support/mod.rs"]
mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use bare::Bare;
use support::calls::measure::{Measured, Scenario};
use support::calls::ours::Ours;
use support::calls::sdk::{self, Sdk};
use support::calls::spans::{Keep, Layer};
use support::child::Child;
use support::table::{Rounds, header, line, median};
use support::{arguments, sink};
use veilspan::export::{ExporterConfig, SpoolConfig};

fn main() {
    match arguments::mode() {
        Some((mode, _)) if mode == sink::MODE => sink::run(),
        Some((_, of)) => profile(of.first().is_some_and(|of| of == "spool")),
        None => compare(arguments::rounds(9)),
    }
}

/// The recorder alone, for a profiler: `delivery --mode profile [spool]`.
fn profile(with_spool: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut sink = Child::start(sink::MODE, &[]);
    let config = if with_spool { spooled(sink.url(), folder.path()) } else { config(sink.url()) };
    let mut ours = Measured::new("ours", BURST, 40, true, Ours::with(&config, None));
    (0..4).for_each(|_| ours.round(&mut sink, false));
    eprintln!("process {:.0} ns, wall {:.0} ns", median(&ours.cost.process), median(&ours.cost.wall));
}

/// As many as the SDK's queue holds, so that it loses none.
const BURST: usize = 2048;
const BURSTS: usize = 10;
/// What waits when a flush begins.
const QUEUED: usize = 100_000;
/// What is recorded without a pause.
const FULL_RATE: usize = 200_000;

fn config(endpoint: String) -> ExporterConfig {
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint;
    config.queue_bytes = 1 << 30;
    config.timeout = Duration::from_secs(60);
    config
}

fn spooled(endpoint: String, folder: &Path) -> ExporterConfig {
    let mut config = config(endpoint);
    let mut spool = SpoolConfig::new(folder);
    spool.bytes = 4 << 30;
    config.spool = Some(spool);
    config
}

fn compare(rounds: usize) {
    let folder = tempfile::tempdir().expect("a folder");
    let on_disk = folder.path().join("spool");
    let mut sink = Child::start(sink::MODE, &[]);
    // The SDK's exporter wants a runtime around it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    header("delivery", rounds);

    let mut scenarios = [
        Measured::new("ours", BURST, BURSTS, true, Ours::with(&config(sink.url()), None)),
        Measured::new("ours, spool", BURST, BURSTS, true, Ours::with(&spooled(sink.url(), &on_disk), None)),
        Measured::new(
            "tracing-opentelemetry",
            BURST,
            BURSTS,
            true,
            Layer::theirs(sdk::provider(sink.url()), Keep::Nothing),
        ),
        Measured::new("bare loop", BURST, BURSTS, true, Bare::new(&sink.url(), &runtime)),
    ];
    for round in 0..=rounds {
        scenarios.iter_mut().for_each(|scenario| scenario.round(&mut sink, round == 0));
    }
    let [ours, spool, theirs, bare] = &scenarios.map(|scenario| scenario.cost);
    let rate = |wall: &Rounds| wall.iter().map(|nanos| 1e9 / nanos).collect::<Rounds>();
    line("spans a second / tracing-opentelemetry", &rate(&ours.wall), &rate(&theirs.wall), Some(4.0));
    line("spans a second, spool / tracing-opentelemetry", &rate(&spool.wall), &rate(&theirs.wall), Some(3.0));
    line("spans a second / bare loop", &rate(&ours.wall), &rate(&bare.wall), None);
    line("spans a second, spool / bare loop", &rate(&spool.wall), &rate(&bare.wall), None);
    line("processor ns a span / tracing-opentelemetry", &ours.process, &theirs.process, None);
    line("processor ns a span, spool / tracing-opentelemetry", &spool.process, &theirs.process, None);
    line("processor ns a span / bare loop", &ours.process, &bare.process, None);

    let (mut memory, mut disk, mut peer) = (Rounds::new(), Rounds::new(), Rounds::new());
    for round in 0..=rounds.min(5) {
        let full = Ours::with(&config(sink.url()), None);
        let spooled = Ours::with(&spooled(sink.url(), &on_disk), None);
        let theirs = Sdk::with(sdk::with_queue(sink.url(), QUEUED + 5000), None);
        let took = [flush(&mut sink, full), flush(&mut sink, spooled), flush(&mut sink, theirs)];
        if round > 0 {
            [&mut memory, &mut disk, &mut peer].into_iter().zip(took).for_each(|(rounds, took)| rounds.push(took));
        }
    }
    line("seconds to flush 100,000 queued / bare SDK", &memory, &peer, Some(0.35));
    line("seconds to flush 100,000 queued, spool / bare SDK", &disk, &peer, None);

    let lost = |sink: &mut Child, scenario: &mut dyn Scenario| {
        let before = sink.report().spans;
        scenario.burst(FULL_RATE);
        scenario.flush();
        std::thread::sleep(Duration::from_millis(500));
        100.0 - (sink.report().spans - before) as f64 * 100.0 / FULL_RATE as f64
    };
    let (mut ours_lost, mut spool_lost, mut sdk_lost, mut layer_lost) = Default::default();
    for _ in 0..rounds.min(5) {
        let rounds: [&mut Rounds; 4] = [&mut ours_lost, &mut spool_lost, &mut sdk_lost, &mut layer_lost];
        let (mut ours, mut spool) =
            (Ours::with(&config(sink.url()), None), Ours::with(&spooled(sink.url(), &on_disk), None));
        let mut bare_sdk = Sdk::new(sink.url(), None);
        let mut layer = Layer::theirs(sdk::provider(sink.url()), Keep::Nothing);
        let lost = [
            lost(&mut sink, &mut ours),
            lost(&mut sink, &mut spool),
            lost(&mut sink, &mut bare_sdk),
            lost(&mut sink, &mut layer),
        ];
        eprintln!("# at full rate: {:?}", ours.counts().dropped);
        rounds.into_iter().zip(lost).for_each(|(rounds, lost)| rounds.push(lost));
    }
    println!("percent lost at full rate, ours\t{:.2}\t-\t-\t-", median(&ours_lost));
    println!("percent lost at full rate, ours with the spool\t{:.2}\t-\t-\t-", median(&spool_lost));
    println!("percent lost at full rate, bare SDK\t-\t{:.2}\t-\t-", median(&sdk_lost));
    println!("percent lost at full rate, tracing-opentelemetry\t-\t{:.2}\t-\t-", median(&layer_lost));
}

/// The seconds that a flush takes when so many spans wait, because the receiver has not answered until then.
fn flush(sink: &mut Child, mut scenario: impl Scenario) -> f64 {
    let before = sink.report().spans;
    sink.hold(true);
    // In portions: the intake takes so many events at once and no more.
    for _ in 0..QUEUED / 10_000 {
        scenario.burst(10_000);
        while !scenario.has_caught_up() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    std::thread::sleep(Duration::from_millis(500));
    sink.hold(false);
    let start = Instant::now();
    scenario.flush();
    let took = start.elapsed().as_secs_f64();
    // The turn of a recorder that went before may be told meanwhile.
    assert!(sink.report().spans - before >= QUEUED as u64, "spans were lost");
    took
}
