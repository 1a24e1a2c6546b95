//! What our `tracing` layer costs beside tracing-opentelemetry's: `cargo bench --bench layer [-- ROUNDS]`.
//!
//! Each comparison is a line `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target` on standard output. The first rows are
//! nanoseconds of processor time a call, with the median of the ratios of paired rounds; the rows that begin with `call site`
//! are instructions a visit of a span's call site that is no GenAI one, with our layer and without it, and in place of the
//! ratio their difference.

#![allow(unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod sites;
#[path = "../support/mod.rs"]
mod support;

use support::calls::measure::Measured;
use support::calls::payload::Content;
use support::calls::sdk;
use support::calls::spans::{Keep, Layer};
use support::child::Child;
use support::table::{header, line, median};
use support::{arguments, sink};
use veilspan::Recorder;
use veilspan::environment::Environment;
use veilspan::export::ExporterConfig;
use veilspan::intake::Sampler;
use veilspan::privacy::{Key, Policy};

/// Calls between two flushes: fewer than any queue holds.
const BURST: usize = 256;

fn main() {
    match arguments::mode() {
        Some((mode, _)) if mode == sink::MODE => sink::run(),
        Some((mode, arguments)) if mode == sites::MODE => sites::visit(&arguments),
        Some((_, of)) => profile(of.first().map_or("", String::as_str)),
        None => {
            compare(arguments::rounds(15));
            sites::compare();
        }
    }
}

/// Our layer alone, for a profiler: `layer --mode profile [content | unsampled]`.
fn profile(of: &str) {
    let mut sink = Child::start(sink::MODE, &[]);
    let sampler = if of == "unsampled" { Sampler::NONE } else { Sampler::ALL };
    let keep = if of == "content" { Keep::Whole(Content::new()) } else { Keep::Nothing };
    let layer = Layer::ours(recorder(sink.url(), sampler), keep);
    let mut ours = Measured::new("ours", BURST, 400, sampler == Sampler::ALL, layer);
    (0..4).for_each(|_| ours.round(&mut sink, false));
    eprintln!("thread {:.0} ns, process {:.0} ns", median(&ours.cost.thread), median(&ours.cost.process));
}

fn compare(rounds: usize) {
    let mut sink = Child::start(sink::MODE, &[]);
    // The SDK's exporter wants a runtime around it.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let _inside = runtime.enter();
    let url = || sink.url();
    let whole = || Keep::Whole(Content::new());
    let digest = Keep::Digest(Content::new());
    let mut scenarios = [
        Measured::new("ours c+", BURST, 40, true, Layer::ours(recorder(url(), Sampler::ALL), Keep::Nothing)),
        Measured::new("theirs c", BURST, 40, true, Layer::theirs(sdk::provider(url()), Keep::Nothing)),
        Measured::new("ours 6 KiB", BURST, 20, true, Layer::ours(recorder(url(), Sampler::ALL), whole())),
        Measured::new("theirs e", BURST, 20, true, Layer::theirs(sdk::provider(url()), digest)),
        Measured::new("ours unsampled", BURST, 40, false, Layer::ours(recorder(url(), Sampler::NONE), Keep::Nothing)),
        Measured::new("theirs unsampled", BURST, 40, false, Layer::theirs(sdk::unsampled(url()), Keep::Nothing)),
        Measured::new("nothing", BURST, 40, false, Layer::nothing()),
    ];
    header("layer, nanoseconds a call", rounds);
    for round in 0..=rounds {
        scenarios.iter_mut().for_each(|scenario| scenario.round(&mut sink, round == 0));
    }
    let [ours, theirs, ours_6k, theirs_e, unsampled, theirs_unsampled, nothing] =
        &scenarios.map(|scenario| scenario.cost);

    line("thread c+ / tracing-opentelemetry c", &ours.thread, &theirs.thread, Some(0.25));
    line("thread, a layer that does nothing / tracing-opentelemetry c", &nothing.thread, &theirs.thread, None);
    line("process c+ / tracing-opentelemetry c", &ours.process, &theirs.process, None);
    line("thread 6 KiB digested / tracing-opentelemetry e", &ours_6k.thread, &theirs_e.thread, Some(0.10));
    line("process 6 KiB digested / tracing-opentelemetry e", &ours_6k.process, &theirs_e.process, Some(0.55));
    line("thread unsampled / tracing-opentelemetry", &unsampled.thread, &theirs_unsampled.thread, Some(0.20));
}

fn recorder(endpoint: String, sampler: Sampler) -> Recorder {
    let key = Key::new(vec![7; 32], None).expect("a key");
    let (policy, _) = Policy::builder().key(key).build_in(&Environment::default());
    let mut config = ExporterConfig::default();
    config.endpoint = endpoint;
    config.sampler = sampler;
    Recorder::exporting(&config, policy).expect("a recorder")
}
