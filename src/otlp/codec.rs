//! gRPC messages as bytes: what tonic needs in the place of a message type.

use bytes::{Buf, BufMut, Bytes};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

use super::segments::Segments;

/// Sends [`Segments`], receives [`Bytes`]. What is sent is copied once, into the buffer that gRPC frames.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawCodec {
    /// What the sent message takes, so that its buffer is made once.
    outgoing: usize,
}

impl RawCodec {
    /// For one call that sends a message of this length.
    pub(super) const fn for_message(outgoing: usize) -> Self {
        Self { outgoing }
    }
}

impl Codec for RawCodec {
    type Encode = Segments;
    type Decode = Bytes;
    type Encoder = RawEncoder;
    type Decoder = RawDecoder;

    fn encoder(&mut self) -> RawEncoder {
        RawEncoder { outgoing: self.outgoing }
    }

    fn decoder(&mut self) -> RawDecoder {
        RawDecoder
    }
}

#[derive(Debug)]
pub(super) struct RawEncoder {
    outgoing: usize,
}

impl Encoder for RawEncoder {
    type Item = Segments;
    type Error = Status;

    fn encode(&mut self, message: Segments, out: &mut EncodeBuf<'_>) -> Result<(), Status> {
        out.reserve(message.len());
        for piece in message.pieces() {
            out.put_slice(piece);
        }
        Ok(())
    }

    fn buffer_settings(&self) -> BufferSettings {
        const FRAME_HEADER: usize = 5;
        const YIELD_THRESHOLD: usize = 32 * 1024;
        BufferSettings::new(self.outgoing + FRAME_HEADER, YIELD_THRESHOLD)
    }
}

#[derive(Debug)]
pub(super) struct RawDecoder;

impl Decoder for RawDecoder {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
