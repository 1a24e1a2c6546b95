//! What follows from what passes, as metrics.

use std::sync::Arc;

use super::page::{Kind, Page};
use crate::collector::following::Counts;
use crate::collector::forward::Forward;
use crate::collector::output::Findings;
use crate::replay::ComparisonCounts;

type Of<C> = (Kind, &'static str, &'static str, fn(&C) -> u64);

const OF_REDUCTION: [Of<Counts>; 9] = [
    (Kind::Counter, "reduce_spans_added_total", "Spans of reduction's own.", |it| it.reduction.added),
    (Kind::Counter, "reduce_findings_total", "Findings of reduction.", |it| it.reduction.findings),
    (Kind::Gauge, "reduce_open_rollouts", "Rollouts that are open.", |it| it.open_rollouts),
    (Kind::Gauge, "reduce_bytes", "Bytes that are held of rollouts.", |it| it.bytes),
    (Kind::Counter, "reduce_spans_refused_total", "Spans of the stage's own that were refused for good.", |it| {
        it.refused
    }),
    (Kind::Gauge, "input_log_bytes", "Bytes of the input log.", |it| it.log_bytes),
    (Kind::Counter, "input_log_failures_total", "Writes to it that failed.", |it| it.log_failures),
    (Kind::Counter, "input_log_damaged_total", "Records that a restart could not read.", |it| it.log_damaged),
    (Kind::Counter, "input_log_spans_told_before_total", "Spans that a life before had decided to send.", |it| {
        it.told_before
    }),
];

const OF_COMPARISON: [Of<ComparisonCounts>; 7] = [
    (Kind::Counter, "replay_compared_total", "Runs with a baseline that have closed.", |it| it.compared),
    (Kind::Counter, "replay_findings_total", "Differences that are drift.", |it| it.findings),
    (Kind::Counter, "replay_withdrawn_total", "Those that no longer stood when more had come.", |it| it.withdrawn),
    (Kind::Counter, "replay_dropped_total", "Differences that were too many to be told.", |it| it.dropped),
    (Kind::Counter, "replay_let_go_total", "Runs that were let go before they closed.", |it| it.let_go),
    (Kind::Counter, "replay_without_baseline_total", "Runs that name a baseline which is not known.", |it| {
        it.without_baseline
    }),
    (Kind::Counter, "replay_resumed_total", "Runs that went on after they had closed.", |it| it.resumed),
];

/// Writes what is counted in these pipelines.
pub(super) fn metrics(pipelines: &[Arc<Forward>], page: &mut Page) {
    let counts: Vec<(&str, Counts, &Findings)> = pipelines
        .iter()
        .filter_map(|pipeline| {
            let following = pipeline.following.as_ref()?;
            Some((pipeline.name.as_str(), following.counts(), following.findings()))
        })
        .collect();
    for (kind, name, help, of) in OF_REDUCTION {
        let samples = counts.iter().map(|(pipeline, counts, _)| (vec![("pipeline", *pipeline)], of(counts)));
        page.metric(kind, &format!("veilspan_{name}"), help, samples);
    }
    for (kind, name, help, of) in OF_COMPARISON {
        let samples = counts.iter().filter_map(|(pipeline, counts, _)| {
            counts.compared.as_ref().map(|compared| (vec![("pipeline", *pipeline)], of(compared)))
        });
        page.metric(kind, &format!("veilspan_{name}"), help, samples);
    }
    let events = counts.iter().flat_map(|(pipeline, counts, _)| {
        let sample = |(event, count): &(&'static str, u64)| (vec![("pipeline", *pipeline), ("event", *event)], *count);
        counts.reduction.by_name.iter().map(sample).collect::<Vec<_>>()
    });
    page.metric(Kind::Counter, "veilspan_reduce_events_total", "What happened in reduction.", events);
    let findings = counts.iter().flat_map(|(pipeline, counts, _)| {
        let labels = |by, severity| vec![("pipeline", *pipeline), ("processor", by), ("severity", severity)];
        counts.findings.iter().map(|(by, severity, count)| (labels(by, severity), count)).collect::<Vec<_>>()
    });
    page.metric(Kind::Counter, "veilspan_findings_total", "What was found in agent runs.", findings);
    let exits =
        || counts.iter().flat_map(|(pipeline, _, findings)| findings.exits().map(move |exit| (*pipeline, exit)));
    let labels = |pipeline, exporter| vec![("pipeline", pipeline), ("exporter", exporter)];
    let sent = exits().map(|(pipeline, exit)| (labels(pipeline, exit.name()), exit.sent()));
    page.metric(Kind::Counter, "veilspan_findings_sent_total", "Findings sent as log records.", sent);
    let lost = exits().map(|(pipeline, exit)| (labels(pipeline, exit.name()), exit.lost()));
    page.metric(Kind::Counter, "veilspan_findings_lost_total", "Findings whose log records were lost.", lost);
}
