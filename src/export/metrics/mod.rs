//! The recorder's own counters as OpenTelemetry metrics: through a meter provider of the host's, or through one of ours.
//!
//! Promises that every counter of [`Counts`](crate::intake::Counts) is told, under the name that OpenTelemetry's conventions
//! for the SDK's own metrics have for it (`otel.sdk.*`, in development there) and under `veilspan.*` where they have none; and
//! that attributes are words of ours alone. Costs nothing where a call is recorded: counters are read when somebody collects.

mod instruments;
mod push;

pub(super) use push::Push;

use std::sync::Arc;

use opentelemetry::metrics::MeterProvider;

use self::instruments::{Source, Told};
use crate::record::Recorder;

impl Recorder {
    /// Tells the counters of this recorder as metrics of `provider`, from here on and as long as the recorder lives. A disabled
    /// recorder tells nothing.
    ///
    /// Call it once for each recorder and provider. Without a provider in the host, `OTEL_METRICS_EXPORTER=otlp` makes one.
    /// The names are those of OpenTelemetry's conventions for an SDK's own metrics where they have one:
    ///
    /// | metric | attributes | what it counts |
    /// |---|---|---|
    /// | `otel.sdk.span.started` | | calls that were opened |
    /// | `otel.sdk.processor.span.processed` | `error.type` | calls that the sink took, and those that were lost before |
    /// | `otel.sdk.exporter.span.exported` | `error.type` | spans that the peer took, and those that it did not |
    /// | `veilspan.lost` | `error.type` | all that was lost, by the words of [`Drop`](crate::intake::Drop) |
    /// | `veilspan.export.retries` | | requests that failed and were sent again |
    /// | `veilspan.label.replaced` | | labels that left as a digest or as `_OTHER` |
    /// | `veilspan.result.refused` | `error.type` | results of delegated calls that were refused |
    /// | `veilspan.spool.written`, `.adopted`, `.adopted_sent`, `.adopted_lost`, `.abandoned`, `.set_aside` | | spans, as in [`Counts`](crate::intake::Counts) |
    /// | `veilspan.spool.failures`, `.waits_cut_short` | | the same, of what failed |
    ///
    /// All of them have `otel.component.type` = `veilspan` and `otel.component.name` = `veilspan/<number>`, another number for each
    /// recorder. Where `OTEL_METRICS_EXPORTER` makes the provider, `otel.sdk.processor.span.queue.size` stands beside them: the
    /// spans that wait or are on their way.
    pub fn tell_metrics(&self, provider: &impl MeterProvider) {
        let Some(desk) = self.desk() else { return };
        let desk = Arc::downgrade(desk);
        let source: Source = Arc::new(move || desk.upgrade().map(|desk| Told { counts: desk.counts(), waiting: None }));
        instruments::register(&provider.meter(env!("CARGO_PKG_NAME")), &source);
    }
}
