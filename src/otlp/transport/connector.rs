//! Connections, over HTTP/1.1 and for gRPC. Asks no proxy.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;

use super::gathered::Gathering;
use crate::otlp::endpoint::{ConfigError, KEEPALIVE, Peer};
use crate::otlp::tls::TlsFiles;

/// What connects to a peer of ours.
#[cfg(feature = "tls")]
pub(in crate::otlp) type Connector = hyper_rustls::HttpsConnector<HttpConnector>;
/// What connects to a peer of ours.
#[cfg(not(feature = "tls"))]
pub(in crate::otlp) type Connector = HttpConnector;

/// Connections to a peer, each within `timeout`.
pub(in crate::otlp) fn connector(files: &TlsFiles, peer: &Peer, timeout: Duration) -> Result<Connector, ConfigError> {
    secured(tcp(timeout), files, peer)
}

/// Connections for gRPC, whose TLS is tonic's.
pub(in crate::otlp) fn for_grpc(timeout: Duration) -> Gathering {
    let mut tcp = tcp(timeout);
    tcp.enforce_http(false);
    Gathering::new(tcp)
}

fn tcp(timeout: Duration) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(timeout));
    tcp.set_keepalive(Some(KEEPALIVE));
    tcp
}

#[cfg(feature = "tls")]
fn secured(mut tcp: HttpConnector, files: &TlsFiles, peer: &Peer) -> Result<Connector, ConfigError> {
    tcp.enforce_http(false);
    // Certificates are read where they are needed alone: a machine without any may well send over `http://`.
    let config = if peer.is_tls() { files.for_http()? } else { TlsFiles::for_nobody()? };
    let builder = hyper_rustls::HttpsConnectorBuilder::new().with_tls_config(config);
    let builder = if peer.is_tls() { builder.https_only() } else { builder.https_or_http() };
    Ok(builder.enable_http1().wrap_connector(tcp))
}

#[cfg(not(feature = "tls"))]
fn secured(tcp: HttpConnector, _: &TlsFiles, peer: &Peer) -> Result<Connector, ConfigError> {
    if peer.is_tls() { Err(ConfigError::no_tls()) } else { Ok(tcp) }
}
