//! Reduction as its callers see it: events in; `state.json`, trees and effects out.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, missing_docs, unreachable_pub)]

mod apart;
mod bounds;
mod closing;
mod ends;
mod events;
mod generations;
mod graph;
mod join;
mod lifecycle;
mod lost;
mod others;
mod outcomes;
mod over_otlp;
mod proto;
#[path = "../support/records.rs"]
#[allow(dead_code)]
mod records;
mod sound;
mod tangled;
mod text;
