//! A process has one global subscriber. Alone in its process, because that cannot be taken back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

/// The names of this process' threads.
#[cfg(target_os = "linux")]
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let name = |task: std::io::Result<std::fs::DirEntry>| std::fs::read_to_string(task.ok()?.path().join("comm")).ok();
    tasks.filter_map(name).filter(|name| name.starts_with("veilspan-")).collect()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> Vec<String> {
    Vec::new()
}

#[test]
fn with_a_subscriber_already_set_the_error_says_what_to_do_and_nothing_keeps_running() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    let error = veilspan::init().unwrap_err();
    assert!(error.to_string().contains("veilspan::layer()"), "{error}");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !threads().is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(threads().is_empty(), "{:?}", threads());
}
