//! What was read, and what could not be.

use crate::import::session::{Aside, Tally};

/// Counts of one import.
#[derive(Clone, Copy, Default)]
pub(in crate::cli) struct Report {
    pub(in crate::cli) files: u64,
    pub(in crate::cli) sessions: u64,
    pub(in crate::cli) rows: u64,
    pub(in crate::cli) unknown: u64,
    pub(in crate::cli) aside: u64,
    pub(in crate::cli) empty: u64,
    pub(in crate::cli) over_bound: u64,
    /// Turns that still run, so that nothing was told of their end.
    pub(in crate::cli) open: u64,
    /// Files whose last line is still being written.
    pub(in crate::cli) torn: u64,
    /// Calls that were told.
    pub(in crate::cli) calls: u64,
}

impl Report {
    /// Adds what a reader has read, and logs each place that it has set aside.
    pub(super) fn add(&mut self, tally: Tally, asides: Vec<Aside>) {
        self.rows += tally.rows;
        self.unknown += tally.unknown;
        self.aside += tally.aside;
        self.over_bound += tally.over_bound;
        self.torn += tally.torn;
        log(asides);
    }

    /// Adds what another one counts.
    pub(in crate::cli) const fn join(&mut self, other: Self) {
        let Self { files, sessions, rows, unknown, aside, empty, over_bound, open, torn, calls } = other;
        self.files += files;
        self.sessions += sessions;
        self.rows += rows;
        self.unknown += unknown;
        self.aside += aside;
        self.empty += empty;
        self.over_bound += over_bound;
        self.open += open;
        self.torn += torn;
        self.calls += calls;
    }

    /// Whether all could be read that is there.
    pub(in crate::cli) const fn is_whole(&self) -> bool {
        self.aside + self.empty + self.over_bound == 0
    }
}

pub(super) fn log(asides: Vec<Aside>) {
    for Aside { file, line, reason } in asides {
        let reason = reason.as_str();
        tracing::warn!(target: "veilspan", %file, line, reason, "a line could not be used");
    }
}
