//! OTLP over bare tonic without a look inside: a codec of bytes, a client, a service.

use std::convert::Infallible;
use std::future::Future;
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::body::Body;
use tonic::client::Grpc as Client;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{BoxFuture, Service};
use tonic::server::{Grpc as Server, NamedService, UnaryService};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

const PATH: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
pub const MAX_BYTES: usize = 64 << 20;

/// Its buffer is made once, with room for a message of this length.
#[derive(Clone, Copy)]
pub struct Raw(pub usize);

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.put(message);
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        BufferSettings::new(self.0 + 5, 32 * 1024)
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}

/// Sends one request and gives back the answer.
pub async fn send(channel: &Channel, message: Bytes) -> Result<Bytes, Status> {
    let codec = Raw(message.len());
    let mut grpc = Client::new(channel.clone()).max_decoding_message_size(MAX_BYTES);
    grpc.ready().await.map_err(|_| Status::unavailable("not connected"))?;
    let answer = grpc.unary(Request::new(message), PathAndQuery::from_static(PATH), codec).await?;
    Ok(answer.into_inner())
}

/// A service in front of a function from request to answer.
#[derive(Clone)]
pub struct RawServer<F>(pub F);

impl<F> NamedService for RawServer<F> {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl<F, A> Service<http::Request<Body>> for RawServer<F>
where
    F: Fn(Bytes) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Bytes, Status>> + Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let method = Method(self.0.clone());
        let mut grpc = Server::new(Raw(0)).max_decoding_message_size(MAX_BYTES);
        Box::pin(async move { Ok(grpc.unary(method, request).await) })
    }
}

struct Method<F>(F);

impl<F, A> UnaryService<Bytes> for Method<F>
where
    F: Fn(Bytes) -> A,
    A: Future<Output = Result<Bytes, Status>> + Send + 'static,
{
    type Response = Bytes;
    type Future = BoxFuture<Response<Bytes>, Status>;

    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        let answer = (self.0)(request.into_inner());
        Box::pin(async move { answer.await.map(Response::new) })
    }
}
