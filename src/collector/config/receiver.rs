//! Where requests come in.

use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::SecretString;

use super::error::ConfigError;
use super::section::Section;

/// A receiver: OTLP over gRPC, over HTTP, or both.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Receiver {
    /// Its name: `otlp`, `otlp/second`.
    pub name: String,
    /// OTLP over gRPC.
    pub grpc: Option<Listen>,
    /// OTLP over HTTP/1.1 (`http/protobuf`), at `/v1/traces`.
    pub http: Option<Listen>,
}

/// An address that is listened on, and who may come in there.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Listen {
    /// Where; port 0 is a free one.
    pub address: SocketAddr,
    /// The most bytes of one request, unpacked.
    pub max_message_bytes: usize,
    /// The most requests on one connection at a time.
    pub max_streams: u32,
    /// Files for TLS.
    pub tls: Option<ServerTls>,
    /// What callers have to bring.
    pub token: Option<Token>,
    /// Whether it may listen beyond this machine without TLS and a credential.
    pub insecure: bool,
}

/// Files in PEM form for a listener.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerTls {
    /// Our own certificate, with those that lead to its root.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// With it every caller has to show a certificate that one of these has signed.
    pub client_authorities: Option<PathBuf>,
}

/// A bearer token (RFC 6750), or where it stands.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Token {
    /// The token.
    Value(SecretString),
    /// A file that holds it, perhaps with a newline behind it.
    File(PathBuf),
}

/// gRPC's and our own default.
const MAX_MESSAGE_BYTES: usize = 16 << 20;
const MAX_STREAMS: u32 = 100;

impl Listen {
    /// One at this address, for everybody on this machine.
    pub const fn at(address: SocketAddr) -> Self {
        Self {
            address,
            max_message_bytes: MAX_MESSAGE_BYTES,
            max_streams: MAX_STREAMS,
            tls: None,
            token: None,
            insecure: false,
        }
    }

    /// Whether it keeps to this machine, or lets in those alone who can show who they are, or is told to be open.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let has_credential =
            self.token.is_some() || self.tls.as_ref().is_some_and(|tls| tls.client_authorities.is_some());
        let is_closed = self.tls.is_some() && has_credential;
        if self.address.ip().is_loopback() || is_closed || self.insecure {
            return None;
        }
        Some(
            "not a loopback address: that needs `tls`, and `auth` or `tls.client_ca_file`; \
             `insecure: true` listens to everybody all the same",
        )
    }
}

impl Receiver {
    pub(super) fn read(name: &str, section: &Section<'_>) -> Result<Self, ConfigError> {
        let protocols = section.required("protocols", &["grpc", "http"])?;
        let grpc = ["endpoint", "max_recv_msg_size_mib", "max_concurrent_streams", "tls", "auth", "insecure"];
        let http = ["endpoint", "max_request_body_size", "tls", "auth", "insecure"];
        let listen = |key: &str, allowed: &[&str]| -> Result<Option<Listen>, ConfigError> {
            if !protocols.has(key) {
                return Ok(None);
            }
            Listen::read(&protocols.section(key, allowed)?).map(Some)
        };
        let receiver = Self { name: name.to_owned(), grpc: listen("grpc", &grpc)?, http: listen("http", &http)? };
        if receiver.grpc.is_none() && receiver.http.is_none() {
            return Err(protocols.wrong("expected `grpc`, `http` or both"));
        }
        Ok(receiver)
    }
}

impl Listen {
    pub(super) fn read(section: &Section<'_>) -> Result<Self, ConfigError> {
        let mut listen = Self::at(section.address("endpoint")?);
        if let Some(mib) = section.number("max_recv_msg_size_mib", 1, 1024)? {
            listen.max_message_bytes = usize::try_from(mib).unwrap_or(usize::MAX) << 20;
        }
        if let Some(bytes) = section.number("max_request_body_size", 1024, 1 << 30)? {
            listen.max_message_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        }
        if let Some(streams) = section.number("max_concurrent_streams", 1, 10_000)? {
            listen.max_streams = u32::try_from(streams).unwrap_or(MAX_STREAMS);
        }
        if section.has("tls") {
            let tls = section.section("tls", &["cert_file", "key_file", "client_ca_file"])?;
            let file = |key: &str| tls.path(key)?.ok_or_else(|| tls.wrong_at(key, "missing"));
            listen.tls = Some(ServerTls {
                certificate: file("cert_file")?,
                key: file("key_file")?,
                client_authorities: tls.path("client_ca_file")?,
            });
        }
        if section.has("auth") {
            let auth = section.section("auth", &["bearer_token", "bearer_token_file"])?;
            listen.token = match (auth.secret("bearer_token")?, auth.path("bearer_token_file")?) {
                (Some(token), None) => Some(Token::Value(token)),
                (None, Some(file)) => Some(Token::File(file)),
                _ => return Err(auth.wrong("expected either `bearer_token` or `bearer_token_file`")),
            };
            // Whoever can read the wire could take it and come in.
            if listen.tls.is_none() && !listen.address.ip().is_loopback() && !section.flag("insecure")? {
                return Err(section.wrong_at("auth", "a token needs `tls` beyond this machine"));
            }
        }
        listen.insecure = section.flag("insecure")?;
        match listen.problem() {
            Some(problem) => Err(section.wrong_at("endpoint", problem)),
            None => Ok(listen),
        }
    }
}
