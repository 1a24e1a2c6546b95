//! Instructions, counted by valgrind: what takes less than a microsecond is told by no clock.

use std::process::Command;

/// The instructions that one more of something takes, which this binary does so often as its last argument says when it is
/// started with `--mode MODE ARGUMENTS`: once with few and once with many, so that what starts and ends a process cancels
/// out. Nothing where valgrind cannot be run.
pub fn each(mode: &str, arguments: &[String], [few, many]: [usize; 2]) -> Option<f64> {
    let [least, most] = [few, many].map(|times| whole(mode, arguments, times));
    Some((most? - least?) as f64 / (many - few) as f64)
}

/// The instructions of a whole process.
fn whole(mode: &str, arguments: &[String], times: usize) -> Option<i64> {
    let myself = std::env::args_os().next()?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(myself)
        .args(["--mode", mode])
        .args(arguments)
        .arg(times.to_string())
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let said = String::from_utf8(output.stderr).ok()?;
    let collected = said.lines().find_map(|line| line.split_once("Collected :"))?;
    collected.1.trim().parse().ok()
}

/// Prints both sides and their difference.
pub fn line(name: &str, ours: Option<f64>, peer: Option<f64>, target: &str) {
    match ours.zip(peer) {
        Some((ours, peer)) => println!("{name}\t{ours:.1}\t{peer:.1}\t{:.1}\t{target}", ours - peer),
        None => eprintln!("# {name}: not counted, valgrind cannot be run here"),
    }
}
