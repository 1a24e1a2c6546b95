//! Lower-case hex digits, without the machinery of `fmt`: ids and digests are written for every call.

use wide::u8x16;

/// The digits of `bytes`, in a buffer that has to be twice as long.
pub(crate) fn encode<'b>(bytes: &[u8], buffer: &'b mut [u8]) -> &'b str {
    write(bytes, buffer);
    std::str::from_utf8(buffer).unwrap_or_default()
}

/// The same for whoever wants no text: to see that it is one costs more than to write it.
#[inline]
pub(crate) fn write(bytes: &[u8], buffer: &mut [u8]) {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let (places, place_of_rest) = buffer.as_chunks_mut::<{ 2 * STEP }>();
    // A record has ten digests, and digit by digit they would cost more than all the rest.
    steps.iter().zip(places).for_each(|(step, place)| *place = digits(step));
    if !rest.is_empty() {
        let mut step = [0; STEP];
        step.iter_mut().zip(rest).for_each(|(place, byte)| *place = *byte);
        place_of_rest.iter_mut().zip(digits(&step)).for_each(|(place, digit)| *place = digit);
    }
}

/// The bytes whose digits are written at once.
const STEP: usize = 16;

#[inline]
fn digits(bytes: &[u8; STEP]) -> [u8; 2 * STEP] {
    let bytes = u8x16::from(*bytes);
    let (high, low) = (digit(bytes >> 4_u32), digit(bytes & u8x16::splat(0xf)));
    let mut digits = [0; 2 * STEP];
    let (first, last) = digits.split_at_mut(STEP);
    first.copy_from_slice(&u8x16::unpack_low(high, low).to_array());
    last.copy_from_slice(&u8x16::unpack_high(high, low).to_array());
    digits
}

#[inline]
fn digit(half: u8x16) -> u8x16 {
    let is_letter = half.simd_gt(u8x16::splat(9));
    half + u8x16::splat(b'0') + (is_letter & u8x16::splat(b'a' - 10 - b'0'))
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
            let bytes: [u8; 50] = std::array::from_fn(|place| first.wrapping_add((place as u8).wrapping_mul(37)));
            for length in 0..=bytes.len() {
                let part = bytes.get(..length).unwrap();
                let expected: String = part.iter().map(|byte| format!("{byte:02x}")).collect();
                assert_eq!(encode(part, &mut vec![0; 2 * length]), expected);
            }
            assert_eq!(decode(encode(&bytes, &mut [0; 100])), Some(bytes));
        }
    }
}
