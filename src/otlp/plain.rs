//! Requests that are no OTLP, to one peer: a back end that is asked for traces, a model.
//!
//! Over HTTP/1.1, by the connections that OTLP goes over. Follows no redirect, since that would show a peer's headers to
//! another, and asks no proxy. Says who we are where nobody else says who asks.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderValue, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::client::USER_AGENT_NAME;
use super::endpoint::{ConfigError, Peer};
use super::tls::TlsFiles;
use super::transport::{Connector, connector};

/// A peer that is spoken to in HTTP. Clones share the connections.
#[derive(Clone)]
pub(crate) struct PlainClient {
    client: Client<Connector, Full<Bytes>>,
    base: Uri,
}

/// Nobody answered. The transport's own words may quote what a peer has sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no answer")]
pub(crate) struct Unanswered;

impl PlainClient {
    /// A client below this URL. Connections are made within `timeout`. Must be called inside a runtime.
    pub(crate) fn new(url: &str, tls: &TlsFiles, timeout: Duration) -> Result<Self, ConfigError> {
        let peer = Peer::parse(url)?;
        let connector = connector(tls, &peer, timeout)?;
        let mut builder = Client::builder(TokioExecutor::new());
        builder.pool_timer(TokioTimer::new());
        Ok(Self { client: builder.build(connector), base: peer.into_uri() })
    }

    /// The path of its URL, without a slash at its end.
    pub(crate) fn base_path(&self) -> &str {
        self.base.path().trim_end_matches('/')
    }

    /// Host and port.
    pub(crate) fn address(&self) -> (&str, u16) {
        let is_tls = self.base.scheme_str() == Some("https");
        let port = self.base.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        (self.base.host().unwrap_or_default(), port)
    }

    /// Sends a request to `path`, which stands behind the path of the URL.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response<Incoming>, Unanswered> {
        let mut parts = self.base.clone().into_parts();
        let target = format!("{}{path}", self.base_path());
        parts.path_and_query = Some(target.parse().map_err(|_| Unanswered)?);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = Uri::from_parts(parts).map_err(|_| Unanswered)?;
        *request.headers_mut() = headers;
        request.headers_mut().entry(USER_AGENT).or_insert(HeaderValue::from_static(USER_AGENT_NAME));
        self.client.request(request).await.map_err(|_| Unanswered)
    }
}
