//! The processor's counter of ticks, where the kernel itself keeps its time by it.

/// Reads the counter. Made only where the counter goes on at one speed, and shows the same on each processor.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[derive(Debug)]
pub(super) struct Counter(fast_clock::tsc::Tsc);

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
impl Counter {
    /// Nothing where the kernel has found it wanting, or does not say.
    pub(super) fn trusted() -> Option<Self> {
        let counter = || fast_clock::tsc::Tsc::try_new_assume_stable().ok();
        Self::is_trusted().then(counter).flatten().map(Self)
    }

    /// Whether the kernel keeps its time by it now. It may find it wanting at any time.
    pub(super) fn is_trusted() -> bool {
        const SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
        std::fs::read(SOURCE).is_ok_and(|source| source.trim_ascii() == b"tsc")
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

    pub(super) const fn is_trusted() -> bool {
        false
    }

    pub(super) const fn ticks(&self) -> u64 {
        match *self {}
    }
}
