//! A process has one global subscriber. Alone in its process, because that cannot be taken back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::time::{Duration, Instant};

/// How many threads this process has. Counted, not named: a thread takes its name only once it runs.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[cfg(not(target_os = "linux"))]
fn threads() -> usize {
    0
}

#[test]
fn with_a_subscriber_already_set_the_error_says_what_to_do_and_nothing_keeps_running() {
    tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
    let before = threads();
    let error = veilspan::init().unwrap_err();
    assert!(error.to_string().contains("veilspan::layer()"), "{error}");
    let deadline = Instant::now() + Duration::from_secs(20);
    while threads() > before && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(threads(), before);
}
