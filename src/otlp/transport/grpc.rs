//! OTLP over gRPC.

use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use secrecy::ExposeSecret;
use tonic::client::Grpc;
use tonic::metadata::{AsciiMetadataKey, AsciiMetadataValue, MetadataMap};
use tonic::{Code, Request};

use crate::otlp::client::{Accepted, ClientOptions};
use crate::otlp::codec::RawCodec;
use crate::otlp::compression::Compression;
use crate::otlp::endpoint::{ConfigError, Peer};
use crate::otlp::error::ExportError;
use crate::otlp::guard::Guarded;
use crate::otlp::response;
use crate::otlp::segments::Segments;

/// Clones share the connection.
#[derive(Clone)]
pub(in crate::otlp) struct GrpcTransport {
    grpc: Grpc<Guarded>,
    path: PathAndQuery,
    headers: MetadataMap,
    timeout: Duration,
    is_packed: bool,
}

impl GrpcTransport {
    /// `timeout` is at most a day: `grpc-timeout` has eight digits, and tonic panics where they do not suffice.
    pub(in crate::otlp) fn new(options: &ClientOptions, peer: Peer, timeout: Duration) -> Result<Self, ConfigError> {
        let headers = metadata(options)?;
        let channel = peer.channel(timeout, &options.tls)?;
        let mut grpc = Grpc::new(Guarded(channel));
        let packing = options.compression.and_then(Compression::for_grpc);
        if let Some(packing) = packing {
            grpc = grpc.send_compressed(packing);
        }
        Ok(Self { grpc, path: options.signal.grpc_path(), headers, timeout, is_packed: packing.is_some() })
    }

    pub(in crate::otlp) async fn send(&self, message: Segments) -> Result<Accepted, ExportError> {
        let mut request = if self.is_packed {
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
        let answer = grpc.unary(request, self.path.clone(), codec).await;
        let message: Bytes = answer.map_err(|status| ExportError::from_status(&status))?.into_inner();
        response::parse(&message).map_err(|_| ExportError::unreadable())
    }
}

/// The headers that go with each request.
pub(crate) fn metadata(options: &ClientOptions) -> Result<MetadataMap, ConfigError> {
    let mut headers = MetadataMap::with_capacity(options.headers.len());
    for (name, value) in &options.headers {
        let name = AsciiMetadataKey::from_bytes(name.to_ascii_lowercase().as_bytes());
        let value = AsciiMetadataValue::try_from(value.expose_secret());
        let (Ok(name), Ok(mut value)) = (name, value) else { return Err(ConfigError::header()) };
        // Keeps the value out of the logs of the layers below, and out of HPACK's tables.
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
