//! The processor's counter of ticks, where the kernel itself keeps its time by it.

/// Reads the counter. Made only where the counter goes on at one speed, and shows the same on each processor.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[derive(Debug)]
pub(super) struct Counter(fast_clock::tsc::Tsc);

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
impl Counter {
    /// Nothing where the kernel has found it wanting, or does not say.
    pub(super) fn trusted() -> Option<Self> {
        const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        let source = std::fs::read(SOURCE).ok()?;
        if source.trim_ascii() != b"tsc" {
            return None;
        }
        fast_clock::tsc::Tsc::try_new_assume_stable().ok().map(Self)
    }

    #[inline]
    pub(super) fn ticks(&self) -> u64 {
        fast_clock::Clock::now(&self.0).to_ticks()
    }
}

/// There is none that is known to be right.
#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
#[derive(Debug)]
pub(super) enum Counter {}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
impl Counter {
    pub(super) const fn trusted() -> Option<Self> {
        None
    }

    pub(super) const fn ticks(&self) -> u64 {
        match *self {}
    }
}
