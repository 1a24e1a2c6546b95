//! Where the recorder's own counters are sent as metrics.

use super::{METRICS, Reader};
use crate::export::config::{ExporterConfig, MetricsConfig};

impl Reader<'_> {
    /// Only where it is asked for, against the specification's default: who takes traces need not take metrics.
    pub(super) fn metrics(&mut self) -> Option<MetricsConfig> {
        const NAME: &str = "OTEL_METRICS_EXPORTER";
        let word = self.environment.otel(NAME).filter(|word| !word.eq_ignore_ascii_case("none"))?;
        if !word.eq_ignore_ascii_case("otlp") {
            self.warn(NAME, word, "neither `otlp` nor `none`; taken for `none`, since nobody asked for `otlp`");
            return None;
        }
        if !cfg!(feature = "sdk") {
            self.warn(NAME, word, "this build lacks the feature `sdk`; taken for `none`");
            return None;
        }
        let mut reader = Reader { environment: self.environment, signal: METRICS, warnings: Vec::new() };
        let mut scratch = ExporterConfig::default();
        reader.peer(&mut scratch);
        let mut metrics = MetricsConfig::new(scratch.peer());
        const INTERVAL: &str = "OTEL_METRIC_EXPORT_INTERVAL";
        if let Some(interval) = self.environment.otel(INTERVAL) {
            self.millis(&mut metrics.interval, INTERVAL, interval);
        }
        // What is wrong in the general variables was found for traces.
        let own = reader.warnings.into_iter().filter(|warning| warning.variable.contains("_METRICS_"));
        self.warnings.extend(own);
        (!scratch.address().is_empty()).then_some(metrics)
    }
}

#[cfg(test)]
#[cfg(feature = "sdk")]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::environment::Warning;

    fn under(variables: &[(&str, &str)]) -> (Option<MetricsConfig>, Vec<Warning>) {
        let (config, warnings) = ExporterConfig::from_environment(&variables.iter().copied().collect());
        (config.metrics, warnings)
    }

    const ASKED: (&str, &str) = ("OTEL_METRICS_EXPORTER", "otlp");

    #[test]
    fn metrics_are_sent_only_where_somebody_asks_for_them() {
        assert!(under(&[]).0.is_none() && under(&[("OTEL_METRICS_EXPORTER", "None")]).0.is_none());
        let (odd, warnings) = under(&[("OTEL_METRICS_EXPORTER", "prometheus")]);
        assert!(odd.is_none() && warnings.len() == 1);
        let metrics = under(&[ASKED]).0.unwrap();
        assert_eq!((&*metrics.peer.endpoint, metrics.interval), ("http://localhost:4317", Duration::from_secs(60)));
    }

    #[test]
    fn they_have_variables_of_their_own_and_the_general_ones_hold_below_them() {
        let general = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4318/base");
        let (metrics, warnings) = under(&[ASKED, general, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")]);
        assert_eq!(metrics.unwrap().peer.endpoint, "http://general:4318/base/v1/metrics");
        assert!(warnings.is_empty());
        let own = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://metrics:4317");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4317");
        let interval = ("OTEL_METRIC_EXPORT_INTERVAL", "500");
        let metrics = under(&[ASKED, general, own, traces, interval]).0.unwrap();
        assert_eq!((&*metrics.peer.endpoint, metrics.interval.as_millis()), ("http://metrics:4317", 500));
        let wrong =
            [ASKED, ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"), ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "grpc://a")];
        let (metrics, warnings) = under(&wrong);
        assert!(metrics.is_none(), "an address that cannot be dialled");
        assert_eq!(warnings.len(), 2, "each is told once: {warnings:?}");
    }
}
