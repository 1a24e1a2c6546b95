//! The trace service over gRPC.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::Status;
use tonic::body::Body as TonicBody;
use tonic::codegen::{Body, BoxFuture, Service};
use tonic::server::NamedService;

use super::gate::{Gate, GateLimits};
use super::{Handler, unary};
use crate::otlp::client::EXPORT_PATH;
use crate::otlp::response;

/// The OTLP trace service over gRPC, in front of a handler. A Collector's exporter compresses with gzip unless told
/// otherwise; gzip and zstd are read, and the answer is too small to be worth it.
pub struct TraceServer<H> {
    handler: Arc<H>,
    gate: Arc<Gate>,
    max_message_bytes: usize,
}

impl<H> TraceServer<H> {
    /// What a request may take by default, unpacked: 16 MiB, four times what gRPC servers take by default. A Collector's
    /// batch of 8192 spans, each with a kilobyte or two of attributes, gets through, and a few dozen at once do not fill
    /// a small machine.
    pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

    /// A service in front of `handler`, behind a gate of its own.
    pub fn new(handler: Arc<H>) -> Self {
        let gate = Arc::new(Gate::new(GateLimits::default()));
        Self { handler, gate, max_message_bytes: Self::DEFAULT_MAX_MESSAGE_BYTES }
    }

    /// Takes requests of up to so many bytes, unpacked; larger ones are refused for good.
    #[must_use]
    pub const fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }

    /// Stands behind this gate.
    #[must_use]
    pub fn gate(mut self, gate: Arc<Gate>) -> Self {
        self.gate = gate;
        self
    }
}

impl<H> Clone for TraceServer<H> {
    fn clone(&self) -> Self {
        Self {
            handler: Arc::clone(&self.handler),
            gate: Arc::clone(&self.gate),
            max_message_bytes: self.max_message_bytes,
        }
    }
}

impl<H> fmt::Debug for TraceServer<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceServer").field("max_message_bytes", &self.max_message_bytes).finish_non_exhaustive()
    }
}

impl<H> NamedService for TraceServer<H> {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl<H, B> Service<http::Request<B>> for TraceServer<H>
where
    H: Handler,
    B: Body + Send + 'static,
    B::Data: Send,
{
    type Response = http::Response<TonicBody>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        if request.uri().path() != EXPORT_PATH {
            return Box::pin(std::future::ready(Ok(Status::unimplemented("no such method").into_http())));
        }
        let Self { handler, gate, max_message_bytes } = self.clone();
        Box::pin(async move {
            let export = |message| async move {
                let reply = handler.export(message).await?;
                Ok(response::encode(reply.rejected, reply.reason))
            };
            Ok(unary(request, &gate, max_message_bytes, export).await)
        })
    }
}
