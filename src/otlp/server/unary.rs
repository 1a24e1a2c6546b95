//! One gRPC call with one message each way, as bytes.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use tonic::Status;
use tonic::body::Body as TonicBody;

use super::gate::Gate;
use super::not_read::NotRead;
use super::read::read;
use super::unpack::Encoding;

/// Before a message stand a byte that says whether it is compressed, and four for its length.
const HEAD: usize = 5;
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// Reads the message of a call, has it answered, and frames the answer.
pub(crate) async fn unary<B: Body, F>(
    request: Request<B>,
    gate: &Arc<Gate>,
    most: usize,
    answer: impl FnOnce(Bytes) -> F,
) -> Response<TonicBody>
where
    F: Future<Output = Result<Bytes, Status>>,
{
    body(request, gate, most, |message| async {
        let message = framed(&answer(message).await?);
        Ok(TonicBody::new(Answer { message: Some(message), is_over: false }))
    })
    .await
}

/// The same with an answer of any messages, each [`framed`], and trailers.
pub(crate) async fn body<B: Body, F>(
    request: Request<B>,
    gate: &Arc<Gate>,
    most: usize,
    answer: impl FnOnce(Bytes) -> F,
) -> Response<TonicBody>
where
    F: Future<Output = Result<TonicBody, Status>>,
{
    let received = message(request, gate, most).await;
    let (message, charge) = match received {
        Ok(received) => received,
        Err(kind) => {
            gate.count(kind);
            let mut response = Status::from(kind).into_http();
            if kind == NotRead::Encoding {
                let encodings = HeaderValue::from_static(Encoding::READ);
                response.headers_mut().insert("grpc-accept-encoding", encodings);
            }
            return response;
        }
    };
    let answered = answer(message).await;
    drop(charge);
    match answered {
        Ok(body) => {
            let mut response = Response::new(body);
            response.headers_mut().insert(CONTENT_TYPE, GRPC);
            response
        }
        Err(status) => status.into_http(),
    }
}

async fn message<B: Body>(
    request: Request<B>,
    gate: &Arc<Gate>,
    most: usize,
) -> Result<(Bytes, super::Charge), NotRead> {
    let encoding = Encoding::of(request.headers().get("grpc-encoding"))?;
    let claim = |head: &[u8]| match head {
        [0 | 1, a, b, c, d] => {
            let length = u32::from_be_bytes([*a, *b, *c, *d]);
            Ok(usize::try_from(length).unwrap_or(usize::MAX).saturating_add(HEAD))
        }
        _ => Err(NotRead::Garbled),
    };
    let (mut framed, mut charge) = read(request.into_body(), gate, most.saturating_add(HEAD), HEAD, claim).await?;
    let Some(is_packed) = framed.first().map(|flag| *flag == 1) else { return Err(NotRead::Garbled) };
    let message = framed.split_off(HEAD.min(framed.len()));
    if !is_packed {
        return Ok((message, charge));
    }
    if encoding == Encoding::Identity {
        return Err(NotRead::Garbled);
    }
    let message = encoding.unpack(message, most, &mut charge)?;
    Ok((message, charge))
}

/// A message as it stands in a body.
pub(crate) fn framed(message: &[u8]) -> Bytes {
    let mut framed = BytesMut::with_capacity(HEAD + message.len());
    framed.put_u8(0);
    // An answer of ours is a few hundred bytes.
    framed.put_u32(u32::try_from(message.len()).unwrap_or_default());
    framed.put_slice(message);
    framed.freeze()
}

/// A framed message, then that all went well.
struct Answer {
    message: Option<Bytes>,
    is_over: bool,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(message) = self.message.take() {
            return Poll::Ready(Some(Ok(Frame::data(message))));
        }
        if std::mem::replace(&mut self.is_over, true) {
            return Poll::Ready(None);
        }
        let mut trailers = HeaderMap::with_capacity(1);
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        Poll::Ready(Some(Ok(Frame::trailers(trailers))))
    }
}
