//! From what an operator wrote to an address that can be dialled.

use std::error::Error;
use std::time::Duration;

use http::Uri;
use tonic::transport::{Channel, Endpoint};

use super::client::USER_AGENT_NAME;
use super::tls::TlsFiles;
use super::transport::for_grpc;

/// After so long without a word the connection is asked whether it still is one. HTTP/2 pings would be the better test of a
/// silent peer, but Go's servers hang up on clients that send them more often than every five minutes.
pub(super) const KEEPALIVE: Duration = Duration::from_secs(30);

/// Settings of a client that cannot be used. Shows none of their values.
#[derive(Debug, thiserror::Error)]
#[error("{kind}")]
pub struct ConfigError {
    kind: Kind,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Kind {
    #[error("endpoint has no scheme: write http://host:port or https://host:port")]
    NoScheme,
    #[error("endpoint is neither http:// nor https://")]
    Scheme,
    #[error("endpoint has no valid host and port")]
    Address,
    #[cfg(not(feature = "tls"))]
    #[error("https:// needs the feature `tls`, which this build lacks")]
    NoTls,
    #[cfg(feature = "tls")]
    #[error("tls cannot be set up")]
    Tls,
    #[cfg(feature = "tls")]
    #[error("a file for tls cannot be read or is not PEM, or a client certificate has no key")]
    TlsFile,
    #[error("a header has an invalid name or value")]
    Header,
    #[cfg_attr(feature = "zstd", allow(dead_code))]
    #[error("compression with zstd needs the feature `zstd`, which this build lacks")]
    NoZstd,
    #[cfg(feature = "sdk")]
    #[error("opentelemetry_otlp cannot use its settings")]
    Settings,
    #[error("no tokio runtime to connect on")]
    NoRuntime,
}

impl From<Kind> for ConfigError {
    fn from(kind: Kind) -> Self {
        Self { kind, source: None }
    }
}

impl ConfigError {
    pub(super) const fn header() -> Self {
        Self { kind: Kind::Header, source: None }
    }

    pub(super) const fn no_zstd() -> Self {
        Self { kind: Kind::NoZstd, source: None }
    }

    /// What `opentelemetry_otlp` says of its settings may quote one.
    #[cfg(feature = "sdk")]
    pub(crate) const fn settings() -> Self {
        Self { kind: Kind::Settings, source: None }
    }

    #[cfg(not(feature = "tls"))]
    pub(super) const fn no_tls() -> Self {
        Self { kind: Kind::NoTls, source: None }
    }

    #[cfg(feature = "tls")]
    pub(super) fn tls(cause: impl Error + Send + Sync + 'static) -> Self {
        Self { kind: Kind::Tls, source: Some(Box::new(cause)) }
    }

    #[cfg(feature = "tls")]
    pub(super) fn tls_file(cause: std::io::Error) -> Self {
        Self { kind: Kind::TlsFile, source: Some(Box::new(cause)) }
    }
}

/// An address that can be dialled.
pub(super) struct Peer {
    uri: Uri,
    is_tls: bool,
}

impl Peer {
    /// Reads an address that will be dialled. Must be called inside a runtime.
    pub(super) fn parse(text: &str) -> Result<Self, ConfigError> {
        let peer = Self::read(text)?;
        // tonic spawns the connection's task at once, and panics where it cannot.
        tokio::runtime::Handle::try_current().map_err(|_| Kind::NoRuntime)?;
        Ok(peer)
    }

    fn read(text: &str) -> Result<Self, ConfigError> {
        // Checked first: `host:port` and `user:password@host` are valid URIs of other meanings.
        let (scheme, _) = text.split_once("://").ok_or(Kind::NoScheme)?;
        let is_tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(Kind::Scheme.into()),
        };
        let uri: Uri = text.parse().map_err(|_| Kind::Address)?;
        if uri.host().is_none_or(str::is_empty) || uri.port().is_none() && has_port(&uri) {
            return Err(Kind::Address.into());
        }
        let uri = without_password(uri).ok_or(Kind::Address)?;
        Ok(Self { uri, is_tls })
    }

    pub(super) const fn is_tls(&self) -> bool {
        self.is_tls
    }

    pub(super) fn into_uri(self) -> Uri {
        self.uri
    }

