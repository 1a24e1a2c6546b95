//! Codex' rollout-trace bundles: a folder with `manifest.json`, `trace.jsonl` and payload files.
//!
//! Every generation of the format is read, all under `schema_version` 1: what a record does not say is absent, and a
//! record of an unknown type is kept as an event of an unknown kind. Records are taken in the order of `seq` within a
//! window of 4,096. What is odd (a broken or cut-off line, a payload that is missing or leads out of the folder, a field
//! of another type) becomes an event of kind [`Quarantined`](crate::event::Kind::Quarantined) with its place and reason,
//! and nothing else is lost with it.

mod agents;
mod bodies;
mod cells;
mod compactions;
mod folder;
mod inferences;
mod items;
mod known;
mod lines;
mod lists;
mod mapper;
mod order;
mod quarantine;
mod reader;
mod record;
mod repeated;
mod talk;
mod terminals;
mod tools;

use super::ids;

pub use bodies::Form;
pub use ids::TracePer;
pub use quarantine::{Place, Quarantined, Reason};
pub use reader::{BundleError, BundleReader};
