//! Integers in as many bytes as they need.

use super::wire::Malformed;

/// The varint at the start of `bytes` and its length; none where it is cut off or overflows 64 bits.
pub(super) fn long_varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (place, byte) in bytes.iter().take(10).enumerate() {
        // The tenth byte holds the 64th bit alone.
        if place == 9 && *byte > 1 {
            return None;
        }
        value |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            return Some((value, place + 1));
        }
    }
    None
}

/// Varints one after the other, as a packed list of numbers has them.
pub(crate) fn packed(mut bytes: &[u8]) -> Result<Vec<u64>, Malformed> {
    let mut numbers = Vec::new();
    while !bytes.is_empty() {
        let (number, length) = long_varint(bytes).ok_or(Malformed)?;
        numbers.push(number);
        bytes = bytes.get(length..).ok_or(Malformed)?;
    }
    Ok(numbers)
}

/// The bytes that the shortest varint of `value` takes.
pub(crate) const fn varint_len(value: u64) -> usize {
    // One byte for every 7 bits, and one for zero: 9/64 is close enough to 1/7 for every width up to 64.
    let bits = 64 - (value | 1).leading_zeros() as usize;
    (bits * 9 + 64) / 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_a_varint_is_that_of_its_bits() {
        for bits in 0..64 {
            let value = 1u64 << bits;
            assert_eq!(varint_len(value), bits as usize / 7 + 1);
            assert_eq!(varint_len(value - 1), ((bits.max(1) - 1) / 7 + 1) as usize);
        }
        assert_eq!(varint_len(u64::MAX), 10);
    }
}
