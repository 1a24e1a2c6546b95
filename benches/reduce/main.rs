//! What reduction costs: `cargo bench --bench reduce [-- ROUNDS] [--full]`.
//!
//! Each comparison is a line `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target` on standard output: a bundle read and reduced
//! beside `serde_json::Value` parsing of the same bytes alone, in seconds; the cost of an event, in nanoseconds, of more
//! and more events beside that of 10,000, and beside the 500 ns that two million a second leave. The short form goes up to 1,000,000 events, `--full` to 10,000,000.

#![allow(unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod bundle;
mod events;
#[path = "../support/mod.rs"]
mod support;

use std::time::Instant;

use support::arguments;
use support::table::{Rounds, header, line, median};
use veilspan::reduce::{Facts, derive};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let rounds = arguments::rounds(7);
    header("reduce", rounds);
    let full = std::env::args().any(|argument| argument == "--full");

    let written = bundle::write();
    let (mut ours, mut peer) = (Rounds::new(), Rounds::new());
    for _ in 0..rounds {
        ours.push(seconds(|| bundle::reduce(written.path())));
        peer.push(seconds(|| bundle::parse(written.path())));
    }
    line("bundle to graph / serde_json::Value alone, s", &ours, &peer, Some(1.0));

    let largest = if full { 10_000_000 } else { 1_000_000 };
    let sizes = [10_000u64, 100_000, 1_000_000, 10_000_000].into_iter().filter(|size| *size <= largest);
    let mut first: Option<Rounds> = None;
    for size in sizes {
        // Each size costs about as long as the others.
        let rounds = if size > 100_000 { rounds.min(3) } else { rounds };
        let each: Rounds = (0..rounds).map(|_| of_events(size)).collect();
        eprintln!("# {size} events: {:.2} million a second", 1e3 / median(&each));
        let base = first.get_or_insert_with(|| each.clone());
        line(&format!("an event of {size} / of 10000, ns"), &each, base, Some(1.2));
        // Two million a second on one core.
        line(&format!("an event of {size} / 500 ns, ns"), &each, &vec![500.0; each.len()], Some(1.0));
    }
}

/// Nanoseconds for an event, from decoded events to graphs.
fn of_events(size: u64) -> f64 {
    let mut spent = 0f64;
    let mut facts = Facts::default();
    // Made in portions, so that what is measured is not the memory that events take.
    for portion in 0..size / 10_000 {
        let events = events::portion(portion);
        spent += seconds(|| {
            for event in &events {
                facts.absorb(event);
            }
        });
    }
    spent += seconds(|| {
        for rollout in facts.rollouts() {
            std::hint::black_box(derive(rollout));
        }
    });
    spent * 1e9 / size as f64
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    std::hint::black_box(work());
    started.elapsed().as_secs_f64()
}
