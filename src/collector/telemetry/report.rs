//! All that is counted in a stage, as metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::following;
use super::page::{Kind, Page};
use crate::collector::forward::{self, Forward};
use crate::collector::health::Health;
use crate::collector::listen::{Protocol, Tally};
use crate::collector::output::Exit;
use crate::intake::Drop;
use crate::otlp::Gate;
use crate::processor::dialect::DialectCounts;

/// Where everything is counted.
pub(in crate::collector) struct Report {
    pub(in crate::collector) health: Arc<Health>,
    pub(in crate::collector) gate: Arc<Gate>,
    pub(in crate::collector) pipelines: Vec<Arc<Forward>>,
    pub(in crate::collector) listeners: Vec<(String, Protocol, Arc<Tally>)>,
}

type OfListener = (&'static str, &'static str, fn(&Tally) -> &AtomicU64);
type OfPipeline = (&'static str, &'static str, fn(&forward::Tally) -> &AtomicU64);

const OF_LISTENERS: [OfListener; 7] = [
    ("connections_total", "Connections that were taken.", |tally| &tally.connections),
    ("connections_refused_total", "Connections over the bound, closed at once.", |tally| &tally.connections_refused),
    ("connections_failed_total", "Connections that could not be taken, or not be secured.", |tally| {
        &tally.connections_failed
    }),
    ("connections_silent_total", "Connections that never began to speak.", |tally| &tally.connections_silent),
    ("requests_total", "Requests, whatever became of them.", |tally| &tally.requests),
    ("requests_unauthenticated_total", "Requests without the credential.", |tally| &tally.unauthenticated),
    ("requests_misdirected_total", "Requests of browsers, or for another host.", |tally| &tally.misdirected),
];

const OF_PIPELINES: [OfPipeline; 7] = [
    ("spans_total", "Spans of requests that were answered with success.", |tally| &tally.spans),
    ("spans_unreadable_total", "Spans refused because they cannot be read.", |tally| &tally.unreadable_spans),
    ("spans_rejected_total", "Spans that an exporter refused for good.", |tally| &tally.rejected_spans),
    ("requests_unreadable_total", "Requests that are not OTLP.", |tally| &tally.unreadable_requests),
    ("requests_pressed_total", "Requests refused for want of memory.", |tally| &tally.pressed_requests),
    ("requests_unwritten_total", "Requests that could not be written into the input log.", |tally| {
        &tally.unwritten_requests
    }),
    ("requests_failed_total", "Requests that an exporter did not take.", |tally| &tally.failed_requests),
];

impl Report {
    /// The page of metrics.
    pub(in crate::collector) fn metrics(&self) -> String {
        let mut page = Page::default();
        let serving = u64::from(self.health.is_serving());
        page.metric(Kind::Gauge, "veilspan_up", "Whether all workers work.", [(vec![], serving)]);
        self.listeners(&mut page);
        self.gate(&mut page);
        self.pipelines(&mut page);
        following::metrics(&self.pipelines, &mut page);
        self.exporters(&mut page);
        page.finish()
    }

    fn listeners(&self, page: &mut Page) {
        let labels = |name, protocol: &Protocol| vec![("receiver", name), ("protocol", protocol.as_str())];
        for (name, help, counter) in OF_LISTENERS {
            let samples = self.listeners.iter().map(|(receiver, protocol, tally)| {
                (labels(receiver.as_str(), protocol), counter(tally).load(Ordering::Relaxed))
            });
            page.metric(Kind::Counter, &format!("veilspan_receiver_{name}"), help, samples);
        }
        let open =
            self.listeners.iter().map(|(name, protocol, tally)| (labels(name, protocol), tally.open_connections()));
        page.metric(Kind::Gauge, "veilspan_receiver_connections", "Connections that are open.", open);
        let open = self.listeners.iter().map(|(name, protocol, tally)| (labels(name, protocol), tally.open_requests()));
        page.metric(Kind::Gauge, "veilspan_receiver_requests", "Requests without an answer.", open);
    }

