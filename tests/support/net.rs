//! Servers on a port of their own, stopped when the test is over.

use std::convert::Infallible;
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tonic::codegen::{Service, http};
use tonic::server::NamedService;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

/// Stops a task when dropped.
pub struct AbortOnDrop(pub JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub type Stop = AbortOnDrop;

/// Serves on a free port of the loopback; the answer's second half is the endpoint.
pub async fn serve<S>(service: S) -> (Stop, String)
where
    S: Service<http::Request<tonic::body::Body>, Response = http::Response<tonic::body::Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    (serve_on(service, listener), endpoint)
}

/// Serves at an address that was free a moment ago.
pub async fn serve_at<S>(service: S, address: SocketAddr) -> Stop
where
    S: Service<http::Request<tonic::body::Body>, Response = http::Response<tonic::body::Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    serve_on(service, TcpListener::bind(address).await.unwrap())
}

fn serve_on<S>(service: S, listener: TcpListener) -> Stop
where
    S: Service<http::Request<tonic::body::Body>, Response = http::Response<tonic::body::Body>, Error = Infallible>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send + 'static,
{
    let serving = Server::builder().add_service(service).serve_with_incoming(TcpIncoming::from(listener));
    AbortOnDrop(tokio::spawn(async move { serving.await.unwrap() }))
}

/// A service that refuses every call with these details, as they stand.
pub async fn serve_status_details(details: &'static str, in_trailers: bool) -> (Stop, String) {
    serve(RawDetails { details, in_trailers }).await
}

#[derive(Clone)]
struct RawDetails {
    details: &'static str,
    in_trailers: bool,
}

impl NamedService for RawDetails {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl Service<http::Request<tonic::body::Body>> for RawDetails {
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: http::Request<tonic::body::Body>) -> Self::Future {
        let mut refusal = http::HeaderMap::new();
        refusal.insert("grpc-status", http::HeaderValue::from_static("8"));
        refusal.insert("grpc-status-details-bin", http::HeaderValue::from_static(self.details));
        let mut response = http::Response::new(tonic::body::Body::empty());
        if self.in_trailers {
            *response.body_mut() = tonic::body::Body::new(Trailers(Some(refusal)));
        } else {
            *response.headers_mut() = refusal;
        }
        response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/grpc"));
        std::future::ready(Ok(response))
    }
}

struct Trailers(Option<http::HeaderMap>);

impl http_body::Body for Trailers {
    type Data = bytes::Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<bytes::Bytes>, Infallible>>> {
        std::task::Poll::Ready(self.0.take().map(|trailers| Ok(http_body::Frame::trailers(trailers))))
    }
}
