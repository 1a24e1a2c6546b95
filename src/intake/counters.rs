//! What was taken, what was sent, and what was lost and why.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why a call, or the content of one, was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Drop {
    /// Content was over the bytes that may wait; the call itself was kept.
    ContentOverBound,
    /// A mark inside a call: the call had too many, or was not taken itself.
    MarkLost,
    /// The queue of events was full.
    IntakeFull,
    /// The recorder was already shut down.
    ShutDown,
    /// A span of the host's was still open when the recorder shut down: what it tells is known when it closes.
    StillOpen,
    /// The sink refused it.
    SinkRefused,
    /// The queue of encoded spans was full.
    ExportQueueFull,
    /// One span alone was over the limit of a request.
    SpanTooLarge,
    /// The peer refused the span, or the whole request for good.
    PeerRefused,
    /// The peer could not be reached until the exporter gave up.
    PeerUnreachable,
    /// A span of the host's that is no turn, inference or tool call: embeddings, retrieval and the like.
    UnmappedOperation,
}

impl Drop {
    /// All reasons.
    pub const ALL: [Self; 11] = [
        Self::ContentOverBound,
        Self::MarkLost,
        Self::IntakeFull,
        Self::ShutDown,
        Self::StillOpen,
        Self::SinkRefused,
        Self::ExportQueueFull,
        Self::SpanTooLarge,
        Self::PeerRefused,
        Self::PeerUnreachable,
        Self::UnmappedOperation,
    ];

    /// The word in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ContentOverBound => "content_over_bound",
            Self::MarkLost => "mark_lost",
            Self::IntakeFull => "intake_full",
            Self::ShutDown => "shut_down",
            Self::StillOpen => "still_open",
            Self::SinkRefused => "sink_refused",
            Self::ExportQueueFull => "export_queue_full",
            Self::SpanTooLarge => "span_too_large",
            Self::PeerRefused => "peer_refused",
            Self::PeerUnreachable => "peer_unreachable",
            Self::UnmappedOperation => "unmapped_operation",
        }
    }

    const fn place(self) -> usize {
        self as usize
    }
}

/// Running totals, shared by everything between the recorder and the wire.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    started: AtomicU64,
    recorded: AtomicU64,
    sent: AtomicU64,
    labels_replaced: AtomicU64,
    foreign_connection: AtomicU64,
    tool_mismatch: AtomicU64,
    dropped: [AtomicU64; Drop::ALL.len()],
}

impl Counters {
    pub(crate) fn add_started(&self) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_recorded(&self) {
        self.recorded.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_sent(&self, spans: u64) {
        self.sent.fetch_add(spans, Ordering::Relaxed);
    }

    pub(crate) fn add_refused_result(&self, is_foreign: bool) {
        let counter = if is_foreign { &self.foreign_connection } else { &self.tool_mismatch };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_labels_replaced(&self, total: u64) {
        self.labels_replaced.store(total, Ordering::Relaxed);
    }

    pub(crate) fn add_dropped(&self, reason: Drop, count: u64) {
        if let Some(counter) = self.dropped.get(reason.place()) {
            counter.fetch_add(count, Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self) -> Counts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let mut losses = Losses::default();
        for (place, counter) in losses.0.iter_mut().zip(&self.dropped) {
            *place = load(counter);
        }
        Counts {
            started: load(&self.started),
            recorded: load(&self.recorded),
            sent: load(&self.sent),
            labels_replaced: load(&self.labels_replaced),
            foreign_connection: load(&self.foreign_connection),
            tool_mismatch: load(&self.tool_mismatch),
            dropped: losses,
        }
    }
}

/// Totals since the recorder was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Calls that were opened.
    pub started: u64,
    /// Closed calls that the sink took.
    pub recorded: u64,
    /// Spans that a peer has acknowledged.
    pub sent: u64,
    /// Labels that did not look like one and left as a digest or as `_OTHER`.
    pub labels_replaced: u64,
    /// Results of delegated calls that were refused, since they came over another connection.
    pub foreign_connection: u64,
    /// Results of delegated calls that were refused, since they name another tool.
    pub tool_mismatch: u64,
    /// What was lost.
    pub dropped: Losses,
}

impl Counts {
    pub(crate) const ZERO: Self = Self {
        started: 0,
        recorded: 0,
        sent: 0,
        labels_replaced: 0,
        foreign_connection: 0,
        tool_mismatch: 0,
        dropped: Losses([0; Drop::ALL.len()]),
    };
}

/// Losses by reason.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses([u64; Drop::ALL.len()]);

impl Losses {
    /// How many were lost for this reason.
    pub fn of(&self, reason: Drop) -> u64 {
        self.0.get(reason.place()).copied().unwrap_or_default()
    }

    /// How many calls were lost: all reasons but lost content and marks, which leave their call.
    pub fn calls(&self) -> u64 {
        let leaves_call = |reason: &Drop| matches!(reason, Drop::ContentOverBound | Drop::MarkLost);
        let calls = Drop::ALL.into_iter().filter(|reason| !leaves_call(reason));
        calls.map(|reason| self.of(reason)).sum()
    }
}

impl fmt::Debug for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lost = Drop::ALL.into_iter().filter(|reason| self.of(*reason) > 0);
        f.debug_map().entries(lost.map(|reason| (reason.as_str(), self.of(reason)))).finish()
    }
}
