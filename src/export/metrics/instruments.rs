//! Which counter is told under which name.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Meter};

use crate::intake::{Counts, Drop};
use crate::semconv::{COMPONENT_NAME, COMPONENT_TYPE, ERROR_TYPE};

/// What is read when somebody collects; nothing once the recorder is gone.
pub(super) type Source = Arc<dyn Fn() -> Option<Told> + Send + Sync>;

/// What there is to tell.
pub(super) struct Told {
    pub(super) counts: Counts,
    /// Spans that wait or are on their way, where that is known.
    pub(super) waiting: Option<u64>,
}

/// One number: how it came about, where it is a failure, and how often.
type Row = (Option<&'static str>, u64);

struct Instrument {
    name: &'static str,
    unit: &'static str,
    description: &'static str,
    rows: fn(&Counts) -> Vec<Row>,
}

const SPANS: &str = "{span}";

const INSTRUMENTS: [Instrument; 15] = [
    Instrument {
        name: "otel.sdk.span.started",
        unit: SPANS,
        description: "calls that were opened",
        rows: |counts| once(counts.started),
    },
    Instrument {
        name: "otel.sdk.processor.span.processed",
        unit: SPANS,
        description: "calls that the sink took, and those that were lost before it",
        rows: |counts| [once(counts.recorded), lost(counts, before_the_peer)].concat(),
    },
    Instrument {
        name: "otel.sdk.exporter.span.exported",
        unit: SPANS,
        description: "spans that the peer took, and those that it did not",
        rows: |counts| [once(counts.sent), lost(counts, at_the_peer)].concat(),
    },
    Instrument {
        name: "veilspan.lost",
        unit: "{item}",
        description: "what was lost: calls, contents and marks of calls, records of a spool",
        rows: |counts| lost(counts, |reason| Some(reason.as_str())),
    },
    Instrument {
        name: "veilspan.export.retries",
        unit: "{request}",
        description: "requests that failed and were sent again",
        rows: |counts| once(counts.retries),
    },
    Instrument {
        name: "veilspan.label.replaced",
        unit: "{label}",
        description: "labels that did not look like one and left as a digest or as `_OTHER`",
        rows: |counts| once(counts.labels_replaced),
    },
    Instrument {
        name: "veilspan.result.refused",
        unit: "{result}",
        description: "results of delegated calls that were refused",
        rows: |counts| {
            let connection = (Some("foreign_connection"), counts.foreign_connection);
            vec![connection, (Some("tool_mismatch"), counts.tool_mismatch)]
        },
    },
    Instrument {
        name: "veilspan.spool.written",
        unit: SPANS,
        description: "spans that the spool has written",
        rows: |counts| once(counts.written),
    },
    Instrument {
        name: "veilspan.spool.adopted",
        unit: SPANS,
        description: "spans of dead processes that were taken over, their abandoned calls among them",
        rows: |counts| once(counts.adopted),
    },
    Instrument {
        name: "veilspan.spool.adopted_sent",
        unit: SPANS,
        description: "of these, those that the peer took",
        rows: |counts| once(counts.adopted_sent),
    },
    Instrument {
        name: "veilspan.spool.adopted_lost",
        unit: SPANS,
        description: "of these, those that the peer refused for good",
        rows: |counts| once(counts.adopted_lost),
    },
    Instrument {
        name: "veilspan.spool.abandoned",
        unit: SPANS,
        description: "calls that were open when their process died, and were closed as abandoned",
        rows: |counts| once(counts.abandoned),
    },
    Instrument {
        name: "veilspan.spool.set_aside",
        unit: SPANS,
        description: "spans that were too long for the peer, and lie in files",
        rows: |counts| once(counts.set_aside),
    },
    Instrument {
        name: "veilspan.spool.failures",
        unit: "{failure}",
        description: "how often the spool could not be written, synced or read",
        rows: |counts| once(counts.spool_failures),
    },
    Instrument {
        name: "veilspan.spool.waits_cut_short",
        unit: "{wait}",
        description: "how often a caller did not wait any longer for the spool",
        rows: |counts| once(counts.waits_cut_short),
    },
];

fn once(count: u64) -> Vec<Row> {
    vec![(None, count)]
}

/// What was lost, summed by word. A reason for which nothing was lost is not told.
fn lost(counts: &Counts, word: fn(Drop) -> Option<&'static str>) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for reason in Drop::ALL {
        let count = counts.dropped.of(reason);
        let Some(word) = word(reason).filter(|_| count > 0) else { continue };
        match rows.iter_mut().find(|(known, _)| *known == Some(word)) {
            Some((_, sum)) => *sum += count,
            None => rows.push((Some(word), count)),
        }
    }
    rows
}

const fn at_the_peer(reason: Drop) -> Option<&'static str> {
    match reason {
        Drop::PeerRefused | Drop::TooLongForPeer | Drop::PeerUnreachable => Some(reason.as_str()),
        _ => None,
    }
}

/// What the conventions call a processor's failures, where they have a word.
const fn before_the_peer(reason: Drop) -> Option<&'static str> {
    match reason {
        Drop::IntakeFull | Drop::ExportQueueFull => Some("queue_full"),
        Drop::ShutDown => Some("already_shutdown"),
        // These leave their call, or were not this process' calls.
        Drop::ContentOverBound | Drop::MarkLost | Drop::SpoolDamaged | Drop::EndUnknown => None,
        Drop::PeerRefused | Drop::TooLongForPeer | Drop::PeerUnreachable => None,
        _ => Some(reason.as_str()),
    }
}

/// Has all of it observed from here on.
pub(super) fn register(meter: &Meter, source: &Source) {
    static COMPONENTS: AtomicU64 = AtomicU64::new(0);
    let number = COMPONENTS.fetch_add(1, Ordering::Relaxed);
    let component = [
        KeyValue::new(COMPONENT_TYPE.key(), env!("CARGO_PKG_NAME")),
        KeyValue::new(COMPONENT_NAME.key(), format!("{}/{number}", env!("CARGO_PKG_NAME"))),
    ];
    for Instrument { name, unit, description, rows } in INSTRUMENTS {
        let (source, component) = (Arc::clone(source), component.clone());
        let observe = move |observer: &dyn AsyncInstrument<u64>| {
            let Some(told) = source() else { return };
            for (error, count) in rows(&told.counts) {
                let error = error.map(|error| KeyValue::new(ERROR_TYPE.key(), error));
                let attributes: Vec<KeyValue> = component.iter().cloned().chain(error).collect();
                observer.observe(count, &attributes);
            }
        };
        // It lives as long as its provider, whether or not we keep it.
        let builder = meter.u64_observable_counter(name).with_unit(unit).with_description(description);
        let _ = builder.with_callback(observe).build();
    }
    if source().is_some_and(|told| told.waiting.is_some()) {
        let source = Arc::clone(source);
        let builder = meter.i64_observable_up_down_counter("otel.sdk.processor.span.queue.size").with_unit(SPANS);
        let builder = builder.with_description("spans that wait or are on their way").with_callback(move |observer| {
            if let Some(waiting) = source().and_then(|told| told.waiting) {
                observer.observe(i64::try_from(waiting).unwrap_or(i64::MAX), &component);
            }
        });
        let _ = builder.build();
    }
}
