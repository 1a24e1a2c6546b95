//! The targets, on inputs that are made up from pieces of what they know.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::targets::{TARGETS, Target};

/// What the targets have rules for, whole and broken.
const PIECES: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    "\"",
    "\\",
    "\\\"",
    "\\u",
    "\\ud800",
    "\\udc00",
    "\\ud83d\\ude00",
    "%",
    "%22",
    "%5C",
    "\n",
    "\r",
    "\0",
    " ",
    "\t",
    "true",
    "null",
    "1",
    "-0",
    "1e400",
    "9007199254740993",
    "1.5",
    "\"role\"",
    "\"content\"",
    "\"messages\"",
    "\"user\"",
    "\"parts\"",
    "\"type\"",
    "\"text\"",
    "\"tool_calls\"",
    "\"tool_result\"",
    "\"input\"",
    "\"data\"",
    "\"arguments\"",
    "\"image_url\"",
    "password=",
    "password: ",
    "my password's ",
    "token",
    "api_key",
    "sk-",
    "sk-ant-api03-",
    "AKIA",
    "ghp_",
    "eyJhbGciOiJIUzI1NiJ9.",
    "-----BEGIN PRIVATE KEY-----",
    "-----END PRIVATE KEY-----",
    "://a:b@",
    "@example.com",
    "a@b.c",
    "+49 151 ",
    "4111111111111111",
    "DE89370400440532013000",
    "Bearer ",
    "Basic ",
    "Cookie: a=",
    "[redacted:",
    "[redacted:email]",
    "]",
    "…",
    "é",
    "日本",
    "👩‍👩‍👧",
    "\u{feff}",
    "IDw/",
    "YWJjZGVmZ2hpamtsbW5vcA==",
    "aaaaaaaaaaaaaaaaaaaaaaaa",
    "0123456789",
    "requirepass ",
    "from ",
    "to ",
    "is ",
    "\x0a\x05",
    "\x12\x07",
    "\x7f",
    "rules:",
    "  - name: ",
    "pattern: ",
    "(",
    ")+",
    "{1000}",
    "*",
    // A configuration.
    "receivers: {otlp: {protocols: {http: {endpoint: \"127.0.0.1:0\"}}}}\n",
    "exporters: {otlp: {endpoint: \"http://127.0.0.1:1\", headers: {a: b}}}\n",
    "service: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]",
    ", processors: [",
    "}}}\n",
    "${env:",
    "a: &a ",
    "<<: *a",
    // Records of a spool: the opening of a call, its end, a new segment.
    "\x02\0$0123456789abcdef01234567\x12\x0a\x2a\x08the name",
    "\x03\0$0123456789abcdef01234567\x12\x0a\x2a\x08the name",
    "\x05\0\0",
];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        12 => select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        2 => proptest::collection::vec(any::<u8>(), 0..12),
        1 => (select(PIECES), 1usize..200).prop_map(|(piece, count)| piece.repeat(count).into_bytes()),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn drive(name: &str, target: Target) {
    let seconds = std::env::var("VEILSPAN_FUZZ_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    loop {
        let config = Config { cases: 128, failure_persistence: None, ..Config::default() };
        let driven = TestRunner::new(config).run(&input(), |bytes| {
            target(&bytes);
            Ok(())
        });
        driven.unwrap_or_else(|failure| panic!("{name}: {failure}"));
        if until.is_none_or(|until| Instant::now() >= until) {
            return;
        }
    }
}

macro_rules! driven {
    ($($test:ident: $name:literal;)*) => {$(
        #[test]
        fn $test() {
            let (name, target) = TARGETS.into_iter().find(|(name, _)| *name == $name).unwrap();
            drive(name, target);
        }
    )*};
}

driven! {
    no_bytes_break_the_detectors: "detect";
    no_bytes_break_the_canonical_form: "canonical";
    no_bytes_break_the_readers_of_providers_json: "shapes";
    no_bytes_are_told_otherwise_than_serde_json_reads_them: "json";
    no_bytes_break_the_recorder: "record";
    no_bytes_break_the_stage: "stage";
    no_bytes_are_read_otherwise_than_prost_reads_them: "walk_vs_prost";
    no_bytes_break_the_reader_of_rules: "rules";
    no_bytes_mean_more_than_the_default: "environment";
    no_bytes_in_a_spool_wait_for_ever_or_are_told_twice: "spool";
    no_bytes_are_left_without_an_answer: "listener";
    no_bytes_break_the_reader_of_configurations: "config";
}
