//! `veilspan hook`: one hook event of a coding agent, veiled and kept for an import.
//!
//! Reads stdin, appends one line to a private journal, prints nothing and always succeeds: whatever goes wrong here is no
//! concern of the agent. Starts no runtime, no thread and no log.

use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use super::sessions::{append, hidden_name, make_folder, sent_up_to, state_folder, unix_now};
use crate::environment::{Environment, Setting, Warning};
use crate::import::hook;

/// The largest payload that is read, in bytes.
const MAX_PAYLOAD: u64 = 16 << 20;
/// A journal does not grow beyond this, in bytes.
const MAX_JOURNAL: u64 = 64 << 20;
/// A journal that nobody has written for so long is removed.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The most milliseconds that a hook may wait.
const LONGEST: u64 = 600_000;
/// How often it is looked whether what it waits for was sent.
const PAUSE: Duration = Duration::from_millis(20);

/// Keep one hook event of a coding agent, from stdin.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Whose hook it is.
    #[arg(long, value_enum)]
    source: Source,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Source {
    ClaudeCode,
    Codex,
}

/// Whether the command line calls a hook: then it succeeds, whatever else it says.
pub(super) fn is_called(arguments: &[OsString]) -> bool {
    arguments.get(1).is_some_and(|command| command == "hook")
        && !arguments.iter().any(|argument| argument == "--help" || argument == "-h")
}

/// Keeps the event, if it can.
pub(super) fn run() {
    let mut payload = Vec::new();
    let read = std::io::stdin().lock().take(MAX_PAYLOAD + 1).read_to_end(&mut payload);
    if read.is_ok() && payload.len() as u64 <= MAX_PAYLOAD {
        _ = keep(&payload);
    }
    crate::event::wipe(&mut payload);
}

fn keep(payload: &[u8]) -> Option<()> {
    let policy = super::policy();
    let fact = hook::read(payload, None, unix_now(), &policy)?;
    let environment = Environment::from_process();
    let folder = state_folder(&environment)?.join("hooks");
    make_folder(&folder).ok()?;
    if fact.hook == hook::Hook::SessionStart {
        forget_old(&folder);
    }
    let path = folder.join(format!("{}.jsonl", hidden_name("hooks", &fact.session)));
    if std::fs::symlink_metadata(&path).is_ok_and(|found| found.len() > MAX_JOURNAL) {
        return None;
    }
    let mut line = serde_json::to_vec(&fact).ok()?;
    line.push(b'\n');
    // One write, so that hooks that run at once do not mix their lines.
    append(&path, &line).ok()?;
    if matches!(fact.hook, hook::Hook::Stop | hook::Hook::StopFailure | hook::Hook::SessionEnd) {
        wait(&path, fact.time_unix_nano, patience(&environment).0);
    }
    Some(())
}

/// How long an end is waited for to be sent: `VEILSPAN_HOOK_BLOCK_MS`.
pub(super) fn patience(environment: &Environment) -> (Duration, Option<Warning>) {
    const NAME: &str = "VEILSPAN_HOOK_BLOCK_MS";
    let value = match environment.get(NAME) {
        Setting::Unset => return (Duration::ZERO, None),
        Setting::Set(value) => value.trim(),
        Setting::NotUnicode => "",
    };
    match value.parse() {
        Ok(millis) if millis <= LONGEST => (Duration::from_millis(millis), None),
        _ => (
            Duration::ZERO,
            Some(Warning::new(NAME, value, "no number of milliseconds up to 600000; a hook waits for nothing")),
        ),
    }
}

/// Waits until whoever follows the session has sent all that its hooks told up to this time.
fn wait(journal: &Path, told: u64, patience: Duration) {
    let until = Instant::now() + patience;
    while Instant::now() < until && sent_up_to(journal).is_none_or(|sent| sent < told) {
        std::thread::sleep(PAUSE);
    }
}

fn forget_old(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|found| found.modified()).ok().and_then(|modified| modified.elapsed().ok());
        if age.is_some_and(|age| age > KEPT) {
            _ = std::fs::remove_file(entry.path());
        }
    }
}