    fn gate(&self, page: &mut Page) {
        let counts = self.gate.counts();
        let refused = [
            ("no_room", counts.no_room),
            ("too_large", counts.too_large),
            ("too_slow", counts.too_slow),
            ("garbled", counts.garbled),
            ("broken", counts.broken),
            ("encoding", counts.encoding),
        ];
        let refused = refused.map(|(reason, count)| (vec![("reason", reason)], count));
        page.metric(
            Kind::Counter,
            "veilspan_requests_not_read_total",
            "Requests refused before they were read.",
            refused,
        );
        let bytes = self.gate.in_use().0 as u64;
        page.metric(Kind::Gauge, "veilspan_requests_bytes", "Bytes of requests without an answer.", [(vec![], bytes)]);
    }

    fn pipelines(&self, page: &mut Page) {
        for (name, help, counter) in OF_PIPELINES {
            let samples = self.pipelines.iter().map(|pipeline| {
                (vec![("pipeline", pipeline.name.as_str())], counter(&pipeline.tally).load(Ordering::Relaxed))
            });
            page.metric(Kind::Counter, &format!("veilspan_pipeline_{name}"), help, samples);
        }
        let dialects = |value: fn(&DialectCounts) -> u64| {
            let of = self.pipelines.iter().filter_map(|pipeline| Some((&pipeline.name, pipeline.dialect.as_ref()?)));
            of.map(move |(name, dialect)| (vec![("pipeline", name.as_str())], value(&dialect.counts())))
        };
        page.metric(
            Kind::Counter,
            "veilspan_dialect_spans_total",
            "Spans that left under other names.",
            dialects(|it| it.translated),
        );
        page.metric(
            Kind::Counter,
            "veilspan_dialect_stamped_total",
            "Spans that got a rollout.",
            dialects(|it| it.stamped),
        );
        page.metric(
            Kind::Counter,
            "veilspan_dialect_split_total",
            "Spans that got their trace for a rollout where another span of it names one.",
            dialects(|it| it.split),
        );
    }

    fn exporters(&self, page: &mut Page) {
        let exits: Vec<(Vec<(&str, &str)>, &Exit)> = self
            .pipelines
            .iter()
            .flat_map(|pipeline| {
                pipeline
                    .output
                    .exits()
                    .iter()
                    .map(|exit| (vec![("pipeline", pipeline.name.as_str()), ("exporter", exit.name())], &**exit))
            })
            .collect();
        let of = |value: fn(&Exit) -> u64| exits.iter().map(move |(labels, exit)| (labels.clone(), value(exit)));
        page.metric(
            Kind::Counter,
            "veilspan_exporter_requests_total",
            "Requests handed over.",
            of(|it| it.requests().0),
        );
        let refused = of(|it| it.requests().1);
        page.metric(Kind::Counter, "veilspan_exporter_requests_refused_total", "Those that were not taken.", refused);
        page.metric(Kind::Gauge, "veilspan_exporter_queue_spans", "Spans that wait in the queue.", of(Exit::waiting));
        let sent = of(|it| it.counts().map_or(0, |counts| counts.sent));
        page.metric(Kind::Counter, "veilspan_exporter_queue_sent_total", "Spans sent from the queue.", sent);
        let lost = exits.iter().flat_map(|(labels, exit)| {
            let dropped = exit.counts().map(|counts| counts.dropped);
            let of_reason = move |reason: Drop| {
                let count = dropped.as_ref().map_or(0, |dropped| dropped.of(reason));
                let labels = labels.iter().copied().chain([("reason", reason.as_str())]).collect::<Vec<_>>();
                (count > 0).then_some((labels, count))
            };
            Drop::ALL.into_iter().filter_map(of_reason).collect::<Vec<_>>()
        });
        page.metric(Kind::Counter, "veilspan_exporter_queue_lost_total", "Spans lost from the queue.", lost);
    }
}
