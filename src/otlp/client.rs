//! Requests out, over gRPC or HTTP.
//!
//! A [`Client`] connects when it is first used and again after a connection breaks. It sends what it is given once:
//! batches, retries and what becomes of refused spans are for `export`. Needs a Tokio runtime with I/O and time, the one
//! under which it was made.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use tonic::Code;

use super::compression::Compression;
use super::endpoint::{ConfigError, Peer};
use super::error::ExportError;
use super::protocol::Protocol;
use super::segments::Segments;
use super::signal::Signal;
use super::tls::TlsFiles;
use super::transport::{GrpcTransport, HttpTransport};

/// The method that takes traces.
pub(super) const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// Who sends.
pub(super) const USER_AGENT_NAME: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Where to send, and what to send along. `Debug` shows neither the endpoint, which may hold a password, nor values.
#[derive(Clone)]
pub struct ClientOptions {
    /// `http://host:port` or `https://host:port`. Over gRPC a path means nothing; over HTTP it is the whole address that
    /// takes the signal, `/v1/traces` included.
    pub endpoint: String,
    /// How requests are sent.
    pub protocol: Protocol,
    /// What they hold.
    pub signal: Signal,
    /// Metadata that goes with each request. Over HTTP, what says how a message is framed is left out.
    pub headers: Vec<(String, SecretString)>,
    /// How long a request may take, the connection included; a day at most.
    pub timeout: Duration,
    /// How requests are compressed, if at all.
    pub compression: Option<Compression>,
    /// Files for `https://`.
    pub tls: TlsFiles,
}

impl ClientOptions {
    /// For an endpoint over gRPC, with no headers and the ten seconds that OTLP exporters wait by default.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            protocol: Protocol::Grpc,
            signal: Signal::Traces,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            compression: None,
            tls: TlsFiles::default(),
        }
    }

    /// A channel for a gRPC client of somebody else's, which adds headers and compresses by itself.
    #[cfg(feature = "sdk")]
    pub(crate) fn channel(&self) -> Result<tonic::transport::Channel, ConfigError> {
        Peer::parse(&self.endpoint)?.timed_channel(self.timeout.min(MAX_TIMEOUT), &self.tls)
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("protocol", &self.protocol)
            .field("headers", &self.headers.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A client of one of the OTLP services. Clones share the connection.
#[derive(Clone)]
pub struct Client {
    transport: Transport,
    timeout: Duration,
}

#[derive(Clone)]
enum Transport {
    Grpc(Box<GrpcTransport>),
    Http(Box<HttpTransport>),
}

/// What the peer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// How many spans (or log records) of the request it refused for good.
    pub rejected_spans: i64,
    /// The length of what it said of that, in bytes.
    pub message_len: usize,
}

impl Client {
    /// A client that will connect when it first sends.
    ///
    /// # Errors
    ///
    /// [`ConfigError`]: an endpoint or header that cannot be used, or no Tokio runtime here.
    pub fn new(options: &ClientOptions) -> Result<Self, ConfigError> {
        let timeout = options.timeout.min(MAX_TIMEOUT);
        let peer = Peer::parse(&options.endpoint)?;
        options.compression.map(Compression::built).transpose()?;
        let transport = match options.protocol {
            Protocol::Grpc => Transport::Grpc(Box::new(GrpcTransport::new(options, peer, timeout)?)),
            Protocol::HttpProtobuf => Transport::Http(Box::new(HttpTransport::new(options, peer, timeout)?)),
        };
        Ok(Self { transport, timeout })
    }

    /// Sends one request of the signal: an `ExportTraceServiceRequest`.
    ///
    /// # Errors
    ///
    /// [`ExportError`] where the request as a whole was not taken.
    pub async fn export(&self, request: Segments) -> Result<Accepted, ExportError> {
        self.in_time(async {
            match &self.transport {
                Transport::Grpc(grpc) => grpc.send(request).await,
                Transport::Http(http) => http.send(request).await,
            }
        })
        .await
    }

    /// The same over HTTP for one that somebody else has written, and perhaps compressed.
    #[cfg(feature = "sdk")]
    pub(crate) async fn export_body(
        &self,
        body: bytes::Bytes,
        compression: Option<Compression>,
    ) -> Result<Accepted, ExportError> {
        match &self.transport {
            Transport::Http(http) => self.in_time(http.post(Segments::from(body), compression)).await,
            Transport::Grpc(_) => Err(ExportError::unanswered(Code::Unimplemented)),
        }
    }

    async fn in_time(
        &self,
        sending: impl Future<Output = Result<Accepted, ExportError>>,
    ) -> Result<Accepted, ExportError> {
        match tokio::time::timeout(self.timeout, sending).await {
            Ok(answer) => answer,
            Err(_) => Err(ExportError::unanswered(Code::DeadlineExceeded)),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
