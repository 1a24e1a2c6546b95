//! What two runs did otherwise: each run recorded by the public recorder, sent as OTLP bytes, read back and reduced.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[cfg(feature = "cli")]
mod aliases;
mod build;
mod causes;
#[cfg(feature = "cli")]
mod cli;
mod fields;
mod nested;
mod order;
mod verdicts;
mod wire;
