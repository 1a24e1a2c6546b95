//! Where spans go.

use std::path::PathBuf;

use super::error::ConfigError;
use super::section::{Section, type_of};
use crate::export::{Compression, ExporterConfig, Protocol, TlsFiles};
use crate::otlp::Signal;

/// The types of exporters.
pub(super) const TYPES: &[&str] = &["otlp", "otlphttp", "file"];

/// An exporter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Exporter {
    /// Its name: `otlp`, `file/audit`.
    pub name: String,
    /// Whether no answer waits for it: what it cannot deliver is sent again from a queue in memory, and counted where it is lost.
    pub best_effort: bool,
    /// How it sends.
    pub kind: ExporterKind,
}

/// How an exporter sends.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ExporterKind {
    /// OTLP over gRPC or HTTP.
    Otlp(Box<ExporterConfig>),
    /// OTLP JSON, a request a line.
    File(FileConfig),
}

/// A file of lines, and when the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileConfig {
    /// The file; it is made where its folder is there, readable by its owner alone.
    pub path: PathBuf,
    /// It is put aside before it becomes longer than this.
    pub max_bytes: u64,
    /// How many that were put aside are kept: `path.1` is the youngest.
    pub max_backups: u32,
}

impl Exporter {
    /// One that sends over gRPC to `http://host:port`, and whose answers are waited for.
    pub fn grpc(endpoint: &str) -> Self {
        let config = ExporterConfig { endpoint: endpoint.to_owned(), ..ExporterConfig::default() };
        Self { name: "otlp".to_owned(), best_effort: false, kind: ExporterKind::Otlp(Box::new(config)) }
    }

    pub(super) fn read(name: &str, all: &Section<'_>) -> Result<Self, ConfigError> {
        Self::read_for(Signal::Traces, name, all)
    }

    /// One that is to take log records.
    pub(super) fn read_for_logs(name: &str, all: &Section<'_>) -> Result<Self, ConfigError> {
        match type_of(name, TYPES) {
            Some("file") => {
                Err(all.wrong_at(name, "a `file` exporter keeps spans alone, so `findings` cannot name it"))
            }
            _ => Self::read_for(Signal::Logs, name, all),
        }
    }

    /// One that nobody uses yet.
    pub(super) fn read_unused(name: &str, all: &Section<'_>) -> Result<Self, ConfigError> {
        let section = all.any(name)?;
        // What is meant for log records alone says so.
        let is_for_logs = section.has("logs_endpoint") && !section.has("traces_endpoint") && !section.has("endpoint");
        if is_for_logs { Self::read_for_logs(name, all) } else { Self::read(name, all) }
    }

    fn read_for(signal: Signal, name: &str, all: &Section<'_>) -> Result<Self, ConfigError> {
        const OTLP: &[&str] = &["endpoint", "headers", "compression", "timeout", "tls", "best_effort"];
        let (section, kind) = match type_of(name, TYPES) {
            Some("file") => {
                let section = all.section(name, &["path", "rotation", "best_effort"])?;
                let file = file(&section)?;
                (section, ExporterKind::File(file))
            }
            Some("otlphttp") => {
                let section = all.section(name, &[OTLP, &["traces_endpoint", "logs_endpoint"]].concat())?;
                let config = otlp(&section, Protocol::HttpProtobuf, signal)?;
                (section, ExporterKind::Otlp(Box::new(config)))
            }
            _ => {
                let section = all.section(name, OTLP)?;
                let config = otlp(&section, Protocol::Grpc, signal)?;
                (section, ExporterKind::Otlp(Box::new(config)))
            }
        };
        Ok(Self { name: name.to_owned(), best_effort: section.flag("best_effort")?, kind })
    }
}

const ENDPOINT: &str = "expected `http://host:port` or `https://host:port`";

fn otlp(section: &Section<'_>, protocol: Protocol, signal: Signal) -> Result<ExporterConfig, ConfigError> {
    let mut config = ExporterConfig { protocol, signal, ..ExporterConfig::default() };
    let whole = if signal == Signal::Logs { "logs_endpoint" } else { "traces_endpoint" };
    let key = if section.has(whole) { whole } else { "endpoint" };
    config.endpoint = section.required_text(key, ENDPOINT)?.to_owned();
    if crate::otlp::host_and_port(&config.endpoint).is_none() {
        return Err(section.wrong_at(key, ENDPOINT));
    }
    // The Collector's rule: `endpoint` is a base, `traces_endpoint` and `logs_endpoint` are whole addresses.
    if protocol == Protocol::HttpProtobuf && key == "endpoint" {
        let base = config.endpoint.trim_end_matches('/').len();
        config.endpoint.truncate(base);
        config.endpoint.push_str(signal.http_path());
    }
    config.headers = section.headers("headers")?;
    config.compression = section.word("compression", &["none", "gzip", "zstd"])?.and_then(Compression::from_word);
    if let Some(timeout) = section.duration("timeout")? {
        config.timeout = timeout;
    }
    if section.has("tls") {
        if section.any("tls")?.has("insecure") {
            // The Collector's word for it.
            return Err(section
                .any("tls")?
                .wrong_at("insecure", "an endpoint that begins with `http://` is without TLS"));
        }
        let tls = section.section("tls", &["ca_file", "cert_file", "key_file"])?;
        if !config.is_secure() {
            return Err(tls.wrong("needs an `https://` endpoint"));
        }
        config.tls = TlsFiles {
            certificate: tls.path("ca_file")?,
            client_certificate: tls.path("cert_file")?,
            client_key: tls.path("key_file")?,
        };
        if config.tls.client_certificate.is_some() != config.tls.client_key.is_some() {
            return Err(tls.wrong("`cert_file` and `key_file` go together"));
        }
    }
    Ok(config)
}

fn file(section: &Section<'_>) -> Result<FileConfig, ConfigError> {
    let path = section.path("path")?.ok_or_else(|| section.wrong_at("path", "missing"))?;
    let rotation = section.section("rotation", &["max_megabytes", "max_backups"])?;
    let megabytes = rotation.number("max_megabytes", 1, 1 << 20)?.unwrap_or(100);
    let max_backups = rotation.number("max_backups", 1, 1000)?.unwrap_or(10);
    Ok(FileConfig { path, max_bytes: megabytes << 20, max_backups: u32::try_from(max_backups).unwrap_or(u32::MAX) })
}
