//! `veilspan collector validate`, on every configuration that we show.
#![cfg(feature = "cli")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn veilspan(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_veilspan"));
    command.args(["collector"]).args(arguments).env_clear().envs(variables.iter().copied()).output().unwrap()
}

fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut found = Vec::new();
    for folder in ["collector", "collector/scale-out", "deploy"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            // Those of other programs stand beside ours.
            if text.contains("veilspan collector --config") && !text.contains("apiVersion:") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_example_is_valid() {
    let found = examples();
    assert!(found.len() >= 4, "{found:?}");
    for file in found {
        let output = veilspan(&["validate", file.to_str().unwrap()], &[("STAGE_TOKEN", "0123456789abcdef")]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{}: {said}", file.display());
        assert!(output.stdout.is_empty() && said.contains("the configuration can be used"), "{said}");
    }
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_no_value_and_nothing_starts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("wrong.yaml");
    let wrong = "receivers:\n  otlp:\n    protocols: {grpc: {endpoint: \"127.0.0.1:0\"}}\n\
         exporters:\n  otlp:\n    endpoint: canary://127.0.0.1:1\n\
         service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n";
    std::fs::write(&file, wrong).unwrap();
    for arguments in [["validate", file.to_str().unwrap()], ["--config", file.to_str().unwrap()]] {
        let output = veilspan(&arguments, &[]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(65), "{said}");
        assert!(said.contains("line 6: exporters.otlp.endpoint: expected"), "{said}");
        assert!(!said.contains("canary"), "{said}");
    }
    let missing = veilspan(&["validate", "/nowhere/at/all.yaml"], &[]);
    assert_eq!(missing.status.code(), Some(65));
    assert_eq!(veilspan(&["validate"], &[]).status.code(), Some(64));
}
