//! What an HTTP answer means, by the rules of OTLP/HTTP. Of its body only the length is kept, and, where it says so, how
//! many spans were refused.

use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use http::{HeaderMap, Response};
use http_body::Body;
use http_body_util::{BodyExt, Limited};
use tonic::Code;

use super::http_protobuf::PROTOBUF;
use crate::event::{Clock, SystemClock};
use crate::otlp::client::Accepted;
use crate::otlp::error::ExportError;
use crate::otlp::response;

/// An answer is a few bytes; of a longer one the rest is not read, at the price of its connection.
const MAX_BYTES: usize = 64 << 10;

/// Reads an answer.
pub(super) async fn read<B>(answer: Response<B>) -> Result<Accepted, ExportError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = answer.into_parts();
    let body = Limited::new(body, MAX_BYTES).collect().await.map(|body| body.to_bytes());
    if !head.status.is_success() {
        let length = body.as_ref().map_or(0, Bytes::len);
        return Err(ExportError::from_http(head.status, retry_after(&head.headers), length));
    }
    // What was taken is taken: a body that says no more than that, in whatever form, or that breaks off, is no refusal.
    let Ok(body) = body else { return Ok(Accepted::default()) };
    if !is_protobuf(&head.headers) {
        return Ok(Accepted { message_len: body.len(), ..Accepted::default() });
    }
    response::parse(&body).map_err(|_| ExportError::unreadable())
}

fn is_protobuf(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(PROTOBUF)
}

/// RFC 9110, section 10.2.3: seconds, or a date, which is told from the peer's own clock where it shows that.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than a number can have mean longer than anybody waits.
        return (!text.is_empty()).then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let date = headers.get(DATE).and_then(|date| date.to_str().ok());
    let now = date.and_then(|date| httpdate::parse_http_date(date).ok());
    let now = now.unwrap_or_else(|| UNIX_EPOCH + Duration::from_nanos(SystemClock::default().unix_nanos()));
    Some(until.duration_since(now).unwrap_or_default())
}

/// The gRPC code that means what an HTTP status means, for those who answer a request of their own with it.
pub(in crate::otlp) const fn code(status: http::StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::InvalidArgument,
        401 | 407 => Code::Unauthenticated,
        402 | 403 => Code::PermissionDenied,
        // Also what points elsewhere: the address is wrong, which may be put right.
        300..=399 | 404 | 410 | 421 => Code::NotFound,
        405 | 415 | 501 => Code::Unimplemented,
        413 => Code::ResourceExhausted,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn after(retry: &'static str, date: Option<&'static str>) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(retry));
        if let Some(date) = date {
            headers.insert(DATE, HeaderValue::from_static(date));
        }
        retry_after(&headers)
    }

    #[test]
    fn a_wait_is_told_in_seconds_or_by_a_date_on_the_peers_own_clock() {
        assert_eq!(after("120", None), Some(Duration::from_secs(120)));
        assert_eq!(after(" 0 ", None), Some(Duration::ZERO));
        assert_eq!(after("99999999999999999999999", None), Some(Duration::from_secs(u64::MAX)));
        let (now, later) = ("Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:30 GMT");
        assert_eq!(after(later, Some(now)), Some(Duration::from_secs(30)));
        assert_eq!(after(now, Some(later)), Some(Duration::ZERO));
        assert_eq!(after(now, None), Some(Duration::ZERO), "it is long past");
        assert!(after("Wed, 01 Jan 2200 00:00:00 GMT", None).is_some_and(|wait| wait > Duration::from_secs(1 << 30)));
        for odd in ["", "-1", "1.5", "soon", "5 s"] {
            assert_eq!(after(odd, None), None, "{odd}");
        }
    }
}
