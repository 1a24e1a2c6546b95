//! Reduction and comparison in an `SdkTracerProvider`.

#![cfg(feature = "sdk")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod as_in_a_stage;
mod build;
mod promises;
mod replayed;
