//! The configuration in OpenTelemetry's own variables. A wrong value is taken for unset, and named.

use std::path::PathBuf;
use std::time::Duration;

use super::config::{ExporterConfig, TlsFiles};
use crate::environment::{Environment, Setting, VARIABLES, Warning};
use crate::intake::Sampler;

impl ExporterConfig {
    /// What the environment asks for, and what is wrong in it. A wrong value is taken for unset.
    pub fn from_environment(environment: &Environment) -> (Self, Vec<Warning>) {
        let mut reader = Reader { environment, warnings: Vec::new() };
        reader.not_unicode();
        let disabled = reader.flag("OTEL_SDK_DISABLED").unwrap_or(false) | reader.exports_nothing();
        let mut config = Self { disabled, ..Self::default() };
        reader.endpoint(&mut config);
        reader.protocol();
        if let Some((name, headers)) = reader.otlp("HEADERS") {
            match pairs(headers) {
                Some(pairs) => config.headers = pairs.into_iter().map(|(key, value)| (key, value.into())).collect(),
                None => reader.warn(&name, headers, "not `key=value` pairs joined by commas; ignored"),
            }
        }
        if let Some((name, timeout)) = reader.otlp("TIMEOUT") {
            reader.millis(&mut config.timeout, &name, timeout);
        }
        config.gzip = reader.compression();
        let file = |suffix| reader.otlp(suffix).map(|(_, path)| PathBuf::from(path));
        config.tls = TlsFiles {
            certificate: file("CERTIFICATE"),
            client_certificate: file("CLIENT_CERTIFICATE"),
            client_key: file("CLIENT_KEY"),
        };
        reader.batches(&mut config);
        reader.sampler(&mut config);
        config.resource = resource(environment, &mut reader.warnings);
        (config, reader.warnings)
    }
}

/// Reads variables, and gathers what is wrong in them.
struct Reader<'a> {
    environment: &'a Environment,
    warnings: Vec<Warning>,
}

impl<'a> Reader<'a> {
    fn warn(&mut self, name: &str, value: &str, message: &'static str) {
        self.warnings.push(Warning::new(name, value, message));
    }

    /// What is not Unicode counts as unset, but not silently.
    fn not_unicode(&mut self) {
        for variable in VARIABLES.iter().filter(|variable| variable.name.starts_with("OTEL_")) {
            if self.environment.get(variable.name) == Setting::NotUnicode {
                self.warn(variable.name, "", "not Unicode; taken for unset");
            }
        }
    }

    /// The variable for traces alone, or else the general one.
    fn otlp(&self, suffix: &str) -> Option<(String, &'a str)> {
        let names = [format!("OTEL_EXPORTER_OTLP_TRACES_{suffix}"), format!("OTEL_EXPORTER_OTLP_{suffix}")];
        names.into_iter().find_map(|name| self.environment.otel(&name).map(|value| (name, value)))
    }

    fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.environment.otel(name)?;
        let is_true = value.eq_ignore_ascii_case("true");
        if !is_true && !value.eq_ignore_ascii_case("false") {
            self.warn(name, value, "neither `true` nor `false`; taken for `false`");
        }
        Some(is_true)
    }

    fn exports_nothing(&mut self) -> bool {
        const NAME: &str = "OTEL_TRACES_EXPORTER";
        let Some(value) = self.environment.otel(NAME) else { return false };
        if !value.eq_ignore_ascii_case("otlp") && !value.eq_ignore_ascii_case("none") {
            self.warn(NAME, value, "neither `otlp` nor `none`; taken for `none`, since nobody asked for `otlp`");
        }
        !value.eq_ignore_ascii_case("otlp")
    }

    fn endpoint(&mut self, config: &mut ExporterConfig) {
        let insecure = self.otlp("INSECURE").map(|(name, _)| name).and_then(|name| self.flag(&name));
        let Some((name, endpoint)) = self.otlp("ENDPOINT") else { return };
        let has_scheme = endpoint.contains("://");
        // By the specification an address without a scheme is a secure one, unless it is said not to be.
        let scheme = if insecure == Some(true) { "http://" } else { "https://" };
        config.endpoint = if has_scheme { endpoint.to_owned() } else { format!("{scheme}{endpoint}") };
        if config.address().is_empty() {
            self.warn(&name, endpoint, "not an address such as `http://localhost:4317`; nothing can be sent");
        }
    }

    fn protocol(&mut self) {
        if let Some((name, protocol)) = self.otlp("PROTOCOL")
            && protocol != "grpc"
        {
            self.warn(&name, protocol, "this version speaks `grpc` alone, and sends by it");
        }
    }

    fn compression(&mut self) -> bool {
        let Some((name, compression)) = self.otlp("COMPRESSION") else { return false };
        if !matches!(compression, "gzip" | "none") {
            self.warn(&name, compression, "neither `gzip` nor `none`; taken for `none`");
        }
        compression == "gzip"
    }

    fn batches(&mut self, config: &mut ExporterConfig) {
        if let Some(delay) = self.environment.otel("OTEL_BSP_SCHEDULE_DELAY") {
            self.millis(&mut config.batch_delay, "OTEL_BSP_SCHEDULE_DELAY", delay);
        }
        if let Some(timeout) = self.environment.otel("OTEL_BSP_EXPORT_TIMEOUT") {
            let mut limit = config.timeout;
            self.millis(&mut limit, "OTEL_BSP_EXPORT_TIMEOUT", timeout);
            config.timeout = config.timeout.min(limit);
        }
        self.count(&mut config.queue_spans, "OTEL_BSP_MAX_QUEUE_SIZE");
        self.count(&mut config.batch_spans, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE");
        config.batch_spans = config.batch_spans.min(config.queue_spans);
    }

    fn sampler(&mut self, config: &mut ExporterConfig) {
        const NAME: &str = "OTEL_TRACES_SAMPLER";
        const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";
        let sampler = self.environment.otel(NAME).unwrap_or_default();
        // The root of a rollout has no parent whose decision could be followed, so both families mean the same.
        let sampler = sampler.strip_prefix("parentbased_").unwrap_or(sampler);
        let argument = self.environment.otel(ARGUMENT);
        config.sampler = match sampler {
            "" | "always_on" => Sampler::ALL,
            "always_off" => Sampler::NONE,
            "traceidratio" => {
                let share = argument.map_or(Some(1.0), |share| share.parse().ok());
                share.and_then(Sampler::ratio).unwrap_or_else(|| {
                    self.warn(ARGUMENT, argument.unwrap_or_default(), "not a share from 0 to 1; taken for 1");
                    Sampler::ALL
                })
            }
            unknown => {
                self.warn(NAME, unknown, "not a sampler of the specification; all is recorded");
                Sampler::ALL
            }
        };
    }

    fn millis(&mut self, place: &mut Duration, name: &str, value: &str) {
        match value.parse() {
            Ok(millis) if millis > 0 => *place = Duration::from_millis(millis),
            _ => self.warn(name, value, "not a whole number of milliseconds above zero; the default holds"),
        }
    }

    fn count(&mut self, place: &mut usize, name: &str) {
        let Some(value) = self.environment.otel(name) else { return };
        match value.parse() {
            Ok(count) if count > 0 => *place = count,
            _ => self.warn(name, value, "not a whole number above zero; the default holds"),
        }
    }
}

