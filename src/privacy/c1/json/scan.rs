//! Finding the end of a string and of what is plain in it: eight bytes at a time, and where they are many, 32.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// How many bytes come before the first quote, backslash or control character.
#[inline]
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    let mut length = 0;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            return length + special.trailing_zeros() as usize / 8;
        }
        length += 8;
        rest = after;
        if length == SHORT {
            let plain = plain_blocks(rest);
            length += plain;
            rest = rest.get(plain..).unwrap_or_default();
        }
    }
    length + rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | ..b' ')).unwrap_or(rest.len())
}

/// The same where one comes among the first sixteen: most names and words are shorter, and two looks tell.
#[inline(always)]
pub(super) fn short_run(bytes: &[u8]) -> Option<usize> {
    let (first, rest) = bytes.split_first_chunk::<8>()?;
    let special = special_bytes(u64::from_le_bytes(*first));
    if special != 0 {
        return Some(special.trailing_zeros() as usize / 8);
    }
    let special = special_bytes(u64::from_le_bytes(*rest.first_chunk::<8>()?));
    (special != 0).then(|| 8 + special.trailing_zeros() as usize / 8)
}

/// Names and numbers end before so many bytes.
const SHORT: usize = 32;

/// How many bytes there are in blocks without any such byte.
fn plain_blocks(bytes: &[u8]) -> usize {
    const BLOCK: usize = 32;
    let is_special = |byte: &u8| (*byte == b'"') | (*byte == b'\\') | (*byte < b' ');
    // Without a way out of the loop it is done for many bytes at once.
    let is_plain = |block: &&[u8; BLOCK]| !block.iter().fold(false, |any, byte| any | is_special(byte));
    bytes.as_chunks::<BLOCK>().0.iter().take_while(is_plain).count() * BLOCK
}

/// How many bytes come before the end of a string, a control character, or an escape that may have to be written in
/// another way; and whether there are escapes among them.
#[inline]
pub(super) fn string_run(bytes: &[u8]) -> (usize, bool) {
    let mut rest = bytes;
    let mut escapes = false;
    loop {
        rest = rest.get(plain_run(rest)..).unwrap_or_default();
        match rest {
            [b'\\', b'"' | b'\\' | b'b' | b'f' | b'n' | b'r' | b't', after @ ..] => {
                rest = after;
                escapes = true;
            }
            _ => return (bytes.len() - rest.len(), escapes),
        }
    }
}

/// The high bit of each byte that ends a run. Right up to the lowest such byte; above it a borrow may set more. A byte
/// beyond ASCII ends nothing.
#[inline(always)]
const fn special_bytes(word: u64) -> u64 {
    let quote = (word ^ (LOW * b'"' as u64)).wrapping_sub(LOW);
    let backslash = (word ^ (LOW * b'\\' as u64)).wrapping_sub(LOW);
    let control = word.wrapping_sub(LOW * b' ' as u64);
    (quote | backslash | control) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_at_every_place_ends_a_run_or_does_not() {
        for byte in 0..=255 {
            for place in 0..120 {
                for follower in [b'a', b'"', 0x1f, 0xff, byte] {
                    let mut bytes = vec![b'x'; 120];
                    bytes[place..].fill(follower);
                    bytes[place] = byte;
                    let expected = bytes.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20).unwrap_or(120);
                    assert_eq!(plain_run(&bytes), expected, "{byte} at {place}");
                    let short = Some(expected).filter(|length| *length < 16);
                    assert_eq!(short_run(&bytes), short, "{byte} at {place}");
                }
            }
        }
    }
}
