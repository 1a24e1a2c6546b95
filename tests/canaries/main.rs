//! Nothing that a caller says leaves the process but what the policy lets leave, where the table of classes says so: planted
//! texts go in by every way in, at every level and for every class, and are looked for at every way out, in every form.
#![cfg(all(feature = "import", feature = "sdk"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    unreachable_pub
)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(all(feature = "cli", unix))]
#[path = "../bundle/build.rs"]
#[allow(dead_code)]
mod bundle;
#[cfg(all(feature = "cli", unix))]
mod bundled;
#[cfg(all(feature = "cli", unix))]
mod cassette;
#[cfg(all(feature = "cli", unix))]
mod commands;
mod debug;
#[cfg(all(feature = "cli", unix))]
mod imported;
mod layered;
mod leaks;
mod listened;
mod policies;
mod printed;
mod process;
mod proof;
mod recorded;
mod restored;
#[cfg(all(feature = "cli", unix))]
#[path = "../support/runs.rs"]
mod runs;
mod scenario;
#[cfg(feature = "cli")]
#[path = "../import/script.rs"]
#[allow(dead_code)]
mod script;
mod staged;
mod trusted;
