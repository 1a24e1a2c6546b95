//! The trace service over HTTP, in its binary form (`http/protobuf`).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::header::{ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, EXPECT, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::Full;
use tonic::{Code, Status};

use super::gate::{Gate, GateLimits};
use super::not_read::NotRead;
use super::read::{read, says_more_than};
use super::unpack::Encoding;
use super::{Handler, TraceServer};
use crate::otlp::error::retry_info;
use crate::otlp::response;
use crate::otlp::signal::Signal;
use crate::otlp::writer::{put_bytes, put_integer};

const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");

/// The OTLP trace service over HTTP, in front of a handler: `POST /v1/traces` with a binary message, plain or compressed
/// with gzip or zstd.
pub struct TraceHttp<H> {
    handler: Arc<H>,
    gate: Arc<Gate>,
    max_message_bytes: usize,
}

impl<H> TraceHttp<H> {
    /// A service in front of `handler`, behind a gate of its own.
    pub fn new(handler: Arc<H>) -> Self {
        let gate = Arc::new(Gate::new(GateLimits::default()));
        Self { handler, gate, max_message_bytes: TraceServer::<H>::DEFAULT_MAX_MESSAGE_BYTES }
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

impl<H: Handler> TraceHttp<H> {
    /// Answers one request.
    pub async fn call<B: Body>(&self, request: Request<B>) -> Response<Full<Bytes>> {
        if request.uri().path() != Signal::Traces.http_path() {
            return said(StatusCode::NOT_FOUND, &Status::unimplemented("traces are taken at /v1/traces"));
        }
        if request.method() != Method::POST {
            let status = Status::unimplemented("traces are taken by POST");
            let mut response = said(StatusCode::METHOD_NOT_ALLOWED, &status);
            response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
            return response;
        }
        if !is_protobuf(request.headers()) {
            let status = Status::unimplemented("the content type has to be application/x-protobuf");
            return said(StatusCode::UNSUPPORTED_MEDIA_TYPE, &status);
        }
        let (message, charge) = match self.message(request).await {
            Ok(received) => received,
            Err(kind) => {
                self.gate.count(kind);
                return not_read(kind);
            }
        };
        let answered = self.handler.export(message).await;
        drop(charge);
        match answered {
            Ok(reply) => protobuf(StatusCode::OK, response::encode(reply.rejected, reply.reason)),
            Err(status) => refused(&status),
        }
    }

    async fn message<B: Body>(&self, request: Request<B>) -> Result<(Bytes, super::Charge), NotRead> {
        let encoding = Encoding::of(request.headers().get(CONTENT_ENCODING))?;
        let most = self.max_message_bytes;
        let began = Instant::now();
        let asks_first = asks_first(request.headers());
        let mut body = std::pin::pin!(request.into_body());
        // Who asks before he sends is told to by the first look at his body, and hears the answer without.
        let is_waiting = asks_first && says_more_than(most, &*body);
        let read = read(body.as_mut(), &self.gate, most, 0, |_| Ok(0)).await;
        if matches!(read, Err(NotRead::TooLarge)) && !is_waiting {
            // Nobody is heard longer than those whose request is taken.
            let left = self.gate.read_time().saturating_sub(began.elapsed());
            let _ = tokio::time::timeout(left, hear_out(body)).await;
        }
        let (packed, mut charge) = read?;
        let message = encoding.unpack(packed, most, &mut charge)?;
        Ok((message, charge))
    }
}

/// Whether the caller sends his body only once he is told to.
fn asks_first(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Passes over so much of a body that is too large, as long as it keeps coming: a caller who is still sending when the
/// connection closes hears no answer, and would send the same again.
async fn hear_out<B: Body>(mut body: Pin<&mut B>) {
    const MOST: usize = 64 << 20;
    const PAUSE: Duration = Duration::from_millis(500);
    let mut heard = 0;
    while heard < MOST {
        let next = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx));
        let Ok(Some(Ok(frame))) = tokio::time::timeout(PAUSE, next).await else { break };
        heard += frame.data_ref().map_or(0, Buf::remaining);
    }
}

fn is_protobuf(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    media_type.as_bytes().eq_ignore_ascii_case(PROTOBUF.as_bytes())
}

fn not_read(kind: NotRead) -> Response<Full<Bytes>> {
    let status = Status::from(kind);
    match kind {
        NotRead::NoRoom => refused(&status),
        NotRead::TooLarge => said(StatusCode::PAYLOAD_TOO_LARGE, &status),
        NotRead::TooSlow => said(StatusCode::REQUEST_TIMEOUT, &status),
        NotRead::Garbled | NotRead::Broken => said(StatusCode::BAD_REQUEST, &status),
        NotRead::Encoding => {
            let mut response = said(StatusCode::UNSUPPORTED_MEDIA_TYPE, &status);
            response.headers_mut().insert(ACCEPT_ENCODING, HeaderValue::from_static(Encoding::READ));
            response
        }
    }
}

/// A handler's refusal, by the rules of OTLP/HTTP: what may be sent again is 429, 503 or 504, and nothing else is.
fn refused(status: &Status) -> Response<Full<Bytes>> {
    let wait = retry_info(status.details());
    let code = match (status.code(), wait) {
        (Code::InvalidArgument | Code::FailedPrecondition | Code::AlreadyExists, _) => StatusCode::BAD_REQUEST,
        (Code::Unauthenticated, _) => StatusCode::UNAUTHORIZED,
        (Code::PermissionDenied, _) => StatusCode::FORBIDDEN,
        (Code::NotFound, _) => StatusCode::NOT_FOUND,
        (Code::Unimplemented, _) => StatusCode::NOT_IMPLEMENTED,
        (Code::ResourceExhausted, Some(_)) => StatusCode::TOO_MANY_REQUESTS,
        (Code::ResourceExhausted, None) => StatusCode::PAYLOAD_TOO_LARGE,
        (Code::DeadlineExceeded, _) => StatusCode::GATEWAY_TIMEOUT,
        (Code::Unavailable | Code::Cancelled | Code::Aborted | Code::OutOfRange | Code::DataLoss, _) => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        (Code::Ok | Code::Unknown | Code::Internal, _) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let mut response = said(code, status);
    if let Some(wait) = wait {
        // Whole seconds, and never sooner than was asked for.
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A `google.rpc.Status` in words of ours.
pub(crate) fn said(code: StatusCode, status: &Status) -> Response<Full<Bytes>> {
    let mut message = Vec::new();
    put_integer(&mut message, 1, status.code() as i32 as u64);
    put_bytes(&mut message, 2, status.message().as_bytes());
    protobuf(code, Bytes::from(message))
}

fn protobuf(code: StatusCode, message: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(message));
    *response.status_mut() = code;
    response.headers_mut().insert(CONTENT_TYPE, PROTOBUF);
    response
}

impl<H> Clone for TraceHttp<H> {
    fn clone(&self) -> Self {
        Self {
            handler: Arc::clone(&self.handler),
            gate: Arc::clone(&self.gate),
            max_message_bytes: self.max_message_bytes,
        }
    }
}

impl<H> fmt::Debug for TraceHttp<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraceHttp").field("max_message_bytes", &self.max_message_bytes).finish_non_exhaustive()
    }
}
