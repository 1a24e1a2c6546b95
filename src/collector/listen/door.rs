//! Whom a request is for, and whether it may come in.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use http::header::{HOST, ORIGIN, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body as TonicBody;
use tonic::codegen::Service;

use super::credential::Credential;
use super::tally::{Open, Tally};
use crate::collector::health::{self, Health};
use crate::otlp::{Gate, Handler, TraceHttp, TraceServer, http_response};

/// What stands behind a listener. `open` counts the requests of one connection.
pub(in crate::collector) trait Door: Send + Sync + 'static {
    fn tally(&self) -> &Arc<Tally>;

    fn grpc(&self, request: Request<Incoming>, open: &AtomicU64) -> impl Future<Output = Response<TonicBody>> + Send;

    fn http(&self, request: Request<Incoming>, open: &AtomicU64) -> impl Future<Output = Response<Full<Bytes>>> + Send;
}

/// Who may come in, and where that is counted.
pub(in crate::collector) struct Guard {
    pub(super) gate: Arc<Gate>,
    pub(super) health: Arc<Health>,
    pub(super) credential: Option<Credential>,
    pub(super) is_loopback: bool,
    pub(super) tally: Arc<Tally>,
}

impl Guard {
    pub(in crate::collector) const fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    pub(in crate::collector) const fn gate(&self) -> &Arc<Gate> {
        &self.gate
    }

    /// What is answered without looking further: probes, and those without the credential.
    pub(in crate::collector) async fn grpc(
        &self,
        request: Request<Incoming>,
    ) -> Result<Request<Incoming>, Response<TonicBody>> {
        if request.uri().path().starts_with(health::SERVICE) {
            // A probe has no token, and learns nothing but yes or no.
            return Err(self.health.answer(request, &self.gate).await);
        }
        if self.admits(&request) { Ok(request) } else { Err(Status::unauthenticated(UNAUTHENTICATED).into_http()) }
    }

    fn admits(&self, request: &Request<Incoming>) -> bool {
        let is_admitted = self.credential.as_ref().is_none_or(|credential| credential.is_brought(request.headers()));
        if !is_admitted {
            Tally::add(&self.tally.unauthenticated);
        }
        is_admitted
    }
}

const UNAUTHENTICATED: &str = "a bearer token is needed";

/// The trace services, and health beside them.
pub(in crate::collector) struct TraceDoor<H> {
    pub(super) grpc: TraceServer<H>,
    pub(super) http: TraceHttp<H>,
    pub(super) guard: Guard,
}

impl<H: Handler> Door for TraceDoor<H> {
    fn tally(&self) -> &Arc<Tally> {
        self.guard.tally()
    }

    async fn grpc(&self, request: Request<Incoming>, open: &AtomicU64) -> Response<TonicBody> {
        let (_all, _here) = (self.guard.tally.request(), Open::new(open));
        match self.guard.grpc(request).await {
            Ok(request) => {
                let Ok(response) = self.grpc.clone().call(request).await;
                response
            }
            Err(answer) => answer,
        }
    }

    async fn http(&self, request: Request<Incoming>, open: &AtomicU64) -> Response<Full<Bytes>> {
        let (_all, _here) = (self.guard.tally.request(), Open::new(open));
        if let Some(refusal) = misdirected(request.headers(), self.guard.is_loopback) {
            Tally::add(&self.guard.tally.misdirected);
            return refusal;
        }
        if !self.guard.admits(&request) {
            let status = Status::unauthenticated(UNAUTHENTICATED);
            let mut response = http_response(StatusCode::UNAUTHORIZED, &status);
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            return response;
        }
        self.http.call(request).await
    }
}

/// A page in a browser on this machine can reach a loopback address, but not without saying where it comes from, or,
/// under a name that was made to point here, that name.
pub(in crate::collector) fn misdirected(headers: &HeaderMap, is_loopback: bool) -> Option<Response<Full<Bytes>>> {
    if headers.contains_key(ORIGIN) {
        let status = Status::permission_denied("browsers have no business here");
        return Some(http_response(StatusCode::FORBIDDEN, &status));
    }
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        _ => "",
    };
    if !host.is_empty() && (!is_loopback || is_of_this_machine(host)) {
        return None;
    }
    let status = Status::permission_denied("the host is not one of this machine");
    Some(http_response(StatusCode::MISDIRECTED_REQUEST, &status))
}

/// An address, or the name of every machine for itself.
fn is_of_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    if authority.as_str().contains('@') {
        return false;
    }
    let name = authority.host();
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_hosts_of_this_machine() {
        for host in ["localhost", "LOCALHOST:4318", "127.0.0.1", "127.0.0.1:4318", "[::1]:4318", "[::1]"] {
            assert!(is_of_this_machine(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:4318", "a@127.0.0.1", "a b"]
        {
            assert!(!is_of_this_machine(host), "{host}");
        }
    }
}
