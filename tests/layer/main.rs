//! What the layer promises: GenAI spans become our calls, veiled, once, with the right parents, beside any other layer.
#![cfg(feature = "opentelemetry")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

#[path = "../support/mod.rs"]
mod support;

mod aliases;
mod amounts;
mod beside;
mod by_hand;
mod inside;
mod odd;
mod rig;
mod spans;
mod stack;
mod told;
mod unfiltered;
