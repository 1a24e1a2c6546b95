//! What was taken, what was sent, and what was lost and why.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::spans::OpenSpans;
use crate::privacy::{PayloadCounts, VeilCounts};

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
    /// A span that the peer refuses for its length.
    TooLongForPeer,
    /// The peer could not be reached until the exporter gave up.
    PeerUnreachable,
    /// The spool had no room left within its budget, or on its disk.
    SpoolFull,
    /// The spool could not be written.
    SpoolFailed,
    /// What was in the spool is damaged or missing.
    SpoolDamaged,
    /// A call was open when its process died, and whether it was told meanwhile cannot be known.
    EndUnknown,
    /// The process was forked off the one that records.
    Forked,
    /// A span of the host's that is no turn, inference or tool call: embeddings, retrieval and the like.
    UnmappedOperation,
}

impl Drop {
    /// All reasons.
    pub const ALL: [Self; 17] = [
        Self::ContentOverBound,
        Self::MarkLost,
        Self::IntakeFull,
        Self::ShutDown,
        Self::StillOpen,
        Self::SinkRefused,
        Self::ExportQueueFull,
        Self::SpanTooLarge,
        Self::PeerRefused,
        Self::TooLongForPeer,
        Self::PeerUnreachable,
        Self::SpoolFull,
        Self::SpoolFailed,
        Self::SpoolDamaged,
        Self::EndUnknown,
        Self::Forked,
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
            Self::TooLongForPeer => "too_long_for_peer",
            Self::PeerUnreachable => "peer_unreachable",
            Self::SpoolFull => "spool_full",
            Self::SpoolFailed => "spool_failed",
            Self::SpoolDamaged => "spool_damaged",
            Self::EndUnknown => "end_unknown",
            Self::Forked => "forked",
            Self::UnmappedOperation => "unmapped_operation",
        }
    }

    const fn place(self) -> usize {
        self as usize
    }
}

/// A total that callers add to with each call: apart from those that the pipeline and the sender write.
#[derive(Debug, Default)]
#[repr(align(128))]
struct OfCallers(AtomicU64);

/// Running totals, shared by everything between the recorder and the wire.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    started: OfCallers,
    /// Those that the intake counts by itself.
    started_by_hand: AtomicU64,
    spans: OpenSpans,
    recorded: AtomicU64,
    sent: AtomicU64,
    written: AtomicU64,
    adopted: AtomicU64,
    adopted_sent: AtomicU64,
    adopted_lost: AtomicU64,
    set_aside: AtomicU64,
    abandoned: AtomicU64,
    spool_failures: AtomicU64,
    waits_cut_short: AtomicU64,
    retries: AtomicU64,
    labels_replaced: AtomicU64,
    labels_left_out: AtomicU64,
    texts_cut: AtomicU64,
    texts_masked: AtomicU64,
    foreign_connection: AtomicU64,
    tool_mismatch: AtomicU64,
    dropped: [AtomicU64; Drop::ALL.len()],
}

