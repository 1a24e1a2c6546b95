//! The loop that takes connections.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::door::Door;
use super::tally::Tally;
use super::{Listener, Protocol, connection};
use crate::otlp::Acceptor;

/// The most connections of one listener. One more is closed at once, and counted.
const MAX_CONNECTIONS: usize = 1024;
/// Where no connection can be taken, for want of files or memory, it is tried again after this.
const REST: Duration = Duration::from_millis(100);

/// Ends when the stage stops, or is gone.
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// Takes connections until the stage stops, and returns when the last of them has ended.
pub(in crate::collector) async fn run<D: Door>(
    listener: Listener<D>,
    mut stopping: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let Listener { socket, protocol, door, acceptor, max_streams, .. } = listener;
    let tally = Arc::clone(door.tally());
    let socket = TcpListener::from_std(socket)?;
    let mut connections = JoinSet::new();
    let of_connections = stopping.clone();
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => break,
            Some(_) = connections.join_next() => {}
            accepted = socket.accept() => match accepted {
                Ok((stream, _)) if connections.len() < MAX_CONNECTIONS => {
                    let one = One {
                        door: Arc::clone(&door),
                        acceptor: acceptor.clone(),
                        protocol,
                        max_streams,
                        stopping: of_connections.clone(),
                    };
                    connections.spawn(one.serve(stream));
                }
                Ok(_) => Tally::add(&tally.connections_refused),
                Err(_) => {
                    Tally::add(&tally.connections_failed);
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
    drop(socket);
    while connections.join_next().await.is_some() {}
    Ok(())
}

struct One<D> {
    door: Arc<D>,
    acceptor: Option<Acceptor>,
    protocol: Protocol,
    max_streams: u32,
    stopping: watch::Receiver<bool>,
}

impl<D: Door> One<D> {
    async fn serve(self, stream: TcpStream) {
        let Self { door, acceptor, protocol, max_streams, stopping } = self;
        let tally = Arc::clone(door.tally());
        let _open = tally.connection();
        if stream.set_nodelay(true).is_err() {
            return;
        }
        match acceptor {
            None => connection::serve(stream, protocol, max_streams, door, stopping).await,
            Some(acceptor) => match secured(&acceptor, stream).await {
                Some(stream) => connection::serve(stream, protocol, max_streams, door, stopping).await,
                // Who is not trusted, or does not speak TLS, or does not finish its hello.
                None => Tally::add(&tally.connections_failed),
            },
        }
    }
}

#[cfg(feature = "tls")]
async fn secured(acceptor: &Acceptor, stream: TcpStream) -> Option<tokio_rustls::server::TlsStream<TcpStream>> {
    tokio::time::timeout(connection::HELLO, acceptor.accept(stream)).await.ok()?.ok()
}

#[cfg(not(feature = "tls"))]
async fn secured(acceptor: &Acceptor, _: TcpStream) -> Option<TcpStream> {
    match *acceptor {}
}