    /// A channel to it, with our name and our limits, that connects when it is first used.
    pub(super) fn channel(self, timeout: Duration, tls: &TlsFiles) -> Result<Channel, ConfigError> {
        Ok(self.endpoint(timeout, tls)?.connect_with_connector_lazy(for_grpc(timeout)))
    }

    /// The same, and no call on it takes longer than `timeout`.
    #[cfg(feature = "sdk")]
    pub(super) fn timed_channel(self, timeout: Duration, tls: &TlsFiles) -> Result<Channel, ConfigError> {
        Ok(self.endpoint(timeout, tls)?.timeout(timeout).connect_with_connector_lazy(for_grpc(timeout)))
    }

    fn endpoint(self, timeout: Duration, tls: &TlsFiles) -> Result<Endpoint, ConfigError> {
        let endpoint =
            Endpoint::from(self.uri).user_agent(USER_AGENT_NAME).map_err(|_| Kind::Address)?.connect_timeout(timeout);
        if self.is_tls { with_tls(endpoint, tls) } else { Ok(endpoint) }
    }
}

/// A name and a password before the host are not sent, and the libraries below would log them.
fn without_password(uri: Uri) -> Option<Uri> {
    let mut parts = uri.into_parts();
    let authority = parts.authority.take()?;
    let address = authority.as_str().rsplit('@').next()?;
    parts.authority = Some(address.parse().ok()?);
    Uri::from_parts(parts).ok()
}

/// Host and port of an address that can be dialled, without what may stand around them: a password, a key in a path.
pub(crate) fn host_and_port(text: &str) -> Option<String> {
    let uri = Peer::read(text).ok()?.uri;
    let host = uri.host()?;
    Some(uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// Whether something stands behind the host that should have been a port.
fn has_port(uri: &Uri) -> bool {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let host = uri.host().unwrap_or_default();
    authority.rsplit('@').next().is_some_and(|address| address != host)
}

#[cfg(feature = "tls")]
fn with_tls(endpoint: Endpoint, files: &TlsFiles) -> Result<Endpoint, ConfigError> {
    endpoint.tls_config(files.for_grpc()?).map_err(ConfigError::tls)
}

#[cfg(not(feature = "tls"))]
fn with_tls(_: Endpoint, _: &TlsFiles) -> Result<Endpoint, ConfigError> {
    Err(ConfigError::no_tls())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dial(text: &str) -> Result<Channel, ConfigError> {
        Peer::parse(text)?.channel(Duration::from_secs(1), &TlsFiles::default())
    }

    fn refusal(text: &str) -> Option<Kind> {
        dial(text).err().map(|error| error.kind)
    }

    #[tokio::test]
    async fn an_endpoint_without_a_scheme_is_refused_with_the_cure() {
        for text in ["localhost:4317", "127.0.0.1:4317", "collector", "", "user:secret@host:4317"] {
            let error = dial(text).unwrap_err();
            assert_eq!(error.kind, Kind::NoScheme, "{text}");
            assert!(error.to_string().contains("write http://"));
            assert!(!format!("{error:?} {error}").contains("secret"));
        }
    }

    #[tokio::test]
    async fn only_http_addresses_are_taken() {
        assert_eq!(refusal("http://localhost:4317"), None);
        assert_eq!(refusal("http://localhost:4317/"), None);
        assert_eq!(refusal("HTTP://[::1]:4317"), None);
        assert_eq!(refusal("http://collector"), None);
        assert_eq!(refusal("grpc://localhost:4317"), Some(Kind::Scheme));
        assert_eq!(refusal("unix:///tmp/socket"), Some(Kind::Scheme));
        for text in ["http://", "http:///v1/traces", "http://host:port", "http://host:99999", "http://a b"] {
            assert_eq!(refusal(text), Some(Kind::Address), "{text}");
        }
    }

    #[tokio::test]
    #[cfg(feature = "tls")]
    async fn https_is_set_up_or_says_why_not() {
        // A machine without roots is no reason to fail here.
        assert!(matches!(refusal("https://localhost:4317"), None | Some(Kind::Tls)));
    }

    #[test]
    fn without_a_runtime_there_is_an_error_and_no_panic() {
        assert_eq!(refusal("http://localhost:4317"), Some(Kind::NoRuntime));
    }

    #[tokio::test]
    #[cfg(not(feature = "tls"))]
    async fn https_without_the_feature_says_so() {
        assert_eq!(refusal("https://localhost:4317"), Some(Kind::NoTls));
    }
}