/// `OTEL_RESOURCE_ATTRIBUTES`, with `OTEL_SERVICE_NAME` above its `service.name`.
fn resource(environment: &Environment, warnings: &mut Vec<Warning>) -> Vec<(String, String)> {
    const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
    let mut attributes = Vec::new();
    if let Some(value) = environment.otel(ATTRIBUTES) {
        match pairs(value) {
            Some(pairs) => attributes = pairs,
            None => {
                warnings.push(Warning::new(ATTRIBUTES, value, "not `key=value` pairs joined by commas; ignored"));
            }
        }
    }
    let service = |key: &str| key == "service.name";
    if let Some(name) = environment.otel("OTEL_SERVICE_NAME") {
        attributes.retain(|(key, _)| !service(key));
        attributes.push(("service.name".to_owned(), name.to_owned()));
    }
    if !attributes.iter().any(|(key, _)| service(key)) {
        attributes.push(("service.name".to_owned(), "unknown_service".to_owned()));
    }
    // Of two values for one key the last one counts.
    let mut seen = std::collections::HashSet::new();
    let mut last_wins: Vec<_> = attributes.into_iter().rev().filter(|(key, _)| seen.insert(key.clone())).collect();
    last_wins.reverse();
    last_wins
}

/// `key=value` pairs joined by commas, percent-encoded as W3C Baggage has it.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let pair = |pair: &str| {
        let (key, value) = pair.split_once('=')?;
        let key = key.trim();
        (!key.is_empty()).then_some(())?;
        Some((percent_decoded(key)?, percent_decoded(value.trim())?))
    };
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(pair).collect()
}

fn percent_decoded(text: &str) -> Option<String> {
    percent_encoding::percent_decode_str(text).decode_utf8().ok().map(|text| text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(variables: &[(&str, &str)]) -> (ExporterConfig, Vec<Warning>) {
        ExporterConfig::from_environment(&variables.iter().copied().collect())
    }

    #[test]
    fn the_variable_for_traces_wins_over_the_general_one() {
        let general = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://general:4317");
        assert_eq!(under(&[general]).0.endpoint, "http://general:4317");
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces:4317");
        assert_eq!(under(&[general, traces]).0.endpoint, "http://traces:4317");
        assert_eq!(under(&[general, ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "")]).0.endpoint, "http://general:4317");
    }

    #[test]
    fn a_value_that_is_not_a_number_is_named_once_and_the_default_holds() {
        for name in ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"] {
            let (config, warnings) = under(&[(name, "soon")]);
            assert_eq!(warnings.len(), 1);
            assert_eq!(warnings[0].variable, name);
            assert_eq!((config.timeout.as_secs(), config.batch_delay.as_secs(), config.batch_spans), (10, 5, 512));
        }
    }

    #[test]
    fn headers_and_resource_are_percent_decoded_and_never_printed() {
        let (config, warnings) = under(&[
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20canary, x-a=1"),
            ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,deployment.environment.name=prod%2Feu,service.name=b"),
        ]);
        assert!(warnings.is_empty());
        assert_eq!(config.headers.len(), 2);
        assert!(!format!("{config:?}").contains("canary"));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(config.resource, [pair("deployment.environment.name", "prod/eu"), pair("service.name", "b")]);
        assert_eq!(under(&[("OTEL_EXPORTER_OTLP_HEADERS", "canary")]).1.len(), 1);
    }

    #[test]
    fn the_service_has_a_name_in_any_case() {
        assert_eq!(under(&[]).0.resource, [("service.name".to_owned(), "unknown_service".to_owned())]);
        let both = [("OTEL_RESOURCE_ATTRIBUTES", "service.name=a"), ("OTEL_SERVICE_NAME", "b")];
        assert_eq!(under(&both).0.resource, [("service.name".to_owned(), "b".to_owned())]);
    }
}
