//! Protobuf into a `Vec`: always the shortest varints, so that what we write is canonical by our own rule.
//!
//! A nested message needs its length before its bytes. Where the length is cheap to know it is computed first; where it
//! is not, [`delimited`] leaves two bytes for it, which is what a span of up to 16 KiB needs, and moves the message by
//! the difference otherwise.

use super::varint::varint_len;

/// Wire types, as the low three bits of a key.
pub(super) const VARINT: u8 = 0;
pub(crate) const FIXED64: u8 = 1;
pub(crate) const BYTES: u8 = 2;
pub(crate) const FIXED32: u8 = 5;

/// The key of a field with a number below 16, which takes one byte.
pub(crate) const fn key(number: u8, wire_type: u8) -> u8 {
    number << 3 | wire_type
}

/// Appends a varint.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, value: u64) {
    match value {
        0..0x80 => out.push(value as u8),
        // Together: what is appended has to look for room, and looks once.
        0x80..0x4000 => out.extend_from_slice(&[value as u8 | 0x80, (value >> 7) as u8]),
        0x4000.. => put_long_varint(out, value),
    }
}

fn put_long_varint(out: &mut Vec<u8>, value: u64) {
    if value < 0x20_0000 {
        return out.extend_from_slice(&[value as u8 | 0x80, (value >> 7) as u8 | 0x80, (value >> 14) as u8]);
    }
    let mut bytes = [0; 10];
    let (mut rest, mut length) = (value, 0);
    for place in &mut bytes {
        length += 1;
        if rest < 0x80 {
            *place = rest as u8;
            break;
        }
        *place = rest as u8 | 0x80;
        rest >>= 7;
    }
    let begin = out.len();
    out.extend_from_slice(&bytes);
    out.truncate(begin + length);
}

/// Appends the key of any field.
pub fn put_key(out: &mut Vec<u8>, number: u32, wire_type: u8) {
    put_varint(out, u64::from(number) << 3 | u64::from(wire_type));
}

/// Appends a string, bytes or message field.
pub fn put_bytes(out: &mut Vec<u8>, number: u32, value: &[u8]) {
    put_key(out, number, BYTES);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// Appends a varint field.
pub fn put_integer(out: &mut Vec<u8>, number: u32, value: u64) {
    put_key(out, number, VARINT);
    put_varint(out, value);
}

/// Appends a double field.
pub fn put_double(out: &mut Vec<u8>, number: u32, value: f64) {
    put_key(out, number, FIXED64);
    out.extend_from_slice(&value.to_le_bytes());
}

/// The bytes that [`put_bytes`] takes for a value of this length in a field with a number below 16.
pub const fn bytes_len(length: usize) -> usize {
    1 + varint_len(length as u64) + length
}

/// Appends a message field with a number below 16 whose length is not known before `write` has written it.
pub fn delimited(out: &mut Vec<u8>, number: u8, write: impl FnOnce(&mut Vec<u8>)) {
    const ROOM: usize = 2;
    out.extend_from_slice(&[key(number, BYTES), 0, 0]);
    let start = out.len();
    write(out);
    let end = out.len();
    let length = end - start;
    let needed = varint_len(length as u64);
    if needed > ROOM {
        out.resize(end + needed - ROOM, 0);
    }
    if needed != ROOM {
        out.copy_within(start..end, start - ROOM + needed);
        out.truncate(end + needed - ROOM);
    }
    let mut rest = length;
    for place in out.iter_mut().skip(start - ROOM).take(needed) {
        let more = if rest >= 0x80 { 0x80 } else { 0 };
        *place = (rest & 0x7f) as u8 | more;
        rest >>= 7;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_any_size_has_the_shortest_length_before_it() {
        for size in [0, 1, 127, 128, 300, 16_383, 16_384, 70_000, 2_097_152] {
            let content = vec![7; size];
            let mut expected = vec![1, 2, 3];
            put_bytes(&mut expected, 2, &content);
            let mut out = vec![1, 2, 3];
            delimited(&mut out, 2, |out| out.extend_from_slice(&content));
            assert!(out == expected, "{size}");
            assert_eq!(out.len() - 3, bytes_len(size));
        }
    }
}
