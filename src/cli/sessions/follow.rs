//! Session files that still grow.
//!
//! Every [`PAUSE`] the files are looked at that grew of late, and every [`LOOK`] all of them: what was added is read, a file
//! that became shorter or was replaced is read from its beginning, and what has ended is sent once nothing can come late
//! any more. What is open when the command ends is not sent: the next import or the next following does it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::super::Failure;
use super::files::{Agent, Found, distinct};
use super::read::Taker;
use super::report::Report;
use super::send::{Wire, unix_now};
use crate::import::session::{Set, Told};

pub(in crate::cli) mod bundles;
mod claude;
mod codex;
mod journals;

const PAUSE: Duration = Duration::from_millis(300);
/// How often it is looked for new files, and at those that have not grown for long.
const LOOK: Duration = Duration::from_secs(3);

/// What follows the files of one agent.
trait Follower {
    /// Takes note of a file, or of how it is now.
    fn find(&mut self, file: Found, report: &mut Report);

    /// Reads what was added, at this time. `all`: of files that have not grown for long too.
    fn read(&mut self, all: bool, now: u64, out: &mut Out<'_, '_>) -> Result<(), Failure>;

    /// All that was told has arrived: says so to the hooks that wait for it.
    fn arrived(&mut self, now: u64, grace: u64);

    /// Nothing is read any more: what is open is counted.
    fn leave(&mut self, now: u64, grace: u64, out: &mut Out<'_, '_>) -> Result<(), Failure>;
}

/// Where what was read goes.
struct Out<'a, 'o> {
    wire: &'a mut Wire<'o>,
    report: Report,
}

impl Out<'_, '_> {
    fn drain(&mut self, told: impl Iterator<Item = Told>) -> Result<(), Failure> {
        for told in told {
            self.report.calls += u64::from(matches!(told, Told::Call(_)));
            self.wire.take(told)?;
        }
        Ok(())
    }
}

/// Follows what the arguments name until `stop`.
pub(in crate::cli) fn follow(
    agent: Agent,
    paths: &[&PathBuf],
    bundles: Vec<PathBuf>,
    set: &Set,
    wire: &mut Wire<'_>,
    stop: &AtomicBool,
) -> Result<Report, Failure> {
    let mut out = Out { wire, report: Report::default() };
    let mut followed: Box<dyn Follower> = match agent {
        Agent::Codex => Box::new(codex::Followed::new(set)),
        Agent::ClaudeCode => Box::new(claude::Followed::new(set)),
        Agent::Ouroboros => Box::new(journals::Followed::new(set)),
    };
    let mut bundles = bundles::Followed::new(set, bundles, &mut out.report);
    let mut files = resolve(agent, paths)?;
    let (mut looked, mut all) = (Instant::now(), true);
    loop {
        let is_last = stop.load(Ordering::Relaxed);
        all |= is_last;
        files.drain(..).for_each(|file| followed.find(file, &mut out.report));
        followed.read(all, unix_now(), &mut out)?;
        bundles.read(all, unix_now(), &mut out)?;
        if is_last {
            followed.leave(unix_now(), set.grace, &mut out)?;
            bundles.leave(unix_now(), set.grace, &mut out)?;
            out.wire.flush()?;
            return Ok(out.report);
        }
        out.wire.flush()?;
        followed.arrived(unix_now(), set.grace);
        std::thread::sleep(PAUSE);
        all = false;
        // A session that begins in a followed folder is followed too.
        if looked.elapsed() >= LOOK || stop.load(Ordering::Relaxed) {
            files = resolve(agent, paths).unwrap_or_default();
            (looked, all) = (Instant::now(), true);
        }
    }
}

fn resolve(agent: Agent, paths: &[&PathBuf]) -> Result<Vec<Found>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        // A folder may still be empty.
        files.extend(if path.is_dir() { agent.below(path) } else { agent.resolve(path)? });
    }
    Ok(distinct(files))
}
