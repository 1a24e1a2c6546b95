//! Requests in, over gRPC: a unary service that hands out bytes.
//!
//! The service answers one method and knows no message but its own small answer. What a request holds is for the
//! [`Handler`]. A Collector's exporter compresses with gzip unless told otherwise, so gzip is read; the answer is too
//! small to be worth it.

use std::convert::Infallible;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderValue;
use tonic::body::Body as TonicBody;
use tonic::codec::CompressionEncoding;
use tonic::codegen::{Body, BoxFuture, Service, StdError};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::{Code, Request, Response, Status};

use super::client::EXPORT_PATH;
use super::codec::RawCodec;
use super::request::NotARequest;
use super::response;
use super::segments::Segments;

/// What becomes of a request.
pub trait Handler: Send + Sync + 'static {
    /// Takes one `ExportTraceServiceRequest`, as bytes that nobody has looked at yet. The call is answered when this
    /// returns; it may be dropped before, when the caller gives up.
    fn export(&self, body: Bytes) -> impl Future<Output = Result<Reply, Status>> + Send;
}

/// The answer to a request that was taken, at least in part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// How many spans were refused for good.
    pub rejected: i64,
    /// Why; empty where none was.
    pub reason: &'static str,
}

impl From<NotARequest> for Status {
    fn from(error: NotARequest) -> Self {
        Self::invalid_argument(error.to_string())
    }
}

/// The OTLP trace service, in front of a handler.
pub struct TraceServer<H> {
    handler: Arc<H>,
    max_message_bytes: usize,
}

impl<H> TraceServer<H> {
    /// What a request may take by default, unpacked: 16 MiB, four times what gRPC servers take by default. A Collector's
    /// batch of 8192 spans, each with a kilobyte or two of attributes, gets through, and a few dozen at once do not fill
    /// a small machine.
    pub const DEFAULT_MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

    /// A service in front of `handler`.
    pub const fn new(handler: Arc<H>) -> Self {
        Self { handler, max_message_bytes: Self::DEFAULT_MAX_MESSAGE_BYTES }
    }

    /// Takes requests of up to so many bytes, unpacked; larger ones are refused for good.
    #[must_use]
    pub const fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.max_message_bytes = bytes;
        self
    }
}

impl<H> Clone for TraceServer<H> {
    fn clone(&self) -> Self {
        Self { handler: Arc::clone(&self.handler), max_message_bytes: self.max_message_bytes }
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
    B::Error: Into<StdError> + Send + 'static,
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
        let method = Export(Arc::clone(&self.handler));
        let mut grpc = Grpc::new(RawCodec::for_message(response::MAX_BYTES))
            .accept_compressed(CompressionEncoding::Gzip)
            .max_decoding_message_size(self.max_message_bytes);
        Box::pin(async move {
            let response = grpc.unary(method, request).await;
            Ok(if is_too_large(&response) { too_large() } else { response })
        })
    }
}

/// tonic refuses what is too large as out of range, which the rules of OTLP say to send again, and again.
fn is_too_large(response: &http::Response<TonicBody>) -> bool {
    let out_of_range = HeaderValue::from(Code::OutOfRange as i32);
    response.headers().get("grpc-status") == Some(&out_of_range)
}

fn too_large() -> http::Response<TonicBody> {
    Status::resource_exhausted("the request is larger than this receiver takes").into_http()
}

struct Export<H>(Arc<H>);

impl<H: Handler> UnaryService<Bytes> for Export<H> {
    type Response = Segments;
    type Future = BoxFuture<Response<Segments>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let handler = Arc::clone(&self.0);
        Box::pin(async move {
            let reply = handler.export(request.into_inner()).await?;
            Ok(Response::new(Segments::from(response::encode(reply.rejected, reply.reason))))
        })
    }
}
