//! Every rule in `tests/conformance/*.md` has a test that begins with its id, and every such test has its rule.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::print_stdout)]

use std::collections::BTreeSet;
use std::path::Path;

const RULES: [&str; 6] = [
    include_str!("conformance/recorder.md"),
    include_str!("conformance/leaks.md"),
    include_str!("conformance/lifecycle.md"),
    include_str!("conformance/reduction.md"),
    include_str!("conformance/replay.md"),
    include_str!("conformance/transcripts.md"),
];

/// `r01`, `a33`, `reduction_b27`: a letter and two digits, `reduction_` before it where the letter alone is taken.
fn is_id(word: &str) -> bool {
    let word = word.strip_prefix("reduction_").unwrap_or(word);
    matches!(word.as_bytes(), [b'r' | b'a' | b'b' | b'c' | b'l' | b't', tens, ones] if tens.is_ascii_digit() && ones.is_ascii_digit())
}

fn listed() -> BTreeSet<String> {
    let rules = RULES.iter().flat_map(|list| list.lines()).filter(|line| line.starts_with("- `"));
    rules.flat_map(|line| line.split('`')).filter(|word| is_id(word)).map(str::to_owned).collect()
}

/// The ids at the beginning of a test's name.
fn ids_of(name: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut rest = name;
    let mut prefix = "";
    while let Some((word, after)) = rest.split_once('_') {
        match word {
            "reduction" => prefix = "reduction_",
            "and" if !ids.is_empty() => prefix = "",
            _ if is_id(word) => ids.push(format!("{prefix}{word}")),
            _ => break,
        }
        rest = after;
    }
    ids
}

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn proven() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("tests"), &mut files);
    let mut proven = BTreeSet::new();
    for file in &files {
        let mut is_test = false;
        for line in file.lines().map(str::trim) {
            match line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ") {
                Some(name) if is_test => {
                    proven.extend(ids_of(name.split('(').next().unwrap()));
                    is_test = false;
                }
                _ => {
                    is_test = line.starts_with("#[test]")
                        || line.starts_with("#[tokio::test")
                        || (is_test && line.starts_with('#'))
                }
            }
        }
    }
    proven
}

fn main() {
    let (listed, proven) = (listed(), proven());
    let unproven: Vec<_> = listed.difference(&proven).collect();
    let unlisted: Vec<_> = proven.difference(&listed).collect();
    println!("conformance: {} of {}", listed.len() - unproven.len(), listed.len());
    assert!(unproven.is_empty(), "rules without a test: {unproven:?}");
    assert!(unlisted.is_empty(), "tests of rules that are not listed: {unlisted:?}");
    assert!(listed.len() > 100, "the lists were read");
}
