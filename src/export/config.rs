//! Where spans are sent, and in what portions.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;

use crate::intake::Sampler;
use crate::otlp::{ClientOptions, host_and_port};
pub use crate::otlp::{Protocol, TlsFiles};

/// Where spans are sent, and in what portions. `Debug` shows no value that an operator wrote, but host and port.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExporterConfig {
    /// `http://host:port` or `https://host:port` of an OTLP receiver. Over HTTP it is the whole address that takes traces,
    /// such as `http://localhost:4318/v1/traces`.
    pub endpoint: String,
    /// How requests are sent.
    pub protocol: Protocol,
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
    /// The most spans that wait to be sent.
    pub queue_spans: usize,
    /// Whether requests are compressed with gzip.
    pub gzip: bool,
    /// Files in PEM form for `https://`.
    pub tls: TlsFiles,
    /// Which agent runs are recorded at all.
    pub sampler: Sampler,
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
            .field("protocol", &self.protocol)
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
            protocol: Protocol::Grpc,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            batch_delay: Duration::from_secs(5),
            batch_spans: 512,
            batch_bytes: 2 << 20,
            queue_bytes: 64 << 20,
            queue_spans: usize::MAX,
            gzip: false,
            tls: TlsFiles::default(),
            sampler: Sampler::ALL,
            disabled: false,
            resource: vec![("service.name".to_owned(), "unknown_service".to_owned())],
        }
    }
}

impl ExporterConfig {
    /// Whom to send to, and what along with each request.
    pub(crate) fn peer(&self) -> ClientOptions {
        ClientOptions {
            endpoint: self.endpoint.clone(),
            protocol: self.protocol,
            headers: self.headers.clone(),
            timeout: self.timeout,
            gzip: self.gzip,
            tls: self.tls.clone(),
        }
    }

    /// Whether the endpoint is one for TLS.
    pub fn is_secure(&self) -> bool {
        self.endpoint.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https"))
    }

    /// Host and port of the endpoint, which may hold a password before them; nothing where it cannot be used.
    pub fn address(&self) -> String {
        host_and_port(&self.endpoint).unwrap_or_default()
    }
}
