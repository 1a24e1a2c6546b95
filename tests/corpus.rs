//! What the detectors find in a labelled corpus, and what they leave alone.
//!
//! `tests/corpus/*.jsonl` has lines of `{"text": …, "hits": [{"rule": …, "text": …}]}`, hits from left to right; a sign § is
//! taken out of every line (see `tests/corpus/generate.py`). A hit counts as found if exactly its bytes were found under its
//! rule. Run with `--nocapture` for the table.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use veilspan::privacy::Detectors;

#[derive(Deserialize)]
struct Line {
    text: String,
    hits: Vec<Label>,
}

#[derive(Deserialize)]
struct Label {
    rule: String,
    text: String,
}

#[derive(Clone, Copy, Default)]
struct Score {
    found: usize,
    in_vain: usize,
    missed: usize,
}

impl Score {
    fn precision(self) -> f64 {
        ratio(self.found, self.found + self.in_vain)
    }

    fn recall(self) -> f64 {
        ratio(self.found, self.found + self.missed)
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

fn lines() -> Vec<Line> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "jsonl") {
            let text = std::fs::read_to_string(path).unwrap().replace('§', "");
            lines.extend(text.lines().map(|line| serde_json::from_str::<Line>(line).unwrap()));
        }
    }
    lines
}

fn labelled(line: &Line) -> Vec<(String, Range<usize>)> {
    let mut from = 0;
    let place = |label: &Label| {
        let start = from + line.text[from..].find(&label.text).expect("a label stands in its text");
        from = start + label.text.len();
        (label.rule.clone(), start..from)
    };
    line.hits.iter().map(place).collect()
}

#[test]
fn the_corpus_is_as_large_as_it_has_to_be() {
    let lines = lines();
    let positives: usize = lines.iter().map(|line| line.hits.len()).sum();
    let negatives = lines.iter().filter(|line| line.hits.is_empty()).count();
    assert!(positives >= 600 && negatives >= 2000, "{positives} positives, {negatives} negatives");
}

#[test]
fn the_detectors_find_what_is_labelled_and_nothing_else() {
    let detectors = Detectors::default_set();
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    for line in lines() {
        let labelled = labelled(&line);
        let found: Vec<_> =
            detectors.find(&line.text).into_iter().map(|hit| (hit.rule.to_string(), hit.range)).collect();
        for label in &labelled {
            let score = scores.entry(label.0.clone()).or_default();
            if found.contains(label) {
                score.found += 1;
            } else {
                score.missed += 1;
                wrong.push(format!("missed {} {:?} in {:?}", label.0, &line.text[label.1.clone()], line.text));
            }
        }
        for hit in found.iter().filter(|hit| !labelled.contains(hit)) {
            scores.entry(hit.0.clone()).or_default().in_vain += 1;
            wrong.push(format!("in vain {} {:?} in {:?}", hit.0, &line.text[hit.1.clone()], line.text));
        }
        assert_eq!(detectors.hits(&line.text), !found.is_empty());
    }
    let all = scores.values().fold(Score::default(), |sum, score| Score {
        found: sum.found + score.found,
        in_vain: sum.in_vain + score.in_vain,
        missed: sum.missed + score.missed,
    });
    println!("rule\tfound\tin vain\tmissed\tprecision\trecall");
    for (rule, score) in scores.iter().map(|(rule, score)| (rule.as_str(), score)).chain([("all", &all)]) {
        let Score { found, in_vain, missed } = score;
        println!("{rule}\t{found}\t{in_vain}\t{missed}\t{:.3}\t{:.3}", score.precision(), score.recall());
    }
    println!("{}", wrong.join("\n"));
    assert!(all.precision() >= 0.99 && all.recall() >= 0.99, "over all: {:.4} {:.4}", all.precision(), all.recall());
    for (rule, score) in &scores {
        assert!(score.precision() >= 0.95 && score.recall() >= 0.95, "{rule}");
    }
}

#[test]
fn nothing_that_is_labelled_stands_in_the_masked_text() {
    let detectors = Detectors::default_set();
    for line in lines() {
        let masked = detectors.mask(&line.text);
        let found: Vec<_> = detectors.find(&line.text).into_iter().map(|hit| hit.range).collect();
        for (label, place) in line.hits.iter().zip(labelled(&line)) {
            // A short one may be part of what stays, as `app` is of `apple`; what was found was replaced.
            let is_found = found.contains(&place.1) && label.text.len() >= 12;
            assert!(!is_found || !masked.contains(&label.text), "{} in {:?}", label.rule, line.text);
        }
        assert_eq!(detectors.mask(&masked), masked, "masking again changes nothing");
    }
}
