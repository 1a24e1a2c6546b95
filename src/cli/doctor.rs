//! `veilspan doctor`: every setting that is in force, and where it came from. Never a variable's own text.

use std::io::Write;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Failure;
use crate::environment::{Environment, Setting, VARIABLES, Warning};
use crate::export::{Compression, ExporterConfig, Fsync, SpoolConfig, SpoolWait};
use crate::intake::Propagation;
use crate::privacy::{Origin, Policy};

/// Print every setting that is in force, and where it came from.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    Text,
    Json,
}

/// One setting.
struct Row {
    name: &'static str,
    /// As it was parsed; a key as its id, a header as nothing but its presence.
    in_force: String,
    origin: String,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let environment = Environment::from_process();
    let (policy, mut warnings) = Policy::builder().keep_key().build_in(&environment);
    let (config, more) = ExporterConfig::from_environment(&environment);
    warnings.extend(more);
    warnings.extend(Propagation::from_environment(&environment).1);
    warnings.extend(super::hook::patience(&environment).1);
    warnings.extend(super::input::Access::read(&environment).1);
    let rows = rows(&environment, &policy, &config, &warnings);
    let text = match arguments.format {
        Format::Text => text(&rows, &policy, &warnings),
        Format::Json => format!("{:#}\n", as_json(&rows, &policy, &warnings)),
    };
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(|_| Failure::Unavailable("stdout cannot be written to".to_owned()))
}

fn rows(environment: &Environment, policy: &Policy, config: &ExporterConfig, warnings: &[Warning]) -> Vec<Row> {
    let row = |name: &'static str| {
        let is_wrong = warnings.iter().any(|warning| warning.variable == name);
        let origin = match environment.get(name) {
            Setting::Unset => "default",
            _ if is_wrong => "not understood",
            Setting::Set(text) if name.starts_with("OTEL_") && text.trim().is_empty() => "default",
            Setting::Set(_) | Setting::NotUnicode => "environment",
        };
        match level(name, policy) {
            // What another source has decided is told by its name.
            Some((level, from)) if from != Origin::Variable(name) => {
                Row { name, in_force: level, origin: from.to_string() }
            }
            Some((level, _)) => Row { name, in_force: level, origin: origin.to_owned() },
            None => Row { name, in_force: in_force(name, environment, policy, config), origin: origin.to_owned() },
        }
    };
    VARIABLES.iter().map(|variable| row(variable.name)).collect()
}

/// The level that a variable is about, and what decided it.
fn level(name: &str, policy: &Policy) -> Option<(String, Origin)> {
    match name {
        "VEILSPAN_CONTENT" => Some((policy.level().to_string(), policy.level_origin())),
        "VEILSPAN_CONTENT_MAX" => Some((policy.ceiling().0.to_string(), policy.ceiling().1)),
        _ => {
            let class = name.strip_prefix("VEILSPAN_CONTENT_")?.to_ascii_lowercase();
            let found = policy.classes().iter().find(|known| known.class.as_str() == class)?;
            let placeholders = if found.has_placeholder() { ", with placeholders" } else { "" };
            Some((format!("{}{placeholders}", found.level), found.origin))
        }
    }
}

