//! What holding two runs against each other costs: `cargo bench --bench align [-- ROUNDS]`.
//!
//! Each comparison is a line `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target` on standard output, in milliseconds: the
//! difference of two runs of 100,000 steps beside one pass over both that hashes what is compared of each step.
#![allow(dead_code, unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

#[path = "../support/arguments.rs"]
mod arguments;
mod runs;
#[path = "../support/table.rs"]
mod table;

use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::time::Instant;

use rustc_hash::FxHasher;
use veilspan::replay::{Run, Siblings, Told, diff};

/// The command's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const STEPS: u64 = 100_000;

fn main() {
    let rounds = arguments::rounds(9);
    table::header("align", rounds);
    let base = runs::run(STEPS, 0);
    for (name, differences, target) in [("100 differences", 100, Some(10.0)), ("1,000 differences", 1_000, None)] {
        compare(name, &base, &runs::run(STEPS, differences), differences, target, rounds);
    }
    compare("against itself", &base, &runs::run(STEPS, 0), 0, Some(10.0), rounds);
    compare("nothing in common", &base, &runs::run(STEPS, STEPS), STEPS, None, rounds.min(3));
}

fn compare(name: &str, base: &Run, other: &Run, differences: u64, target: Option<f64>, rounds: usize) {
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let started = Instant::now();
        let report = black_box(diff(black_box(base), black_box(other)));
        ours.push(milliseconds(started));
        let found = report.differences.len() as u64;
        assert!(found >= differences.min(1) && (differences == STEPS || found <= 3 * differences), "{name}: {found}");
        let started = Instant::now();
        let mut hasher = FxHasher::default();
        for run in [base, other] {
            pass(black_box(&run.steps), &mut hasher);
        }
        black_box(hasher.finish());
        peer.push(milliseconds(started));
    }
    table::line(name, &ours, &peer, target);
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

fn pass(level: &[Siblings], hasher: &mut FxHasher) {
    for step in level.iter().flat_map(|group| &group.steps) {
        step.kind.hash(hasher);
        for (field, told) in &step.fields {
            field.hash(hasher);
            match told {
                Told::Digest(digest) => digest.hash(hasher),
                Told::Digests(digests) => digests.hash(hasher),
                Told::Label(label) => label.hash(hasher),
                Told::Labels(labels) => labels.hash(hasher),
                Told::Int(number) => number.hash(hasher),
                Told::Double(number) => number.to_bits().hash(hasher),
                Told::Bool(flag) => flag.hash(hasher),
            }
        }
        pass(&step.below, hasher);
    }
}
