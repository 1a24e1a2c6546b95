//! Requests out, over gRPC.
//!
//! A [`Client`] connects when it is first used and again after a connection breaks. It sends what it is given once:
//! batches, retries and what becomes of refused spans are for `export`. Needs a Tokio runtime with I/O and time, the one
//! under which it was made.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use secrecy::{ExposeSecret, SecretString};
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::{Code, Request};

use super::codec::RawCodec;
use super::endpoint::{self, ConfigError};
use super::error::ExportError;
use super::guard::Guarded;
use super::response;
use super::segments::Segments;
use super::tls::TlsFiles;

/// The method that takes traces.
pub(super) const EXPORT_PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// Where to send, and what to send along. `Debug` shows neither the endpoint, which may hold a password, nor values.
#[derive(Clone)]
pub struct ClientOptions {
    /// `http://host:port` or `https://host:port`.
    pub endpoint: String,
    /// Metadata that goes with each request.
    pub headers: Vec<(String, SecretString)>,
    /// How long a request may take, the connection included; a day at most.
    pub timeout: Duration,
    /// Whether requests are compressed with gzip.
    pub gzip: bool,
    /// Files for `https://`.
    pub tls: TlsFiles,
}

impl ClientOptions {
    /// For an endpoint, with no headers and the ten seconds that OTLP exporters wait by default.
    pub fn new(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            gzip: false,
            tls: TlsFiles::default(),
        }
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("headers", &self.headers.len())
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// A client of the OTLP trace service. Clones share the connection.
#[derive(Clone)]
pub struct Client {
    grpc: Grpc<Guarded>,
    headers: MetadataMap,
    timeout: Duration,
    gzip: bool,
}

/// What the peer took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// How many spans of the request it refused for good.
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
        let mut headers = MetadataMap::with_capacity(options.headers.len());
        for (name, value) in &options.headers {
            let name = AsciiMetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes());
            let value = AsciiMetadataValue::try_from(value.expose_secret());
            let (Ok(name), Ok(mut value)) = (name, value) else { return Err(ConfigError::header()) };
            // Keeps the value out of the logs of the layers below, and out of HPACK's tables.
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        // `grpc-timeout` has eight digits, and tonic panics where they do not suffice.
        let timeout = options.timeout.min(MAX_TIMEOUT);
        let channel = endpoint::parse(&options.endpoint, timeout, &options.tls)?.connect_lazy();
        let mut grpc = Grpc::new(Guarded(channel));
        if options.gzip {
            grpc = grpc.send_compressed(CompressionEncoding::Gzip);
        }
        Ok(Self { grpc, headers, timeout, gzip: options.gzip })
    }

    /// Sends one `ExportTraceServiceRequest`.
    ///
    /// # Errors
    ///
    /// [`ExportError`] where the request as a whole was not taken.
    pub async fn export(&self, request: Segments) -> Result<Accepted, ExportError> {
        match tokio::time::timeout(self.timeout, self.call(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(ExportError::unanswered(Code::DeadlineExceeded)),
        }
    }

    async fn call(&self, message: Segments) -> Result<Accepted, ExportError> {
        let mut request = if self.gzip {
            Request::new(message)
        } else {
            // An empty message for tonic to encode; the real one goes along with it, to where nothing copies it.
            let mut request = Request::new(Segments::default());
            request.extensions_mut().insert(message);
            request
        };
        let codec = RawCodec::for_message(request.get_ref().len());
        *request.metadata_mut() = self.headers.clone();
        request.set_timeout(self.timeout);
        let mut grpc = self.grpc.clone();
        grpc.ready().await.map_err(|_| ExportError::unanswered(Code::Unavailable))?;
        let answer = grpc.unary(request, PathAndQuery::from_static(EXPORT_PATH), codec).await;
        let message: Bytes = answer.map_err(|status| ExportError::from_status(&status))?.into_inner();
        response::parse(&message).map_err(|_| ExportError::unreadable())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}
