//! The way in.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tonic::Status;
use tonic::body::Body as TonicBody;

use super::Rollouts;
use super::ask::Method;
use crate::collector::listen::{Door, Guard, Open, Tally};
use crate::otlp::{http_response, unary};

/// The most bytes of a question: ids and a few numbers.
const MOST: usize = 64 << 10;

/// The service behind the same guard as the receivers.
pub(in crate::collector) struct RolloutDoor {
    pub(in crate::collector) guard: Guard,
    pub(in crate::collector) rollouts: Arc<Rollouts>,
}

impl Door for RolloutDoor {
    fn tally(&self) -> &Arc<Tally> {
        self.guard.tally()
    }

    async fn grpc(&self, request: Request<Incoming>, open: &AtomicU64) -> Response<TonicBody> {
        let (_all, _here) = (self.guard.tally().request(), Open::new(open));
        let request = match self.guard.grpc(request).await {
            Ok(request) => request,
            Err(answer) => return answer,
        };
        let Some(method) = Method::at(request.uri().path()) else {
            return Status::unimplemented("no such method").into_http();
        };
        let timeout = timeout(request.headers());
        unary(request, self.guard.gate(), MOST, |message| self.rollouts.answer(method, message, timeout)).await
    }

    async fn http(&self, _: Request<Incoming>, _: &AtomicU64) -> Response<Full<Bytes>> {
        http_response(StatusCode::NOT_FOUND, &Status::unimplemented("gRPC alone is spoken here"))
    }
}

/// How long the caller waits: up to eight digits and a unit.
fn timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u32 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    let unit = match unit {
        "H" => Duration::from_secs(3600),
        "M" => Duration::from_secs(60),
        "S" => Duration::from_secs(1),
        "m" => Duration::from_millis(1),
        "u" => Duration::from_micros(1),
        "n" => Duration::from_nanos(1),
        _ => return None,
    };
    unit.checked_mul(number)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_timeout_is_eight_digits_and_a_unit() {
        let of = |text: &'static str| {
            timeout(&HeaderMap::from_iter([("grpc-timeout".parse().unwrap(), HeaderValue::from_static(text))]))
        };
        assert_eq!(of("250m"), Some(Duration::from_millis(250)));
        assert_eq!(of("99999999H"), Duration::from_secs(3600).checked_mul(99_999_999));
        for odd in ["", "m", "1", "123456789m", "-1S", "1x", "1.5S"] {
            assert_eq!(of(odd), None, "{odd}");
        }
    }
}
