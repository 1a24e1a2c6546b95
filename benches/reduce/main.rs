//! What reduction costs: `cargo bench --bench reduce [-- ROUNDS] [--only bundle|events|rollouts] [--events NUMBER]
//! [--rollouts NUMBER]`.
//!
//! Each comparison is a line `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target` on standard output: a bundle read and reduced
//! beside `serde_json::Value` parsing of the same bytes alone, in seconds; the cost of an event, in nanoseconds, of more
//! and more events beside that of 10,000, and beside the 500 ns that two million a second leave; and the slope, which is
//! the power of the number of events that the whole cost grows with: 1 is linear. Events go up to 1,000,000, or to
//! NUMBER: 10,000,000 is the long form. Last, the memory that rollouts take which all stay open and never come again, as
//! the kernel counts it, beside the budget; 100,000 of them, or NUMBER.

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
mod rollouts;
#[path = "../support/mod.rs"]
mod support;

use std::time::Instant;

use support::arguments;
use support::table::{Rounds, header, line, median};
use veilspan::reduce::{Facts, derive};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Each size is ten times the one before.
const FIRST: u64 = 10_000;

fn main() {
    let rounds = arguments::rounds(7);
    header("reduce", rounds);
    let only = arguments::named("--only");
    let is_wanted = |part: &str| only.as_deref().is_none_or(|only| only == part);
    if is_wanted("bundle") {
        of_bundle(rounds);
    }
    if is_wanted("events") {
        let largest = arguments::named("--events").map_or(1_000_000, |number| number.parse().unwrap());
        of_sizes(rounds, largest);
    }
    if is_wanted("rollouts") {
        let number = arguments::named("--rollouts").map_or(100_000, |number| number.parse().unwrap());
        let (held, budget) = rollouts::open(number);
        let mebibytes = |bytes: usize| vec![bytes as f64 / f64::from(1 << 20)];
        // Beside the budget: the newest spans of tenants, and what the allocator has not given back.
        line(&format!("{number} open rollouts / the budget, MiB"), &mebibytes(held), &mebibytes(budget), Some(1.25));
    }
}

fn of_bundle(rounds: usize) {
    let written = bundle::write();
    let (mut ours, mut peer) = (Rounds::new(), Rounds::new());
    for _ in 0..rounds {
        ours.push(seconds(|| bundle::reduce(written.path())));
        peer.push(seconds(|| bundle::parse(written.path())));
    }
    line("bundle to graph / serde_json::Value alone, s", &ours, &peer, Some(1.0));
}

fn of_sizes(rounds: usize, largest: u64) {
    let sizes = std::iter::successors(Some(FIRST), |size| size.checked_mul(10)).take_while(|size| *size <= largest);
    // The first use of memory is no event's.
    of_events(FIRST);
    let mut first: Option<Rounds> = None;
    let mut whole = Vec::new();
    for size in sizes {
        // Each size costs about as long as the others.
        let rounds = if size > 100_000 { rounds.min(3) } else { rounds };
        let parts: Vec<[f64; 3]> = (0..rounds).map(|_| of_events(size)).collect();
        let [absorbed, derived, held]: [Rounds; 3] =
            [0, 1, 2].map(|which| parts.iter().map(|part| part[which]).collect());
        let each: Rounds = absorbed.iter().zip(&derived).map(|(absorbed, derived)| absorbed + derived).collect();
        eprintln!(
            "# {size} events: {:.2} million a second; {:.0} ns to absorb one, {:.0} to derive; {:.1} bytes held",
            1e3 / median(&each),
            median(&absorbed),
            median(&derived),
            median(&held)
        );
        whole.push((size, median(&each) * size as f64));
        let base = first.get_or_insert_with(|| each.clone());
        line(&format!("an event of {size} / of {FIRST}, ns"), &each, base, Some(1.2));
        // Two million a second on one core.
        line(&format!("an event of {size} / 500 ns, ns"), &each, &vec![500.0; each.len()], Some(1.0));
    }
    if let (Some((few, first)), Some((many, last))) = (whole.first(), whole.last())
        && few < many
    {
        let slope = (last / first).ln() / (*many as f64 / *few as f64).ln();
        line(&format!("slope from {few} to {many} / linear"), &vec![slope], &vec![1.0], Some(1.05));
    }
}

/// Nanoseconds for an event, from decoded events to facts, and from facts to graphs, and the bytes held for it.
fn of_events(size: u64) -> [f64; 3] {
    let mut spent = 0f64;
    let mut facts = Facts::default();
    // Made in portions, so that what is measured is not the memory that events take.
    for portion in 0..size / FIRST {
        let events = events::portion(portion);
        spent += seconds(|| {
            for event in &events {
                facts.absorb(event);
            }
        });
    }
    let derived = seconds(|| {
        for rollout in facts.rollouts() {
            std::hint::black_box(derive(rollout));
        }
    });
    [spent * 1e9 / size as f64, derived * 1e9 / size as f64, facts.bytes() as f64 / size as f64]
}

fn seconds<T>(work: impl FnOnce() -> T) -> f64 {
    let started = Instant::now();
    std::hint::black_box(work());
    started.elapsed().as_secs_f64()
}
