//! What the stage tells of itself: `/metrics` for Prometheus and `/healthz` for whoever starts it again.
//!
//! Promises numbers and the names of the configuration, and nothing that came in with a request. Costs a look at some
//! counters for each scrape.

mod following;
mod page;
mod report;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body as TonicBody;

use super::listen::{Door, Tally, misdirected};

pub(super) use report::Report;

/// Answers `/metrics` and `/healthz`.
pub(super) struct Pages {
    pub(super) report: Arc<Report>,
    pub(super) is_loopback: bool,
    pub(super) tally: Arc<Tally>,
}

impl Door for Pages {
    fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    async fn grpc(&self, _: Request<Incoming>, _: &AtomicU64) -> Response<TonicBody> {
        Status::unimplemented("no such service").into_http()
    }

    async fn http(&self, request: Request<Incoming>, _: &AtomicU64) -> Response<Full<Bytes>> {
        let _open = self.tally.request();
        if let Some(refusal) = misdirected(request.headers(), self.is_loopback) {
            return refusal;
        }
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return page(StatusCode::METHOD_NOT_ALLOWED, "only GET\n".to_owned());
        }
        match request.uri().path() {
            "/metrics" => page(StatusCode::OK, self.report.metrics()),
            "/healthz" if self.report.health.is_serving() => page(StatusCode::OK, "serving\n".to_owned()),
            "/healthz" => page(StatusCode::SERVICE_UNAVAILABLE, "not serving\n".to_owned()),
            _ => page(StatusCode::NOT_FOUND, "there are /metrics and /healthz\n".to_owned()),
        }
    }
}

fn page(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    // Prometheus' text format, which is plain text.
    let text = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, text);
    response
}
