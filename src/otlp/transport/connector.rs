//! Connections, over HTTP/1.1 and for gRPC. Asks no proxy.

use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;

use super::gathered::Gathering;
use crate::otlp::endpoint::{ConfigError, KEEPALIVE, Peer};
use crate::otlp::tls::TlsFiles;

/// A peer that has acknowledged nothing for so long is gone without a word. Nobody asks one that still owes an answer whether
/// it is there, and the system tries for a quarter of an hour to reach it, while each request fails on the connection that it
/// has and none makes another.
#[cfg(target_os = "linux")]
const UNHEARD: Duration = Duration::from_secs(30);

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
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(UNHEARD));
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use tonic::codegen::Service;

    use super::*;

    #[tokio::test]
    async fn a_peer_that_acknowledges_nothing_is_given_up_in_half_a_minute() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let stream = tcp(Duration::from_secs(20)).call(uri).await.unwrap().into_inner();
        assert_eq!(rustix::net::sockopt::tcp_user_timeout(&stream).unwrap(), 30_000);
        assert!(rustix::net::sockopt::socket_keepalive(&stream).unwrap());
    }
}
