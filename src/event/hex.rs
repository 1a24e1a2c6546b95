//! Lower-case hex digits, without the machinery of `fmt`: ids and digests are written for every call.

/// The digits of `bytes`, in a buffer that has to be twice as long.
pub(crate) fn encode<'b>(bytes: &[u8], buffer: &'b mut [u8]) -> &'b str {
    write(bytes, buffer);
    std::str::from_utf8(buffer).unwrap_or_default()
}

/// The same for whoever wants no text: to see that it is one costs more than to write it.
pub(crate) fn write(bytes: &[u8], buffer: &mut [u8]) {
    let (steps, rest) = bytes.as_chunks::<STEP>();
    let (places, places_of_rest) = buffer.as_chunks_mut::<{ 2 * STEP }>();
    // Of a known length they are written together: a record has ten digests, and digit by digit they would cost more than
    // all the rest.
    steps.iter().zip(&mut *places).for_each(|(step, place)| digits(step, place));
    digits(rest, places.get_mut(steps.len()).map_or(places_of_rest, <[u8; 2 * STEP]>::as_mut_slice));
}

/// The bytes whose digits are written at once.
const STEP: usize = 16;

#[inline(always)]
fn digits(bytes: &[u8], places: &mut [u8]) {
    for (place, byte) in places.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *place = [digit(byte >> 4), digit(byte & 0xf)];
    }
}

#[inline(always)]
const fn digit(nibble: u8) -> u8 {
    nibble + if nibble > 9 { b'a' - 10 } else { b'0' }
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
