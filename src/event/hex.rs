//! Lower-case hex digits, without the machinery of `fmt`: ids and digests are written for every call.

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The digits of `bytes`, in a buffer that has to be twice as long.
pub(crate) fn encode<'b>(bytes: &[u8], buffer: &'b mut [u8]) -> &'b str {
    for (pair, byte) in buffer.chunks_exact_mut(2).zip(bytes) {
        if let ([high, low], Some(h), Some(l)) =
            (pair, DIGITS.get(usize::from(byte >> 4)), DIGITS.get(usize::from(byte & 15)))
        {
            (*high, *low) = (*h, *l);
        }
    }
    std::str::from_utf8(buffer).unwrap_or_default()
}

/// The bytes of exactly `2 * N` digits.
pub(crate) fn decode<const N: usize>(digits: &str) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (place, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        if let [high, low] = pair {
            *place = nibble(*high)? << 4 | nibble(*low)?;
        }
    }
    Some(bytes)
}
