//! The machine's clock for one who looks at it twice a call: read from the processor's counter, while somebody looks after it.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use super::counter::Counter;
use super::course::{Course, Line, Look};
use super::{Clock, SystemClock};

/// The same time as [`SystemClock`]'s. A look at that one waits until all before it is done, and takes three times as long as
/// the counter itself.
///
/// The counter is read only where the kernel keeps its own time by it, which is asked once a minute, and only as long as
/// somebody [looks after](Self::look_after) the clock, which compares the two and makes up for what differs. Everywhere else,
/// and until then, the kernel is asked. What the counter tells is the kernel's time to some microseconds, and to milliseconds for a
/// moment after the kernel was told to run its clock some percent faster or slower. On one thread it steps back only where
/// it was wrong by more than ten milliseconds; two threads may see time in another order than they look, by some ten
/// nanoseconds. Whoever takes a span of time takes the later of its ends.
#[derive(Debug)]
pub(crate) struct CountedClock {
    kernel: SystemClock,
    counter: Option<Counter>,
    watch: Mutex<Watch>,
    shown: Shown,
}

#[derive(Debug, Default)]
struct Watch {
    course: Course,
    /// When it was last asked whether the kernel still trusts the counter.
    asked: u64,
    /// It does not any more.
    is_over: bool,
}

/// Nanoseconds after which that is asked again.
const ASK_EVERY: u64 = 60_000_000_000;

impl Default for CountedClock {
    fn default() -> Self {
        let (kernel, shown) = (SystemClock::default(), Shown::default());
        let watch = Mutex::new(Watch { asked: kernel.unix_nanos(), ..Watch::default() });
        Self { kernel, counter: Counter::trusted(), watch, shown }
    }
}

impl CountedClock {
    /// Compares the counter with the kernel's time, where it is time to: to be called often, on a thread of one's own.
    pub(crate) fn look_after(&self) {
        self.look_after_by(Counter::is_trusted);
    }

    fn look_after_by(&self, is_trusted: impl Fn() -> bool) {
        // Somebody else does it right now.
        let (Some(counter), Ok(mut watch)) = (&self.counter, self.watch.try_lock()) else { return };
        if watch.is_over || !watch.course.is_due(counter.ticks()) {
            return;
        }
        let Some(look) = self.look(counter) else { return };
        if look.nanos.saturating_sub(watch.asked) >= ASK_EVERY {
            watch.asked = look.nanos;
            watch.is_over = !is_trusted();
        }
        self.shown.show(if watch.is_over { watch.course.over(look.ticks) } else { watch.course.after(look) });
    }

    /// Nothing where something has come between each time.
    fn look(&self, counter: &Counter) -> Option<Look> {
        const TRIES: usize = 4;
        const LONGEST: u64 = 1 << 10;
        (0..TRIES).find_map(|_| {
            let (before, nanos, after) = (counter.ticks(), self.kernel.unix_nanos(), counter.ticks());
            let between = after.wrapping_sub(before);
            (between < LONGEST).then(|| Look { ticks: before.wrapping_add(between / 2), nanos })
        })
    }

    /// What the kernel says, where the line does not hold at this tick.
    #[cold]
    fn asked(&self, line: Line) -> u64 {
        line.beyond(self.kernel.unix_nanos())
    }
}

impl Clock for CountedClock {
    #[inline]
    fn unix_nanos(&self) -> u64 {
        let Some(counter) = &self.counter else { return self.kernel.unix_nanos() };
        let line = self.shown.line();
        line.at(counter.ticks()).unwrap_or_else(|| self.asked(line))
    }
}

/// The line to read by: written by one thread at a time, and apart from what others write to.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shown {
    /// How many lines there have been. The last one stands in one of the two places, and the next is written to the other: to
    /// whoever reads meanwhile it makes no difference, however long its writer is kept from going on.
    version: AtomicU64,
    even: Parts,
    odd: Parts,
}

#[derive(Debug, Default)]
struct Parts {
    ticks: AtomicU64,
    nanos: AtomicU64,
    rate: AtomicU64,
}

impl Shown {
    #[inline]
    fn line(&self) -> Line {
        loop {
            let version = self.version.load(Ordering::Acquire);
            let Parts { ticks, nanos, rate } = self.place(version);
            let [ticks, nanos, rate] = [ticks, nanos, rate].map(|part| part.load(Ordering::Relaxed));
            fence(Ordering::Acquire);
            // Two lines have been written meanwhile, some milliseconds apart.
            if self.version.load(Ordering::Relaxed) == version {
                return Line { ticks, nanos, rate };
            }
        }
    }

    fn show(&self, line: Line) {
        let version = self.version.load(Ordering::Relaxed).wrapping_add(1);
        let place = self.place(version);
        fence(Ordering::Release);
        for (part, value) in [(&place.ticks, line.ticks), (&place.nanos, line.nanos), (&place.rate, line.rate)] {
            part.store(value, Ordering::Relaxed);
        }
        self.version.store(version, Ordering::Release);
    }

    #[inline]
    const fn place(&self, version: u64) -> &Parts {
        if version.is_multiple_of(2) { &self.even } else { &self.odd }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_line_is_never_read_in_part() {
        let shown = Arc::new(Shown::default());
        let reader = {
            let shown = Arc::clone(&shown);
            thread::spawn(move || {
                let (mut read, mut last) = (0, 0);
                while read < 100_000 {
                    let Line { ticks, nanos, rate } = shown.line();
                    assert!(ticks == nanos && nanos == rate && nanos >= last);
                    (read, last) = (read + 1, nanos);
                }
            })
        };
        let mut number = 0;
        while !reader.is_finished() {
            number += 1;
            shown.show(Line { ticks: number, nanos: number, rate: number });
        }
        reader.join().unwrap();
    }

    #[test]
    fn a_counter_that_the_kernel_trusts_no_more_is_not_read_again() {
        let clock = CountedClock::default();
        let is_read_by = || clock.shown.line().at(clock.counter.as_ref().map_or(0, Counter::ticks)).is_some();
        let is_read_after_looks = |is_trusted: bool| {
            (0..100).any(|_| {
                clock.look_after_by(|| is_trusted);
                thread::sleep(Duration::from_millis(5));
                is_read_by()
            })
        };
        assert_eq!(is_read_after_looks(false), clock.counter.is_some(), "it is not asked yet");
        clock.watch.lock().unwrap().asked = 0;
        let before = clock.unix_nanos();
        clock.look_after_by(|| false);
        assert!(!is_read_after_looks(true) && clock.unix_nanos() > before);
    }

    /// Whether this machine's counter is trusted or not: what is told is the kernel's time, on this thread and another.
    #[test]
    fn what_is_told_lies_between_two_looks_at_the_kernels_clock() {
        const APART: u64 = 10_000_000;
        let (clock, started) = (CountedClock::default(), Instant::now());
        let is_near = || {
            let before = clock.kernel.unix_nanos();
            let told = clock.unix_nanos();
            let after = clock.kernel.unix_nanos();
            assert!(told + APART >= before && told <= after + APART, "{before} {told} {after}");
        };
        while started.elapsed() < Duration::from_millis(300) {
            clock.look_after();
            is_near();
            thread::scope(|scope| scope.spawn(is_near).join().unwrap());
        }
        // Nobody looks after it any more.
        thread::sleep(Duration::from_millis(400));
        let told = clock.unix_nanos();
        assert!(told < clock.kernel.unix_nanos() + 1_000_000);
        is_near();
    }
}
