//! What forwarding costs, beside a forwarder that decodes and one that never looks: `cargo bench --bench pass_through
//! [-- ROUNDS] [--only none|text|messages|reduce]`.
//!
//! Each comparison is a line `name<TAB>ours<TAB>peer<TAB>ratio<TAB>target` on standard output: seconds of processor time
//! of the forwarder's process for a million spans, and the median of the ratios of paired rounds; then the most memory that
//! the process had. `benches/README.md` says what is measured, and how.

#![allow(unreachable_pub)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod compare;
mod forward;
mod payload;
#[path = "../support/mod.rs"]
mod support;

// The peers decode into many small objects, freed on other threads: with glibc's allocator they would cost twice as much.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    compare::main("mimalloc");
}
