//! What stands between tonic's client and a peer's headers.
//!
//! tonic 0.14 panics on a `grpc-status-details-bin` that is not base64, and a peer may send anything. The guard moves
//! that header to a name that tonic does not decode, in the head of the response and in its trailers. On the way out it
//! puts the message that goes with a request into the place of the empty one that tonic has encoded.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use http_body::{Body, Frame, SizeHint};
use tonic::body::Body as TonicBody;
use tonic::codegen::{BoxFuture, Service};
use tonic::transport::{Channel, Error};
use tonic::{Status, metadata::MetadataMap};

use super::body::MessageBody;

const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
const MOVED: &str = "veilspan-status-details";

/// A channel whose answers tonic reads without a panic.
#[derive(Clone, Debug)]
pub(super) struct Guarded(pub(super) Channel);

impl Service<http::Request<TonicBody>> for Guarded {
    type Response = http::Response<GuardedBody>;
    type Error = Error;
    type Future = BoxFuture<Self::Response, Error>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<TonicBody>) -> Self::Future {
        if let Some(body) = request.extensions_mut().remove().and_then(MessageBody::new) {
            *request.body_mut() = TonicBody::new(body);
        }
        let response = self.0.call(request);
        Box::pin(async move {
            let mut response = response.await?;
            move_details(response.headers_mut());
            Ok(response.map(GuardedBody))
        })
    }
}

/// A body whose trailers tonic reads without a panic.
#[derive(Debug)]
pub(super) struct GuardedBody(TonicBody);

impl Body for GuardedBody {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let mut frame = std::task::ready!(Pin::new(&mut self.0).poll_frame(cx));
        if let Some(Ok(frame)) = &mut frame
            && let Some(trailers) = frame.trailers_mut()
        {
            move_details(trailers);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

fn move_details(headers: &mut HeaderMap) {
    if let Some(details) = headers.remove(DETAILS) {
        headers.insert(HeaderName::from_static(MOVED), details);
    }
}

/// The `google.rpc.Status` message that came with a refusal.
pub(super) fn details(metadata: &MetadataMap) -> Option<Vec<u8>> {
    decode_base64(metadata.get(MOVED)?.as_bytes())
}

/// Standard base64, with or without padding.
fn decode_base64(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.trim_ascii_end();
    let digits = text.iter().position(|byte| *byte == b'=').and_then(|end| text.get(..end)).unwrap_or(text);
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for group in digits.chunks(4) {
        let mut bits = 0u32;
        for digit in group {
            let value = match digit {
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(value);
        }
        let missing = 4 - group.len() as u32;
        // One digit alone does not make a byte.
        if missing == 3 {
            return None;
        }
        let [_, whole @ ..] = (bits << (6 * missing)).to_be_bytes();
        bytes.extend(whole.iter().take(3 - missing as usize));
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_with_and_without_padding() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zg", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYg", "foob")]
        {
            assert_eq!(decode_base64(text.as_bytes()).unwrap(), bytes.as_bytes());
        }
        assert_eq!(decode_base64(b"++//").unwrap(), [0xfb, 0xef, 0xff]);
        assert_eq!(decode_base64(b"Zm9vY"), None);
        assert_eq!(decode_base64(b"!not base64!"), None);
    }
}
