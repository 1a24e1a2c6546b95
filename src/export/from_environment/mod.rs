//! The configuration in OpenTelemetry's own variables. A wrong value is taken for unset, and named.

mod endpoint;
mod metrics;
mod resource;
mod spool;

use std::path::PathBuf;
use std::time::Duration;

use self::resource::resource;
use super::config::{ExporterConfig, TlsFiles};
use crate::environment::{Environment, Setting, VARIABLES, Warning, pairs};
use crate::intake::Sampler;
use crate::otlp::{Compression, Protocol};

impl ExporterConfig {
    /// What the environment asks for, and what is wrong in it. A wrong value is taken for unset.
    pub fn from_environment(environment: &Environment) -> (Self, Vec<Warning>) {
        let mut reader = Reader { environment, signal: TRACES, warnings: Vec::new() };
        reader.not_unicode();
        let disabled = reader.flag("OTEL_SDK_DISABLED").unwrap_or(false) | reader.exports_nothing();
        let mut config = Self { disabled, ..Self::default() };
        reader.peer(&mut config);
        config.metrics = reader.metrics();
        reader.batches(&mut config);
        reader.spool(&mut config);
        reader.sampler(&mut config);
        config.inline = reader.inline();
        config.resource = resource(environment, &mut reader.warnings);
        (config, reader.warnings)
    }
}

/// What variables are read for.
#[derive(Clone, Copy)]
struct Signal {
    /// What stands in the names of variables that are for it alone.
    name: &'static str,
    /// Where it is taken over HTTP, below what the general variable says.
    path: &'static str,
}

const TRACES: Signal = Signal { name: "TRACES", path: "/v1/traces" };
const METRICS: Signal = Signal { name: "METRICS", path: "/v1/metrics" };

/// Reads variables, and gathers what is wrong in them.
struct Reader<'a> {
    environment: &'a Environment,
    signal: Signal,
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

    /// To whom, and how.
    fn peer(&mut self, config: &mut ExporterConfig) {
        config.protocol = self.protocol();
        self.endpoint(config);
        if let Some((name, headers)) = self.otlp("HEADERS") {
            match pairs(headers) {
                Some(pairs) => config.headers = pairs.into_iter().map(|(key, value)| (key, value.into())).collect(),
                None => self.warn(&name, headers, "not `key=value` pairs joined by commas; ignored"),
            }
        }
        if let Some((name, timeout)) = self.otlp("TIMEOUT") {
            self.millis(&mut config.timeout, &name, timeout);
        }
        config.compression = self.compression();
        let file = |suffix| self.otlp(suffix).map(|(_, path)| PathBuf::from(path));
        config.tls = TlsFiles {
            certificate: file("CERTIFICATE"),
            client_certificate: file("CLIENT_CERTIFICATE"),
            client_key: file("CLIENT_KEY"),
        };
    }

    /// The variable for this signal alone, or else the general one.
    fn otlp(&self, suffix: &str) -> Option<(String, &'a str)> {
        let names =
            [format!("OTEL_EXPORTER_OTLP_{}_{suffix}", self.signal.name), format!("OTEL_EXPORTER_OTLP_{suffix}")];
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

    /// What is not understood means the most private.
    fn inline(&mut self) -> bool {
        const NAME: &str = "VEILSPAN_INLINE";
        let Some(value) = self.environment.otel(NAME) else { return false };
        let is_false = value.eq_ignore_ascii_case("false");
        if !is_false && !value.eq_ignore_ascii_case("true") {
            self.warn(NAME, value, "neither `true` nor `false`; taken for `true`");
        }
        !is_false
    }

    fn exports_nothing(&mut self) -> bool {
        const NAME: &str = "OTEL_TRACES_EXPORTER";
        let Some(value) = self.environment.otel(NAME) else { return false };
        if !value.eq_ignore_ascii_case("otlp") && !value.eq_ignore_ascii_case("none") {
            self.warn(NAME, value, "neither `otlp` nor `none`; taken for `none`, since nobody asked for `otlp`");
        }
        !value.eq_ignore_ascii_case("otlp")
    }

    fn protocol(&mut self) -> Protocol {
        let Some((name, word)) = self.otlp("PROTOCOL") else { return Protocol::default() };
        Protocol::from_word(word).unwrap_or_else(|| {
            self.warn(&name, word, "neither `grpc` nor `http/protobuf`; taken for `grpc`");
            Protocol::Grpc
        })
    }

    fn compression(&mut self) -> Option<Compression> {
        let (name, word) = self.otlp("COMPRESSION")?;
        let compression = Compression::from_word(word);
        if compression.is_none() && !word.eq_ignore_ascii_case("none") {
            self.warn(&name, word, "none of `gzip`, `zstd` and `none`; taken for `none`");
        }
        if compression.is_some_and(|compression| !compression.is_built()) {
            self.warn(&name, word, "this build lacks the feature `zstd`; taken for `none`");
        }
        compression.filter(|compression| compression.is_built())
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
        let sampler = self.environment.otel(NAME).unwrap_or_default().to_ascii_lowercase();
        // The root of a rollout has no parent whose decision could be followed, so both families mean the same.
        let sampler = sampler.strip_prefix("parentbased_").unwrap_or(&sampler);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn under(variables: &[(&str, &str)]) -> (ExporterConfig, Vec<Warning>) {
        ExporterConfig::from_environment(&variables.iter().copied().collect())
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
}
