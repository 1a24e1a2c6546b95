//! The bundles of `tests/fixtures/bundles`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;
use veilspan::reduce::tree;

use super::build::*;

pub fn bundles() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/bundles");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

/// All types of records of the format.
const KINDS: [&str; 25] = [
    "agent_result_observed",
    "code_cell_ended",
    "code_cell_initial_response",
    "code_cell_started",
    "codex_turn_ended",
    "codex_turn_started",
    "compaction_installed",
    "compaction_request_completed",
    "compaction_request_failed",
    "compaction_request_started",
    "inference_cancelled",
    "inference_completed",
    "inference_failed",
    "inference_started",
    "mcp_tool_call_correlation_assigned",
    "other",
    "protocol_event_observed",
    "rollout_ended",
    "rollout_started",
    "thread_ended",
    "thread_started",
    "tool_call_ended",
    "tool_call_runtime_ended",
    "tool_call_runtime_started",
    "tool_call_started",
];

#[test]
fn every_kind_of_record_stands_in_a_bundle() {
    let mut seen = BTreeSet::new();
    for bundle in bundles() {
        let log = std::fs::read_to_string(bundle.join("trace.jsonl")).unwrap();
        for line in log.lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            seen.insert(record["payload"]["type"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(seen.iter().map(String::as_str).collect::<Vec<_>>(), KINDS);
}

#[test]
fn a_bundle_reduces_to_what_stands_beside_it() {
    for bundle in bundles() {
        let rollout = reduce(&read(&bundle));
        for (name, text) in [("expected.tree", tree(&rollout)), ("expected.json", rollout.serialise())] {
            stands_beside(&bundle.join(name), &text);
        }
    }
}

/// Holds a text against a file.
pub fn stands_beside(path: &Path, text: &str) {
    if bless() {
        std::fs::write(path, text).unwrap();
    }
    assert_eq!(text, std::fs::read_to_string(path).unwrap_or_default(), "{}", path.display());
}

/// Whether what stands beside the bundles is to be written anew.
#[allow(clippy::disallowed_methods)]
fn bless() -> bool {
    std::env::var_os("VEILSPAN_BLESS").is_some()
}
