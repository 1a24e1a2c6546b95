//! Where spans are sent, and in what portions.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::spool::Fsync;
use crate::intake::Sampler;
use crate::otlp::{ClientOptions, Signal, host_and_port};
pub use crate::otlp::{Compression, Protocol, TlsFiles};

/// Where spans are sent, and in what portions. `Debug` shows no value that an operator wrote, but host and port.
#[derive(Clone)]
#[non_exhaustive]
pub struct ExporterConfig {
    /// `http://host:port` or `https://host:port` of an OTLP receiver. Over HTTP it is the whole address that takes traces,
    /// such as `http://localhost:4318/v1/traces`.
    pub endpoint: String,
    /// How requests are sent.
    pub protocol: Protocol,
    /// What they hold.
    pub(crate) signal: Signal,
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
    /// How requests are compressed, if at all.
    pub compression: Option<Compression>,
    /// Where spans wait on disk; without it they wait in memory.
    pub spool: Option<SpoolConfig>,
    /// Where the recorder's own counters are sent as metrics, with the feature `sdk`; without it they are told by
    /// `Recorder::counts` alone.
    pub metrics: Option<MetricsConfig>,
    /// Files in PEM form for `https://`.
    pub tls: TlsFiles,
    /// Which agent runs are recorded at all.
    pub sampler: Sampler,
    /// What is said is veiled on the thread that says it, which waits for that; nothing waits as it was said.
    pub inline: bool,
    /// Nothing is to be recorded at all.
    pub disabled: bool,
    /// Attributes of the resource besides those that name this library and this process life.
    pub resource: Vec<(String, String)>,
}

/// Where the recorder's own counters are sent as metrics, and how often.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct MetricsConfig {
    /// To whom. Over HTTP the endpoint is the whole address that takes metrics, such as `http://localhost:4318/v1/metrics`.
    pub peer: ClientOptions,
    /// The time between two requests.
    pub interval: Duration,
}

impl MetricsConfig {
    /// To this receiver, once a minute.
    pub const fn new(peer: ClientOptions) -> Self {
        Self { peer, interval: Duration::from_secs(60) }
    }
}

/// Where spans wait on disk, and how hard it is tried to keep them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SpoolConfig {
    /// A folder of this user's alone (mode 0700), which is made where its parent is there. Processes may share one. What is too
    /// long for the peer is set aside in it, under `set-aside`: a file for each span, in all a sixteenth of `bytes`.
    pub folder: PathBuf,
    /// The most bytes that a process takes there, what it took over from others included.
    pub bytes: u64,
    /// Whether what is written is also synced.
    pub fsync: Fsync,
    /// What the start and the end of a call wait for, [`SpoolConfig::LONGEST_WAIT`] at the most.
    pub wait: Option<SpoolWait>,
}

/// What the start and the end of a call wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpoolWait {
    /// That it is written: it survives the process.
    Written,
    /// That it is synced: it survives a loss of power. What is written is synced at once then, whatever `fsync` says.
    Synced,
}

impl SpoolConfig {
    /// No call waits longer; each that is cut short is counted.
    pub const LONGEST_WAIT: Duration = Duration::from_millis(50);

    /// A spool of fewer bytes has no room for a single segment.
    pub const LEAST_BYTES: u64 = 64 << 10;

    /// A spool of 256 MiB in this folder, written and not synced, for which nobody waits.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), bytes: 256 << 20, fsync: Fsync::Os, wait: None }
    }
}

impl fmt::Debug for SpoolConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpoolConfig")
            .field("bytes", &self.bytes)
            .field("fsync", &self.fsync)
            .field("wait", &self.wait)
            .finish_non_exhaustive()
    }
}

/// An exporter that cannot be made. Says nothing of the values it was given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExporterError {
    /// The endpoint or a header cannot be used.
    #[error("the endpoint cannot be used")]
    Endpoint(#[source] crate::otlp::ConfigError),
    /// The receiver of metrics cannot be used.
    #[error("the receiver of metrics cannot be used")]
    Metrics(#[source] crate::otlp::ConfigError),
    /// The spool cannot be used.
    #[error("the spool cannot be used")]
    Spool(#[source] super::spool::SpoolError),
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
            .field("spool", &self.spool)
            .finish_non_exhaustive()
    }
}

impl Default for ExporterConfig {
    fn default() -> Self {
        Self {
            endpoint: "http://localhost:4317".to_owned(),
            protocol: Protocol::Grpc,
            signal: Signal::Traces,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            batch_delay: Duration::from_secs(5),
            batch_spans: 512,
            batch_bytes: 2 << 20,
            queue_bytes: 64 << 20,
            queue_spans: usize::MAX,
            compression: None,
            spool: None,
            metrics: None,
            tls: TlsFiles::default(),
            sampler: Sampler::ALL,
            inline: false,
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
            signal: self.signal,
            headers: self.headers.clone(),
            timeout: self.timeout,
            compression: self.compression,
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
