//! Whether another layer exports the same spans.

use std::sync::atomic::{AtomicU8, Ordering};

/// So many spans are watched at the start, each time that they are left.
const WATCHED: u8 = 64;

/// Watches the first spans of a layer, and warns once.
#[derive(Debug)]
pub(super) struct Watch(AtomicU8);

impl Default for Watch {
    fn default() -> Self {
        Self(AtomicU8::new(WATCHED))
    }
}

impl Watch {
    pub(super) fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }

    /// A span was left, and nothing was found.
    pub(super) fn pass(&self) {
        let _ = self.0.try_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    }

    /// A span of another exporter was current with one of ours.
    pub(super) fn warn(&self) {
        if self.0.swap(0, Ordering::Relaxed) > 0 {
            tracing::warn!(
                "another OpenTelemetry layer exports the same GenAI spans, with their content: \
                 give it the filter veilspan::layer::others()"
            );
        }
    }
}
