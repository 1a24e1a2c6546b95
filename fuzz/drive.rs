//! Drives the targets without a fuzzer: `drive SECONDS` for each of them, on inputs put together from a seed's pieces and
//! changed at random. Built with `panic = "abort"` a panic anywhere, also in a destructor, is the end.

#[path = "../tests/hostile/targets.rs"]
mod targets;

use std::process::ExitCode;
use std::time::{Duration, Instant};

const SEEDS: &[&str] = &[
    r#"{"messages":[{"role":"user","content":[{"type":"text","text":"password=hunter22"}]}],"tools":[{"name":"t"}]}"#,
    r#"{"a":"\ud83d\ude00\ud800","n":[1e400,-0,9007199254740993,1.5],"deep":[[[[[[{"k":null}]]]]]]}"#,
    "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl +49 151 23456789 a@b.example DE89370400440532013000",
    "eyJwYXNzd29yZCI6Imh1bnRlcjIyIn0= %7B%22k%22%3A%22v%22%7D -----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
    r#" [{"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":{"a":1.50,"a":[-0,"\u0061\/"]}}]},"x"]"#,
    "\u{a}\u{1f}\u{12}\u{1d}\u{12}\u{1b}\u{a}\u{10}0123456789abcdef\u{12}\u{8}01234567\u{2a}\u{1}x",
    "\u{2}\0$0123456789abcdef01234567\u{12}\u{a}\u{2a}\u{8}the name\u{3}\0$0123456789abcdef01234567\u{12}\u{a}\u{2a}\u{8}the name",
    "receivers: {otlp: {protocols: {http: {endpoint: \"127.0.0.1:0\"}}}}\nexporters: {otlp: {endpoint: \"${env:A}\"}}\nservice: {pipelines: {traces: {receivers: [otlp], exporters: [otlp]}}}\n",
    "rules:\n  - name: x\n    pattern: '(a|b)+c{2,9}'\n    keywords: [a]\n",
];

/// Numbers that look drawn, the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % end.max(1)
    }
}

fn input(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..=numbers.below(3) {
        let seed = SEEDS[numbers.below(SEEDS.len())].as_bytes();
        let from = numbers.below(seed.len());
        bytes.extend_from_slice(&seed[from..from + numbers.below(seed.len() - from + 1)]);
    }
    for _ in 0..numbers.below(8) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(4) {
            0 => bytes.insert(at, u8::try_from(numbers.below(256)).unwrap_or_default()),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
            _ => {
                let piece = bytes[at..].iter().take(numbers.below(40)).copied().collect::<Vec<_>>();
                let piece = piece.repeat(numbers.below(30));
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

fn main() -> ExitCode {
    let Some(seconds) = std::env::args().nth(1).and_then(|seconds| seconds.parse().ok()) else {
        eprintln!("usage: drive SECONDS");
        return ExitCode::from(64);
    };
    for (name, target) in targets::TARGETS {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let until = Instant::now() + Duration::from_secs(seconds);
        let mut count = 0_u64;
        while Instant::now() < until {
            target(&input(&mut numbers));
            count += 1;
        }
        println!("{name}\t{count}");
    }
    ExitCode::SUCCESS
}
