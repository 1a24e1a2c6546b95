//! What calls keep in memory while they are open: so many in a process of their own, whose resident memory is looked at.

use std::process::Command;

use tracing::Dispatch;
use tracing::dispatcher;
use tracing_subscriber::layer::SubscriberExt;

use crate::support::calls::ours::Ours;
use crate::support::calls::{sdk, spans};
use opentelemetry::trace::TracerProvider;

pub const MODE: &str = "open";

const CALLS: usize = 100_000;
/// Fewer than the queue takes.
const BURST: usize = 10_000;

/// Prints bytes a call: ours, of tracing-opentelemetry, and their ratio.
pub fn compare(endpoint: &str) {
    let [ours, theirs] = ["ours", "theirs"].map(|whose| bytes(whose, endpoint));
    println!("heap of an open call c / tracing-opentelemetry c\t{ours:.0}\t{theirs:.0}\t{:.3}\t0.45", ours / theirs);
}

fn bytes(whose: &str, endpoint: &str) -> f64 {
    let myself = std::env::args_os().next().expect("the path of this binary");
    let output = Command::new(myself).args(["--mode", MODE, whose, endpoint]).output().expect("a child process");
    let said = String::from_utf8(output.stdout).expect("a number");
    said.trim().parse().expect("a number")
}

/// The other process: `ours|theirs ENDPOINT`. Ends without closing what it has opened.
pub fn run(arguments: &[String]) -> ! {
    let [whose, endpoint] = arguments else { panic!("ours|theirs ENDPOINT") };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    if whose == "ours" {
        let mut ours = Ours::new(endpoint.clone(), None);
        let mut open = Vec::with_capacity(CALLS);
        // What is made once is there before.
        open.push(ours.open());
        ours.settle();
        let before = resident();
        while open.len() < CALLS {
            open.extend((0..BURST.min(CALLS - open.len())).map(|_| ours.open()));
            ours.settle();
        }
        tell(before);
    } else {
        let layer = tracing_opentelemetry::layer().with_tracer(sdk::provider(endpoint.clone()).tracer("benchmark"));
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        dispatcher::with_default(&dispatch, || {
            let mut open = Vec::with_capacity(CALLS);
            open.push(spans::open());
            let before = resident();
            open.extend((1..CALLS).map(|_| spans::open()));
            tell(before);
        })
    }
}

fn tell(before: usize) -> ! {
    println!("{}", (resident() - before) as f64 / (CALLS - 1) as f64);
    std::process::exit(0)
}

/// Bytes of this process that are in memory.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    pages.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("a number") * 4096
}
