//! What recording a call costs, beside what it costs with others: `cargo bench --bench hot_path [-- ROUNDS]`.
//!
//! Each comparison is a line `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target` on standard output: nanoseconds of processor
//! time a call, and the median of the ratios of paired rounds. The row of an open call tells bytes; the row of a recorder that
//! is switched off tells instructions, counted by valgrind, and in the place of the ratio their difference.
//! `benches/README.md` says what is measured, and how.

#![allow(unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod floor;
mod open;
#[path = "../support/mod.rs"]
mod support;

use floor::Floor;
use support::calls::measure::{Cost, Measured, Scenario};
use support::calls::ours::Ours;
use support::calls::payload::Content;
use support::calls::sdk::{self, Sdk};
use support::calls::spans::{Keep, Layer, Unheard};
use support::child::Child;
use support::table::{header, line, median};
use support::{arguments, instructions, sink};

fn main() {
    match arguments::mode() {
        Some((mode, _)) if mode == sink::MODE => sink::run(),
        Some((mode, of)) if mode == open::MODE => open::run(&of),
        Some((mode, of)) if mode == SILENT => silent(&of),
        Some((_, of)) => profile(of.first().is_some_and(|of| of == "content")),
        None => compare(arguments::rounds(15)),
    }
}

/// Calls between two flushes: fewer than any queue holds, so that nothing is lost and nobody waits inside a burst.
const BURST: usize = 256;
/// As many as the SDK's queue holds.
const LONG_BURST: usize = 2048;

/// `--mode silent ours|theirs CALLS`: calls that nobody wants to hear of.
const SILENT: &str = "silent";

fn silent(of: &[String]) {
    let [whose, calls] = of else { panic!("ours|theirs CALLS") };
    let calls = calls.parse().expect("a number");
    if whose == "ours" { Ours::disabled().burst(calls) } else { Unheard.burst(calls) }
}

/// The recorder alone, for a profiler: `hot_path --mode profile [content]`.
fn profile(with_content: bool) {
    let mut sink = Child::start(sink::MODE, &[]);
    let content = with_content.then(Content::new);
    let mut ours = Measured::new("ours", BURST, 400, true, Ours::new(sink.url(), content));
    (0..4).for_each(|_| ours.round(&mut sink, false));
    let Cost { thread, process, .. } = ours.cost;
    eprintln!("thread {:.0} ns, process {:.0} ns", median(&thread), median(&process));
}

fn compare(rounds: usize) {
    let mut sink = Child::start(sink::MODE, &[]);
    // The SDK's exporter wants a runtime around it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    let url = || sink.url();
    let content = || Some(Content::new());
    let mut scenarios = [
        Measured::new("ours c+", BURST, 40, true, Ours::new(url(), None)),
        Measured::new("layer c", BURST, 40, true, Layer::theirs(sdk::provider(url()), Keep::Nothing)),
        Measured::new("sdk c", BURST, 40, true, Sdk::new(url(), None)),
        Measured::new("floor c", BURST, 40, false, Floor::new()),
        Measured::new("ours 6 KiB", BURST, 20, true, Ours::new(url(), content())),
        Measured::new("layer e", BURST, 20, true, Layer::theirs(sdk::provider(url()), Keep::Digest(Content::new()))),
        Measured::new("layer d", BURST, 20, true, Layer::theirs(sdk::provider(url()), Keep::Whole(Content::new()))),
        Measured::new("sdk d", BURST, 20, true, Sdk::new(url(), content())),
        Measured::new("ours c+, long bursts", LONG_BURST, 5, true, Ours::new(url(), None)),
        Measured::new("layer c, long bursts", LONG_BURST, 5, true, Layer::theirs(sdk::provider(url()), Keep::Nothing)),
    ];
    header("hot_path, nanoseconds a call", rounds);
    for round in 0..=rounds {
        scenarios.iter_mut().for_each(|scenario| scenario.round(&mut sink, round == 0));
    }
    let [ours, layer, sdk, floor, ours_6k, layer_e, layer_d, sdk_d, ours_long, layer_long] =
        &scenarios.map(|scenario| scenario.cost);

    line("thread c+ / tracing-opentelemetry c", &ours.thread, &layer.thread, Some(0.13));
    line("thread c+ / bare SDK c", &ours.thread, &sdk.thread, Some(0.50));
    line("thread c+ / hand-written append c", &ours.thread, &floor.thread, None);
    line("process c+ / tracing-opentelemetry c", &ours.process, &layer.process, Some(0.18));
    line("process c+ / bare SDK c", &ours.process, &sdk.process, None);
    line("thread 6 KiB digested / tracing-opentelemetry e", &ours_6k.thread, &layer_e.thread, Some(0.10));
    line("thread 6 KiB digested / tracing-opentelemetry d", &ours_6k.thread, &layer_d.thread, None);
    line("thread 6 KiB digested / bare SDK d", &ours_6k.thread, &sdk_d.thread, None);
    line("process 6 KiB digested / tracing-opentelemetry e", &ours_6k.process, &layer_e.process, Some(0.55));
    line("process 6 KiB digested / tracing-opentelemetry d", &ours_6k.process, &layer_d.process, None);
    line("process 6 KiB digested / bare SDK d", &ours_6k.process, &sdk_d.process, None);
    line("lossless wall c+ / tracing-opentelemetry c", &ours_long.wall, &layer_long.wall, Some(0.25));
    open::compare(&sink.url());
    let silent = ["ours", "theirs"].map(|whose| instructions::each(SILENT, &[whose.to_owned()], [1_000, 11_000]));
    let [disabled, unheard] = silent;
    instructions::line("disabled / tracing without a subscriber, instructions", disabled, unheard, "-");
}