fn in_force(name: &str, environment: &Environment, policy: &Policy, config: &ExporterConfig) -> String {
    let present = |is_there: bool| if is_there { "set" } else { "not set" }.to_owned();
    let is_set = environment.get(name) != Setting::Unset;
    let spool = config.spool.as_ref();
    match name {
        "VEILSPAN_PREVIEW" => if policy.has_placeholders() { "placeholder" } else { "text" }.to_owned(),
        "VEILSPAN_PREVIEW_CHARS" => format!("{} characters", policy.preview_chars()),
        "VEILSPAN_DETECTORS" => policy.detector_rules().map_or("none".to_owned(), |rules| format!("{rules} rules")),
        "VEILSPAN_ATTRIBUTE_BYTES" => format!("{} bytes", policy.attribute_bytes()),
        "VEILSPAN_PAYLOADS" => match policy.payloads() {
            Some(_) => "in use".to_owned(),
            None if is_set => "not in use".to_owned(),
            None => present(false),
        },
        "VEILSPAN_HASH" => policy.algorithm().map_or("none", |algorithm| algorithm.as_str()).to_owned(),
        "VEILSPAN_HASH_KEY" | "VEILSPAN_HASH_KEY_FILE" => present(is_set),
        "VEILSPAN_HASH_KEY_ID" => policy.key_id().unwrap_or("none").to_owned(),
        "VEILSPAN_INLINE" => config.inline.to_string(),
        "VEILSPAN_PROPAGATE" => Propagation::from_environment(environment).0.summary(),
        "VEILSPAN_HOOK_BLOCK_MS" => format!("{} ms", super::hook::patience(environment).0.as_millis()),
        "VEILSPAN_BACKEND_HEADERS" => format!("{} headers", super::input::Access::read(environment).0.headers.len()),
        "OTEL_SDK_DISABLED" => config.disabled.to_string(),
        "OTEL_TRACES_EXPORTER" => if config.disabled { "none" } else { "otlp" }.to_owned(),
        "OTEL_METRICS_EXPORTER" => config.metrics.as_ref().map_or("none", |_| "otlp").to_owned(),
        "OTEL_METRIC_EXPORT_INTERVAL" => {
            format!("{} ms", config.metrics.as_ref().map_or(60_000, |metrics| metrics.interval.as_millis()))
        }
        "OTEL_TRACES_SAMPLER" | "OTEL_TRACES_SAMPLER_ARG" => config.sampler.to_string(),
        "OTEL_EXPORTER_OTLP_INSECURE" | "OTEL_EXPORTER_OTLP_TRACES_INSECURE" => (!config.is_secure()).to_string(),
        "OTEL_EXPORTER_OTLP_PROTOCOL" | "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL" => config.protocol.to_string(),
        "OTEL_EXPORTER_OTLP_COMPRESSION" | "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION" => {
            config.compression.map_or("none", Compression::as_str).to_owned()
        }
        "OTEL_BSP_EXPORT_TIMEOUT" => format!("{} ms", config.timeout.as_millis()),
        "OTEL_BSP_MAX_QUEUE_SIZE" if config.queue_spans == usize::MAX => format!("{} bytes", config.queue_bytes),
        "OTEL_BSP_MAX_QUEUE_SIZE" => format!("{} spans", config.queue_spans),
        "OTEL_EXPORTER_OTLP_ENDPOINT" | "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT" => config.address(),
        "OTEL_EXPORTER_OTLP_HEADERS" | "OTEL_EXPORTER_OTLP_TRACES_HEADERS" => {
            format!("{} headers", config.headers.len())
        }
        "OTEL_EXPORTER_OTLP_TIMEOUT" | "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT" => {
            format!("{} ms", config.timeout.as_millis())
        }
        "VEILSPAN_SPOOL_DIR" => present(spool.is_some()),
        "VEILSPAN_SPOOL_BYTES" => format!("{} bytes", spool.map_or(SpoolConfig::new("").bytes, |spool| spool.bytes)),
        "VEILSPAN_SPOOL_FSYNC" => spool.map_or(Fsync::Os, |spool| spool.fsync).as_str().to_owned(),
        "VEILSPAN_SPOOL_WAIT" => match spool.and_then(|spool| spool.wait) {
            None => "none",
            Some(SpoolWait::Written) => "written",
            Some(SpoolWait::Synced) => "synced",
        }
        .to_owned(),
        "OTEL_BSP_SCHEDULE_DELAY" => format!("{} ms", config.batch_delay.as_millis()),
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE" => format!("{} spans", config.batch_spans),
        "OTEL_SERVICE_NAME" => {
            let service = config.resource.iter().find(|(key, _)| key == "service.name");
            service.map(|(_, value)| policy.label(value).to_string()).unwrap_or_default()
        }
        "OTEL_RESOURCE_ATTRIBUTES" => format!("{} attributes", config.resource.len()),
        _ => present(is_set),
    }
}

fn text(rows: &[Row], policy: &Policy, warnings: &[Warning]) -> String {
    let widest = |cell: fn(&Row) -> usize| rows.iter().map(cell).max().unwrap_or_default();
    let (name, value) = (widest(|row| row.name.len()), widest(|row| row.in_force.len()));
    let mut text = format!("veilspan {}\npolicy {}\n\n", env!("CARGO_PKG_VERSION"), policy.snapshot());
    for row in rows {
        text.push_str(&format!("{:name$}  {:value$}  {}\n", row.name, row.in_force, row.origin));
    }
    for warning in warnings {
        text.push_str(&format!("\nwarning: {}: {}", warning.variable, warning.message));
    }
    if !warnings.is_empty() {
        text.push('\n');
    }
    text
}

fn as_json(rows: &[Row], policy: &Policy, warnings: &[Warning]) -> Value {
    let settings: Vec<_> =
        rows.iter().map(|row| json!({ "name": row.name, "in_force": row.in_force, "origin": row.origin })).collect();
    let warnings: Vec<_> =
        warnings.iter().map(|warning| json!({ "variable": warning.variable, "message": warning.message })).collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "policy": &**policy.snapshot(),
        "settings": settings,
        "warnings": warnings,
    })
}
