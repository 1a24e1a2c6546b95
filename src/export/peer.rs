//! The seam between what is sent and when, which is decided here, and how, which the client knows.

use std::future::Future;

use crate::otlp::{Accepted, Client, ClientOptions, ExportError, Segments};

/// Somebody to whom requests are sent.
pub(super) trait Peer: Send + 'static {
    /// Sends one request.
    fn send(&self, request: Segments) -> impl Future<Output = Result<Accepted, ExportError>> + Send + 'static;

    /// Lets go of a connection on which nothing was answered: the peer may have moved to another address.
    fn reconnect(&mut self);
}

/// A peer on the network.
pub(super) struct Dialled {
    options: ClientOptions,
    client: Client,
}

impl Dialled {
    pub(super) const fn new(options: ClientOptions, client: Client) -> Self {
        Self { options, client }
    }
}

impl Peer for Dialled {
    fn send(&self, request: Segments) -> impl Future<Output = Result<Accepted, ExportError>> + Send + 'static {
        let client = self.client.clone();
        async move { client.export(request).await }
    }

    fn reconnect(&mut self) {
        // It could be made before, so it can be made again; where it cannot (a certificate's file has gone), the old one
        // goes on.
        if let Ok(client) = Client::new(&self.options) {
            self.client = client;
        }
    }
}
