//! `ExportTraceServiceResponse`: what was not taken of a request.

#[cfg(any(feature = "collector", feature = "sdk"))]
use bytes::Bytes;

use super::client::Accepted;
use super::wire::{Fields, Malformed, Wire};
#[cfg(any(feature = "collector", feature = "sdk"))]
use super::writer::{delimited, put_bytes, put_integer};

/// Reads a response. Of the peer's message only the length is kept.
pub(super) fn parse(bytes: &[u8]) -> Result<Accepted, Malformed> {
    let mut accepted = Accepted::default();
    for field in Fields::new(bytes) {
        if let (1, Wire::Bytes(partial_success)) = pair(field?) {
            for field in Fields::new(partial_success) {
                match pair(field?) {
                    (1, Wire::Varint(count)) => accepted.rejected_spans = count.cast_signed(),
                    (2, Wire::Bytes(message)) => accepted.message_len = message.len(),
                    (1 | 2, _) => return Err(Malformed),
                    _ => {}
                }
            }
        }
    }
    Ok(accepted)
}

const fn pair(field: super::wire::Field<'_>) -> (u32, Wire<'_>) {
    (field.number, field.value)
}

/// Writes a response; one to a request that was taken whole is empty.
#[cfg(any(feature = "collector", feature = "sdk"))]
pub(crate) fn encode(rejected: i64, reason: &str) -> Bytes {
    let mut out = Vec::new();
    if rejected != 0 || !reason.is_empty() {
        delimited(&mut out, 1, |out| {
            put_integer(out, 1, rejected.cast_unsigned());
            put_bytes(out, 2, reason.as_bytes());
        });
    }
    Bytes::from(out)
}
