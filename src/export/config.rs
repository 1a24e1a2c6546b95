//! Where spans are sent and in what portions, from OpenTelemetry's own variables.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use crate::environment::{Environment, Warning};

/// Where spans are sent, and in what portions. `Debug` shows no value that an operator wrote, but host and port.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExporterConfig {
    /// `http://host:port` or `https://host:port` of an OTLP gRPC receiver.
    pub endpoint: String,
    /// Metadata of every request. Values appear in no output of ours.
    pub headers: Vec<(String, SecretString)>,
    /// How long one request may take.
    pub timeout: Duration,
    /// How long a span may wait for its batch to fill.
    pub batch_delay: Duration,
    /// The most spans of one request.
    pub batch_spans: usize,
    /// The most bytes of spans in one request. Receivers refuse requests over 4 MiB unless told otherwise.
    pub batch_bytes: usize,
    /// The most bytes of encoded spans that wait to be sent.
    pub queue_bytes: usize,
    /// Nothing is to be recorded at all.
    pub disabled: bool,
    /// Attributes of the resource besides those that name this library and this process life.
    pub resource: Vec<(String, String)>,
}

/// An exporter that cannot be made. Says nothing of the values it was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExporterError {
    /// The endpoint or a header cannot be used.
    #[error("the endpoint cannot be used")]
    Endpoint(#[source] crate::otlp::ConfigError),
    /// The thread or its runtime could not be started.
    #[error("the exporter's thread could not be started")]
    Thread(#[source] std::io::Error),
}

impl fmt::Debug for ExporterConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExporterConfig")
            .field("endpoint", &self.address())
            .field("headers", &self.headers.len())
            .field("timeout", &self.timeout)
            .field("batch_delay", &self.batch_delay)
            .field("batch_spans", &self.batch_spans)
            .field("batch_bytes", &self.batch_bytes)
            .field("queue_bytes", &self.queue_bytes)
            .finish_non_exhaustive()
    }
}

impl Default for ExporterConfig {
    fn default() -> Self {
        Self {
            endpoint: "http://localhost:4317".to_owned(),
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            batch_delay: Duration::from_secs(5),
            batch_spans: 512,
            batch_bytes: 2 << 20,
            queue_bytes: 64 << 20,
            disabled: false,
            resource: vec![("service.name".to_owned(), "unknown_service".to_owned())],
        }
    }
}

impl ExporterConfig {
    /// Host and port of the endpoint, which may hold a password before them.
    pub fn address(&self) -> String {
        let Ok(uri) = self.endpoint.parse::<http::Uri>() else { return String::new() };
        let host = uri.host().unwrap_or_default();
        uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// What the environment asks for, and what is wrong in it. A wrong value is taken for unset.
    pub fn from_environment(environment: &Environment) -> (Self, Vec<Warning>) {
        let mut warnings = Vec::new();
        let mut config = Self::default();
        let traces_or_general = |name: &str| {
            let traces = format!("OTEL_EXPORTER_OTLP_TRACES_{name}");
            let general = format!("OTEL_EXPORTER_OTLP_{name}");
            let found = |name: String| environment.otel(&name).map(|value| (name.clone(), value));
            found(traces).or_else(|| found(general))
        };
        config.disabled = is_disabled(environment, &mut warnings);
        if let Some((name, endpoint)) = traces_or_general("ENDPOINT") {
            config.endpoint = endpoint.to_owned();
            if config.address().is_empty() {
                let message = "not an address such as `http://localhost:4317`; nothing can be sent";
                warnings.push(Warning::new(&name, endpoint, message));
            }
        }
        if let Some((name, headers)) = traces_or_general("HEADERS") {
            match pairs(headers) {
                Some(pairs) => config.headers = pairs.into_iter().map(|(key, value)| (key, value.into())).collect(),
                None => warnings.push(Warning::new(&name, headers, "not `key=value` pairs joined by commas; ignored")),
            }
        }
        if let Some((name, timeout)) = traces_or_general("TIMEOUT") {
            set_millis(&mut config.timeout, &name, timeout, &mut warnings);
        }
        if let Some(delay) = environment.otel("OTEL_BSP_SCHEDULE_DELAY") {
            set_millis(&mut config.batch_delay, "OTEL_BSP_SCHEDULE_DELAY", delay, &mut warnings);
        }
        if let Some(spans) = environment.otel("OTEL_BSP_MAX_EXPORT_BATCH_SIZE") {
            match spans.parse() {
                Ok(spans) if spans > 0 => config.batch_spans = spans,
                _ => {
                    let message = "not a whole number above zero; the default holds";
                    warnings.push(Warning::new("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", spans, message));
                }
            }
        }
        config.resource = resource(environment, &mut warnings);
        (config, warnings)
    }
}

fn is_disabled(environment: &Environment, warnings: &mut Vec<Warning>) -> bool {
    const NAME: &str = "OTEL_SDK_DISABLED";
    let Some(value) = environment.otel(NAME) else { return false };
    let disabled = value.eq_ignore_ascii_case("true");
    if !disabled && !value.eq_ignore_ascii_case("false") {
        warnings.push(Warning::new(NAME, value, "neither `true` nor `false`; taken for `false`"));
    }
    disabled
}

fn set_millis(place: &mut Duration, name: &str, value: &str, warnings: &mut Vec<Warning>) {
    match value.parse() {
        Ok(millis) if millis > 0 => *place = Duration::from_millis(millis),
        _ => {
            warnings.push(Warning::new(name, value, "not a whole number of milliseconds above zero; the default holds"))
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
