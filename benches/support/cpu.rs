//! Processor time, in nanoseconds.

use rustix::time::{ClockId, Timespec, clock_gettime};

/// What the calling thread has used.
pub fn thread() -> u64 {
    nanos(clock_gettime(ClockId::ThreadCPUTime))
}

/// What this process has used, all threads and the kernel's part included.
pub fn process() -> u64 {
    nanos(clock_gettime(ClockId::ProcessCPUTime))
}

fn nanos(time: Timespec) -> u64 {
    time.tv_sec.cast_unsigned() * 1_000_000_000 + time.tv_nsec.cast_unsigned()
}