// Off Unix there is no spool to count.
#[cfg_attr(not(unix), allow(dead_code))]
impl Counters {
    pub(crate) fn add_started(&self) {
        self.started.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a layer's span that opens, and will be handed in when it closes.
    pub(super) fn add_span(&self) {
        if !self.spans.open() {
            self.add_dropped(Drop::ShutDown, 1);
        }
    }

    /// Counts a span that was counted so and is not handed in. After the shutdown that has done so.
    pub(super) fn add_lost_span(&self, reason: Drop) {
        if self.spans.give_up() {
            self.add_dropped(reason, 1);
        }
    }

    /// Counts the spans that are open as lost, where so many were taken and no more will be.
    pub(super) fn shut_spans(&self, taken: u64) {
        self.add_dropped(Drop::StillOpen, self.spans.shut(taken));
    }

    /// So many calls were taken before they had ended. Told once in a while, and by several.
    pub(super) fn set_started_by_hand(&self, calls: u64) {
        self.started_by_hand.fetch_max(calls, Ordering::Relaxed);
    }

    /// Called by one thread at a time, in its turn: nobody else adds to it, so that no exchange is needed.
    pub(super) fn add_recorded(&self) {
        self.recorded.store(self.recorded.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }

    pub(crate) fn add_sent(&self, spans: u64) {
        self.sent.fetch_add(spans, Ordering::Relaxed);
    }

    pub(crate) fn add_refused_result(&self, is_foreign: bool) {
        let counter = if is_foreign { &self.foreign_connection } else { &self.tool_mismatch };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_written(&self, spans: u64) {
        if spans > 0 {
            self.written.fetch_add(spans, Ordering::Relaxed);
        }
    }

    pub(crate) fn add_adopted(&self, spans: u64, abandoned: u64) {
        self.adopted.fetch_add(spans, Ordering::Relaxed);
        self.abandoned.fetch_add(abandoned, Ordering::Relaxed);
    }

    pub(crate) fn add_adopted_sent(&self, spans: u64) {
        self.adopted_sent.fetch_add(spans, Ordering::Relaxed);
    }

    pub(crate) fn add_adopted_lost(&self, spans: u64) {
        self.adopted_lost.fetch_add(spans, Ordering::Relaxed);
    }

    pub(crate) fn add_set_aside(&self) {
        self.set_aside.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_spool_failure(&self) {
        self.spool_failures.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_wait_cut_short(&self) {
        self.waits_cut_short.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_retry(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_veiled(&self, totals: VeilCounts) {
        self.labels_replaced.store(totals.labels_replaced, Ordering::Relaxed);
        self.labels_left_out.store(totals.labels_left_out, Ordering::Relaxed);
        self.texts_cut.store(totals.texts_cut, Ordering::Relaxed);
        self.texts_masked.store(totals.texts_masked, Ordering::Relaxed);
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
            started: load(&self.started.0) + load(&self.started_by_hand) + self.spans.opened(),
            recorded: load(&self.recorded),
            sent: load(&self.sent),
            written: load(&self.written),
            adopted: load(&self.adopted),
            adopted_sent: load(&self.adopted_sent),
            adopted_lost: load(&self.adopted_lost),
            set_aside: load(&self.set_aside),
            abandoned: load(&self.abandoned),
            spool_failures: load(&self.spool_failures),
            waits_cut_short: load(&self.waits_cut_short),
            retries: load(&self.retries),
            labels_replaced: load(&self.labels_replaced),
            labels_left_out: load(&self.labels_left_out),
            texts_cut: load(&self.texts_cut),
            texts_masked: load(&self.texts_masked),
            payloads: PayloadCounts::default(),
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
    /// Spans that the spool has written.
    pub written: u64,
    /// Spans of processes that have died which were taken over with their folder, their abandoned calls among them.
    pub adopted: u64,
    /// Of these, those that a peer has acknowledged.
    pub adopted_sent: u64,
    /// Of these, those that a peer has refused for good.
    pub adopted_lost: u64,
    /// Spans that were too long for the peer, and lie in files of the spool's folder.
    pub set_aside: u64,
    /// Calls that were open when their process died, and were closed as abandoned.
    pub abandoned: u64,
    /// How often something could not be written to, synced in or read from the spool.
    pub spool_failures: u64,
    /// How often a caller did not wait any longer for the spool (`VEILSPAN_SPOOL_WAIT`).
    pub waits_cut_short: u64,
    /// Requests that failed and are sent again.
    pub retries: u64,
    /// Labels that did not look like one and left as a digest or as `_OTHER`.
    pub labels_replaced: u64,
    /// Labels that were not taken, since those of one half of a call have 256 KiB at the most.
    pub labels_left_out: u64,
    /// Whole contents that did not fit into their attribute and were cut (`VEILSPAN_ATTRIBUTE_BYTES`).
    pub texts_cut: u64,
    /// Texts that left with something masked in them, a preview and the whole each for itself.
    pub texts_masked: u64,
    /// What became of contents that are kept whole (`VEILSPAN_PAYLOADS`): all of this process in that folder.
    pub payloads: PayloadCounts,
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
        written: 0,
        adopted: 0,
        adopted_sent: 0,
        adopted_lost: 0,
        set_aside: 0,
        abandoned: 0,
        spool_failures: 0,
        waits_cut_short: 0,
        retries: 0,
        labels_replaced: 0,
        labels_left_out: 0,
        texts_cut: 0,
        texts_masked: 0,
        payloads: PayloadCounts::ZERO,
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

    /// How many calls of this process were lost: all reasons but lost content and marks, which leave their call, and but
    /// what was found lost in a spool, which as a rule is another process'.
    pub fn calls(&self) -> u64 {
        let is_no_call = |reason: &Drop| {
            matches!(reason, Drop::ContentOverBound | Drop::MarkLost | Drop::SpoolDamaged | Drop::EndUnknown)
        };
        let calls = Drop::ALL.into_iter().filter(|reason| !is_no_call(reason));
        calls.map(|reason| self.of(reason)).sum()
    }
}

impl fmt::Debug for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lost = Drop::ALL.into_iter().filter(|reason| self.of(*reason) > 0);
        f.debug_map().entries(lost.map(|reason| (reason.as_str(), self.of(reason)))).finish()
    }
}
