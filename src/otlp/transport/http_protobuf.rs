//! OTLP over HTTP/1.1, in its binary form (`http/protobuf`).
//!
//! Sends a POST to the endpoint as it stands; follows no redirect, since that would show a peer's headers to another;
//! asks no proxy.

use std::time::Duration;

use http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
    USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use secrecy::ExposeSecret;
use tonic::Code;

use super::connector::{Connector, connector};
use super::http_answer;
use crate::otlp::body::MessageBody;
use crate::otlp::client::{Accepted, ClientOptions, USER_AGENT_NAME};
use crate::otlp::compression::Compression;
use crate::otlp::endpoint::{ConfigError, Peer};
use crate::otlp::error::ExportError;
use crate::otlp::segments::Segments;

pub(super) const PROTOBUF: &str = "application/x-protobuf";

/// What the transport alone can say: how long a message is and what it is, and whom the connection is with.
const OURS: [HeaderName; 9] =
    [CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

/// Clones share the connections.
#[derive(Clone)]
pub(in crate::otlp) struct HttpTransport {
    client: Client<Connector, MessageBody>,
    endpoint: Uri,
    headers: HeaderMap,
    compression: Option<Compression>,
}

impl HttpTransport {
    pub(in crate::otlp) fn new(options: &ClientOptions, peer: Peer, timeout: Duration) -> Result<Self, ConfigError> {
        let headers = headers(options)?;
        let connector = connector(&options.tls, &peer, timeout)?;
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new());
        Ok(Self {
            client: builder.build(connector),
            endpoint: peer.into_uri(),
            headers,
            compression: options.compression,
        })
    }

    pub(in crate::otlp) async fn send(&self, message: Segments) -> Result<Accepted, ExportError> {
        let message = match self.compression {
            Some(compression) => compression.pack(&message).map_err(|_| ExportError::unanswered(Code::Internal))?,
            None => message,
        };
        self.post(message, self.compression).await
    }

    /// Sends a body as it is, and says how it is compressed.
    pub(in crate::otlp) async fn post(
        &self,
        message: Segments,
        compression: Option<Compression>,
    ) -> Result<Accepted, ExportError> {
        let length = message.len();
        let mut request = Request::new(MessageBody::bare(message));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        *request.headers_mut() = self.headers.clone();
        // Said, so that the message is not sent in chunks, which some receivers do not take.
        request.headers_mut().insert(CONTENT_LENGTH, length.into());
        if let Some(compression) = compression {
            request.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(compression.as_str()));
        }
        let answer = self.client.request(request).await.map_err(|_| ExportError::unanswered(Code::Unavailable))?;
        http_answer::read(answer).await
    }
}

fn headers(options: &ClientOptions) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::with_capacity(options.headers.len() + 4);
    headers.insert(USER_AGENT, HeaderValue::from_static(USER_AGENT_NAME));
    for (name, value) in &options.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::try_from(value.expose_secret());
        let (Ok(name), Ok(mut value)) = (name, value) else { return Err(ConfigError::header()) };
        value.set_sensitive(true);
        if !OURS.contains(&name) {
            headers.insert(name, value);
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(PROTOBUF));
    Ok(headers)
}
