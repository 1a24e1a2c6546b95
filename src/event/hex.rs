//! Lower-case hex digits, without the machinery of `fmt`: ids and digests are written for every call.

/// The digits of `bytes`, in a buffer that has to be twice as long.
pub(crate) fn encode<'b>(bytes: &[u8], buffer: &'b mut [u8]) -> &'b str {
    write(bytes, buffer);
    std::str::from_utf8(buffer).unwrap_or_default()
}

/// The same for whoever wants no text: to see that it is one costs more than to write it.
pub(crate) fn write(bytes: &[u8], buffer: &mut [u8]) {
    let (fours, rest) = bytes.as_chunks::<4>();
    let (eights, places) = buffer.as_chunks_mut::<8>();
    for (place, four) in eights.iter_mut().zip(fours) {
        *place = eight(*four);
    }
    for (place, byte) in places.as_chunks_mut::<2>().0.iter_mut().zip(rest) {
        let [.., high, low] = eight([0, 0, 0, *byte]);
        *place = [high, low];
    }
}

/// Eight digits at once: a record has ten digests, and digit by digit they would cost more than all the rest.
const fn eight(bytes: [u8; 4]) -> [u8; 8] {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let mut nibbles = u32::from_be_bytes(bytes) as u64;
    nibbles = (nibbles << 16 | nibbles) & 0x0000_ffff_0000_ffff;
    nibbles = (nibbles << 8 | nibbles) & 0x00ff_00ff_00ff_00ff;
    nibbles = (nibbles << 4 | nibbles) & 0x0f0f_0f0f_0f0f_0f0f;
    // 1 in each byte whose nibble is above 9.
    let letters = (nibbles + 6 * ONES) >> 4 & ONES;
    (nibbles + b'0' as u64 * ONES + letters * (b'a' - b'9' - 1) as u64).to_be_bytes()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_those_of_fmt_and_lead_back() {
        for first in 0..=u8::MAX {
            let bytes: [u8; 11] = std::array::from_fn(|place| first.wrapping_add((place as u8).wrapping_mul(37)));
            for length in 0..=bytes.len() {
                let part = bytes.get(..length).unwrap();
                let expected: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(encode(part, &mut vec![0; 2 * length]), expected);
            }
            assert_eq!(decode(encode(&bytes, &mut [0; 22])), Some(bytes));
        }
    }
}
