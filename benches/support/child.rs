//! This binary again, in another process: what a peer spends must not be charged to it by what surrounds it.
//!
//! A child says `ready <port>` when it listens, answers each line with `<cpu nanoseconds> <bytes at the peak> <spans>
//! <requests>`, and ends when its input does.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::cpu;

/// A child at work.
pub struct Child {
    process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    pub port: u16,
}

/// What a child has used and seen since it was started.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    pub cpu: u64,
    /// The most memory that it has had, in bytes.
    pub peak: u64,
    pub spans: u64,
    pub requests: u64,
}

impl Child {
    pub fn start(mode: &str, arguments: &[String]) -> Self {
        // Not `current_exe`, which under valgrind is valgrind.
        let myself = std::env::args_os().next().expect("the path of this binary");
        let mut process = Command::new(myself)
            .args(["--mode", mode])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child process");
        let input = process.stdin.take().expect("its input");
        let output = BufReader::new(process.stdout.take().expect("its output"));
        let mut child = Self { process, input, output, port: 0 };
        let [port] = child.numbers();
        child.port = port.try_into().expect("a port");
        child
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn report(&mut self) -> Report {
        self.ask("report")
    }

    /// Lets requests wait for their answer, or no longer.
    pub fn hold(&mut self, holds: bool) {
        self.ask(if holds { "hold" } else { "go on" });
    }

    fn ask(&mut self, what: &str) -> Report {
        writeln!(self.input, "{what}").expect("a child that lives");
        let [cpu, peak, spans, requests] = self.numbers();
        Report { cpu, peak, spans, requests }
    }

    fn numbers<const N: usize>(&mut self) -> [u64; N] {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a child that lives");
        let numbers: Vec<u64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        numbers.try_into().expect("an answer of a child")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Already gone is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a child counts.
#[derive(Default)]
pub struct Seen {
    pub spans: AtomicU64,
    pub requests: AtomicU64,
    /// Requests wait for their answer.
    pub holds: AtomicBool,
}

/// The child's side: says where it listens, then answers until its input ends.
pub fn answer(port: u16, seen: &Seen) {
    let mut output = std::io::stdout();
    writeln!(output, "ready {port}").expect("a parent");
    for line in std::io::stdin().lines() {
        let Ok(line) = line else { return };
        if line != "report" {
            seen.holds.store(line == "hold", Ordering::SeqCst);
        }
        let [spans, requests] = [&seen.spans, &seen.requests].map(|count| count.load(Ordering::SeqCst));
        if writeln!(output, "{} {} {spans} {requests}", cpu::process(), peak()).is_err() {
            return;
        }
    }
}

/// The most memory that this process has had; nothing where the system does not say.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kib =
        status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or_default() << 10
}
