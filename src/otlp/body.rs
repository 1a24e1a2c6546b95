//! A message on its way out, as the body of a request.
//!
//! tonic's codecs write into one buffer: a batch that lies ready would be copied whole once more, into memory that is
//! cold. So the codec is given an empty message, and [`Guarded`](super::guard::Guarded) puts this body in its place. Over
//! HTTP it is the body as it is.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use http_body::{Body, Frame};

use super::segments::Segments;

/// A piece of this length leaves as it is; shorter ones are joined, since each frame costs more than a short copy.
const WHOLE: usize = 16 << 10;
/// Joined pieces leave when they are this long together.
const JOINED: usize = 64 << 10;
/// Before a message gRPC has a byte that says whether it is compressed, and four for its length.
const HEAD: usize = 5;

/// The frames of one message: uncompressed in gRPC, or bare.
#[derive(Debug)]
pub(super) struct MessageBody {
    pieces: std::iter::Peekable<std::vec::IntoIter<Bytes>>,
    joined: BytesMut,
    /// Bytes that have not left.
    left: usize,
}

impl MessageBody {
    /// With gRPC's head. Nothing where the message is longer than gRPC can say.
    pub(super) fn new(message: Segments) -> Option<Self> {
        let length = message.len();
        let mut head = BytesMut::with_capacity((HEAD + length).min(JOINED));
        head.put_u8(0);
        head.put_u32(u32::try_from(length).ok()?);
        Some(Self::behind(head, message))
    }

    /// The message alone.
    pub(super) fn bare(message: Segments) -> Self {
        Self::behind(BytesMut::new(), message)
    }

    fn behind(head: BytesMut, message: Segments) -> Self {
        let left = head.len() + message.len();
        Self { pieces: message.into_pieces().into_iter().peekable(), joined: head, left }
    }

    fn next(&mut self) -> Option<Bytes> {
        while let Some(piece) = self.pieces.next_if(|piece| piece.len() < WHOLE) {
            self.joined.extend_from_slice(&piece);
            if self.joined.len() >= JOINED {
                break;
            }
        }
        let data = if self.joined.is_empty() { self.pieces.next()? } else { self.joined.split().freeze() };
        self.left = self.left.saturating_sub(data.len());
        Some(data)
    }
}

impl Body for MessageBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next().map(|data| Ok(Frame::data(data))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_pieces_leave_in_order_behind_the_head_and_long_ones_uncopied() {
        let sizes = [3, 20_000, 7, 16_384, 16_383, 0, 70_000, 1];
        let mut message = Segments::default();
        for (number, size) in sizes.into_iter().enumerate() {
            message.push(vec![number as u8; size].into());
        }
        let whole = message.clone().into_bytes();
        let long: Vec<_> =
            message.pieces().iter().filter(|piece| piece.len() >= WHOLE).map(|piece| piece.as_ptr()).collect();
        let mut body = MessageBody::new(message).unwrap();
        let frames: Vec<Bytes> = std::iter::from_fn(|| body.next()).collect();
        assert!(body.is_end_stream());
        let sent = frames.concat();
        assert_eq!(sent[..HEAD], [&[0][..], &(whole.len() as u32).to_be_bytes()].concat());
        assert!(sent[HEAD..] == whole);
        assert!(long.iter().all(|start| frames.iter().any(|frame| frame.as_ptr() == *start)));
        assert_eq!(frames.len(), 7);
    }

    #[test]
    fn a_bare_message_is_its_pieces_and_nothing_else() {
        let mut message = Segments::default();
        for piece in [&b"one"[..], &[7; WHOLE], b"three"] {
            message.push(Bytes::copy_from_slice(piece));
        }
        let whole = message.clone().into_bytes();
        let mut body = MessageBody::bare(message);
        let frames: Vec<Bytes> = std::iter::from_fn(|| body.next()).collect();
        assert!(frames.concat() == whole && body.is_end_stream());
        assert!(MessageBody::bare(Segments::default()).is_end_stream());
    }

    #[test]
    fn many_short_pieces_are_few_frames() {
        let mut message = Segments::default();
        (0..10_000).for_each(|_| message.push(Bytes::from_static(&[7; 100])));
        let mut body = MessageBody::new(message).unwrap();
        assert!(std::iter::from_fn(|| body.next()).count() < 20);
        assert!(body.is_end_stream());
    }

    #[test]
    fn an_empty_message_is_its_head() {
        let mut body = MessageBody::new(Segments::default()).unwrap();
        assert_eq!(body.next().unwrap(), [0; HEAD][..]);
        assert!(body.next().is_none() && body.is_end_stream());
    }
}
