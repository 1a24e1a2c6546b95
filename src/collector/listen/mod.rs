//! Where requests come in: sockets, TLS, credentials, and how long anybody may take.
//!
//! ```text
//! TcpListener ─ room? ─▶ TLS ─▶ HTTP/2 or HTTP/1.1 ─▶ Door: who, whereto ─▶ TraceServer, TraceHttp, health
//! ```
//!
//! Promises that a connection which says nothing, or says it slowly, is ended; that the number of connections, of streams on
//! each and of bytes in a header is bounded; and that a missing or wrong credential is refused and counted before a body is
//! read, and logged nowhere. Costs a task for each connection. Leaves to the gate behind it what a request may hold.

mod accept;
mod connection;
mod credential;
mod door;
mod hello;
mod tally;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use super::config::{Listen, ServerTls};
use super::health::Health;
use super::stage::{StageError, about};
use crate::otlp::{Acceptor, Gate, Handler, ServerTlsFiles, TraceHttp, TraceServer};

use credential::Credential;

pub(super) use accept::run;
pub(super) use door::{Door, Guard, TraceDoor, misdirected};
pub(super) use tally::{Open, Tally};

/// What is spoken on a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Grpc,
    Http,
}

impl Protocol {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
        }
    }

    /// As TLS names it (RFC 7301).
    const fn alpn(self) -> &'static [u8] {
        match self {
            Self::Grpc => b"h2",
            Self::Http => b"http/1.1",
        }
    }
}

/// A bound socket and all that is needed to serve it.
pub(super) struct Listener<D> {
    pub(super) socket: TcpListener,
    pub(super) protocol: Protocol,
    pub(super) address: SocketAddr,
    door: Arc<D>,
    acceptor: Option<Acceptor>,
    max_streams: u32,
}

impl<H: Handler> Listener<TraceDoor<H>> {
    /// Binds the address and reads every file that belongs to it.
    pub(super) fn bind(
        listen: &Listen,
        protocol: Protocol,
        handler: &Arc<H>,
        gate: &Arc<Gate>,
        health: &Arc<Health>,
    ) -> Result<Self, StageError> {
        Self::guarded(listen, protocol, gate, health, |guard| TraceDoor {
            grpc: TraceServer::new(Arc::clone(handler))
                .max_message_bytes(listen.max_message_bytes)
                .gate(Arc::clone(gate)),
            http: TraceHttp::new(Arc::clone(handler))
                .max_message_bytes(listen.max_message_bytes)
                .gate(Arc::clone(gate)),
            guard,
        })
    }
}

impl<D: Door> Listener<D> {
    /// The same for a door of another kind.
    pub(super) fn guarded(
        listen: &Listen,
        protocol: Protocol,
        gate: &Arc<Gate>,
        health: &Arc<Health>,
        door: impl FnOnce(Guard) -> D,
    ) -> Result<Self, StageError> {
        let acceptor = match &listen.tls {
            Some(tls) => Some(files(tls).acceptor(protocol.alpn()).map_err(StageError::Certificate)?),
            None => None,
        };
        let credential = listen.token.as_ref().map(Credential::read).transpose();
        let credential = credential.map_err(about(listen.address)).map_err(StageError::Token)?;
        let (socket, address) = bind(listen.address).map_err(StageError::Listen)?;
        let guard = Guard {
            gate: Arc::clone(gate),
            health: Arc::clone(health),
            credential,
            is_loopback: address.ip().is_loopback(),
            tally: Arc::default(),
        };
        let max_streams = listen.max_streams;
        Ok(Self { socket, protocol, address, door: Arc::new(door(guard)), acceptor, max_streams })
    }

    /// One over plain HTTP for a door of another kind.
    pub(super) fn plain(address: SocketAddr, door: D) -> Result<Self, StageError> {
        let (socket, address) = bind(address).map_err(StageError::Listen)?;
        Ok(Self { socket, protocol: Protocol::Http, address, door: Arc::new(door), acceptor: None, max_streams: 1 })
    }

    /// What happens at it.
    pub(super) fn tally(&self) -> Arc<Tally> {
        Arc::clone(self.door.tally())
    }
}

/// A socket that listens, for a runtime to take over.
fn bind(address: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let socket = TcpListener::bind(address).map_err(about(address))?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    Ok((socket, address))
}

fn files(tls: &ServerTls) -> ServerTlsFiles {
    ServerTlsFiles {
        certificate: tls.certificate.clone(),
        key: tls.key.clone(),
        client_authorities: tls.client_authorities.clone(),
    }
}
