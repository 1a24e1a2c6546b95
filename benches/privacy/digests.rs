//! Digests of form `c1` beside `sha2` alone.

use std::hint::black_box;

use serde_json::json;
use sha2::{Digest, Sha256};
use veilspan::privacy::c1::{Hasher, arguments, digest};

use super::ROUNDS;
use super::support::cpu;
use super::support::table::{self, Rounds};

/// Bytes that one round goes over, at least.
const BYTES: usize = 8 << 20;

const TEXT: f64 = 1.15;
const ARGUMENTS: f64 = 1.6;

pub(crate) fn run(wanted: &dyn Fn(&str) -> bool) {
    let hasher = Hasher::sha256();
    let prose = super::prose();
    let text = |name, length: usize| {
        if wanted(name) {
            compare(name, Some(TEXT), &prose[..length], &|text| {
                black_box(digest::text(&hasher, text));
            });
        }
    };
    text("digest, text of 256 B / sha2", 256);
    text("digest, text of 6 KiB / sha2", 6 << 10);
    text("digest, text of 200 KiB / sha2", 200 << 10);
    let tool = |name, target, given: &str| {
        if wanted(name) {
            compare(name, target, given, &|given| {
                black_box(arguments(&hasher, given));
            });
        }
    };
    tool("digest, arguments of a file's edit / sha2", Some(ARGUMENTS), &edit());
    tool("digest, arguments of a search / sha2", Some(ARGUMENTS), &search().to_string());
    tool("digest, arguments of many numbers / sha2", None, &numbers());
    tool("digest, arguments in another order, with blanks / sha2", None, &spaced());
}

fn compare(name: &str, target: Option<f64>, text: &str, ours_of: &dyn Fn(&str)) {
    let (mut ours, mut theirs) = (Rounds::new(), Rounds::new());
    let times = BYTES.div_ceil(text.len());
    let nanoseconds = |work: &dyn Fn(&str)| {
        let started = cpu::thread();
        (0..times).for_each(|_| work(black_box(text)));
        (cpu::thread() - started) as f64 / times as f64
    };
    for round in 0..=ROUNDS {
        let our = nanoseconds(ours_of);
        let their = nanoseconds(&|text| {
            black_box(Sha256::digest(text));
        });
        if round > 0 {
            ours.push(our);
            theirs.push(their);
        }
    }
    table::line(name, &ours, &theirs, target);
    let allocated = allocation_counter::measure(|| ours_of(text));
    println!("{name}, allocations\t{}\t\t\t", allocated.count_total);
}

/// What agents hand over most: a path, and source code with its escapes.
fn edit() -> String {
    let code = include_str!("main.rs");
    json!({ "new_string": &code[..3000], "old_string": &code[..1500], "path": "/srv/app/src/privacy/main.rs" })
        .to_string()
}

/// Short members of every type, in order.
fn search() -> serde_json::Value {
    json!({
        "case_sensitive": false, "context": 3, "exclude": ["target/**", "node_modules/**", "*.min.js"],
        "include": ["src/**/*.rs", "tests/**/*.rs"], "limit": 200, "query": "fn digest\\(", "regex": true,
        "root": "/home/user/projects/service", "sort": { "by": "path", "descending": false },
    })
}

/// A tool's arguments of nothing but tokens.
fn numbers() -> String {
    let rows: Vec<_> =
        (0..200).map(|row| json!({ "id": row, "x": f64::from(row) * 0.25, "y": row * 7 % 31 })).collect();
    json!({ "points": rows }).to_string()
}

/// As Python writes it: blanks behind commas and colons, members as they come.
fn spaced() -> String {
    let search = search().to_string().replace("\":", "\": ").replace(",\"", ", \"");
    format!("{{\"zone\": 1, \"arguments\": {search}}}")
}
