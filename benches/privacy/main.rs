//! What privacy costs: digests beside `sha2` alone, and detectors beside a `RegexSet` of the same rules.
//!
//! A row of digests tells nanoseconds of processor time for one text, of ours and of SHA-256 over its bytes: a ratio below 1
//! is ours the faster. Arguments that are not written as RFC 8785 has them are hashed twice, since their exact bytes have a
//! digest of their own; their peer hashes once. A row of detectors tells megabytes for a second of processor time, so a ratio over 1 is ours the faster. The peer is `regex::RegexSet::matches`
//! (its engine, `regex_automata::meta`, with all patterns in one and memory for its states to spare): it tells which rules
//! have a match somewhere, and neither where, nor whether check digits, entropy and surroundings agree, nor what is encoded.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod digests;
#[path = "../support/mod.rs"]
mod support;

use std::hint::black_box;
use std::path::Path;

use regex_automata::meta::{self, Regex};
use regex_automata::util::syntax;
use regex_automata::{Input, MatchKind, PatternSet};
use support::cpu;
use support::table::{self, Rounds};
use veilspan::privacy::Detectors;

const ROUNDS: usize = 11;
/// Bytes that one round goes over, at least.
const BYTES: usize = 2 << 20;

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| name.contains(argument.as_str()));
    table::header("privacy", ROUNDS);
    digests::run(&wanted);
    let detectors = Detectors::default_set();
    let set = regex_set(&detectors);
    for (name, target, text) in [
        ("detectors, prose without hits / RegexSet", Some(2.0), prose()),
        ("detectors, source code with near misses / RegexSet", Some(1.5), source_code(&detectors)),
        ("detectors, JSON in JSON / RegexSet", None, nested(&source_code(&detectors))),
        ("detectors, base64 of text / RegexSet", None, base64_lines()),
    ] {
        if wanted(name) {
            assert!(!detectors.hits(&text), "{name}: {:?}", detectors.find(&text).first());
            compare(name, target, &[text.as_str()], &detectors, &set);
            let allocated = allocation_counter::measure(|| drop(detectors.mask(&text)));
            println!("{name}, allocations\t{}\t\t\t", allocated.count_total);
        }
    }
    let name = "detectors, ids one by one / RegexSet";
    if wanted(name) {
        let ids = ids(&detectors);
        compare(name, None, &ids.iter().map(String::as_str).collect::<Vec<_>>(), &detectors, &set);
    }
}

fn compare(name: &str, target: Option<f64>, texts: &[&str], detectors: &Detectors, set: &Regex) {
    let (mut ours, mut theirs) = (Rounds::new(), Rounds::new());
    let mut matched = PatternSet::new(set.pattern_len());
    let bytes: usize = texts.iter().map(|text| text.len()).sum();
    let speed = |work: &mut dyn FnMut()| {
        // A long text, of which the peer takes a second for a megabyte, is gone over once.
        let times = if bytes <= 300 << 10 && target.is_some() { BYTES.div_ceil(bytes) } else { 1 };
        let started = cpu::thread();
        for _ in 0..times {
            work();
        }
        (times * bytes) as f64 / (cpu::thread() - started) as f64 * 1e3
    };
    for round in 0..=ROUNDS {
        let our = speed(&mut || {
            texts.iter().for_each(|text| drop(black_box(detectors.mask(black_box(text)))));
        });
        let their = speed(&mut || {
            for text in texts {
                matched.clear();
                set.which_overlapping_matches(&Input::new(black_box(text)), &mut matched);
                black_box(matched.len());
            }
        });
        // The first compiles patterns and fills caches.
        if round > 0 {
            ours.push(our);
            theirs.push(their);
        }
    }
    table::line(name, &ours, &theirs, target);
}

/// Ids as calls have them, each a text of its own: what is asked of every label that has not been seen before.
fn ids(detectors: &Detectors) -> Vec<String> {
    const HEX: &[u8] = b"0123456789abcdef";
    const ALL: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut state = 1_u64;
    let mut digits = |from: &[u8], length: usize| -> String {
        let mut digit = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(from[(state >> 33) as usize % from.len()])
        };
        (0..length).map(|_| digit()).collect()
    };
    let mut ids = Vec::new();
    for _ in 0..200 {
        ids.push(format!("chatcmpl-{}", digits(ALL, 29)));
        ids.push(format!("call_{}", digits(ALL, 24)));
        ids.push(format!("msg_01{}", digits(ALL, 22)));
        ids.push([8, 4, 4, 4, 12].map(|length| digits(HEX, length)).join("-"));
        ids.push([32, 16].map(|length| digits(HEX, length)).join("-"));
    }
    // Some look like a key or a number.
    ids.retain(|id| !detectors.hits(id));
    ids
}

fn regex_set(detectors: &Detectors) -> Regex {
    let patterns: Vec<&str> = detectors.patterns().collect();
    Regex::builder()
        .syntax(syntax::Config::new().unicode(false).utf8(false))
        .configure(
            meta::Config::new()
                .match_kind(MatchKind::All)
                .utf8_empty(false)
                .nfa_size_limit(Some(64 << 20))
                .hybrid_cache_capacity(64 << 20),
        )
        .build_many(&patterns)
        .expect("the rules compile as one")
}

/// English without digits, as chat has it.
fn prose() -> String {
    const WORDS: &str = "the service answers when it has read whole requests and no earlier than that because a caller \
        who waits would rather know at once what went wrong than be told a story about it later so we wrote down what we \
        saw on every machine during the first week and compared it with what people had said would happen which was not \
        the same thing at all although most of them had been quite sure before we asked anyone about details of their \
        work or looked into the archive where older reports are kept in order of arrival";
    let words: Vec<&str> = WORDS.split_whitespace().collect();
    let mut text = String::new();
    let mut state = 1_u32;
    while text.len() < 256 << 10 {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        text.push_str(words[(state >> 8) as usize % words.len()]);
        text.push_str(match state >> 27 {
            0 => ".\n\n",
            1 => ". ",
            2 | 3 => ", ",
            _ => " ",
        });
    }
    text
}

/// The beginning of each of this crate's own sources: keys, tokens, secrets and digests by name all over, and none of them
/// there. Not all of each, since the peer takes seconds for a megabyte of it.
fn source_code(detectors: &Detectors) -> String {
    fn gather(folder: &Path, detectors: &Detectors, text: &mut String) {
        let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                gather(&path, detectors, text);
            } else if let Ok(source) = std::fs::read_to_string(&path)
                && !detectors.hits(&source)
            {
                text.push_str(&source[..source.floor_char_boundary(600)]);
            }
        }
    }
    let mut text = String::new();
    gather(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), detectors, &mut text);
    text
}

fn nested(text: &str) -> String {
    let inner = serde_json::json!({ "content": text }).to_string();
    serde_json::json!({ "arguments": inner }).to_string()
}

fn base64_lines() -> String {
    use base64::Engine;
    let prose = prose();
    let lines = prose.as_bytes()[..32 << 10].chunks(600).map(|chunk| base64::prelude::BASE64_STANDARD.encode(chunk));
    lines.collect::<Vec<_>>().join("\n\n")
}
