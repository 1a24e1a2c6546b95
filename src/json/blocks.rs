//! Blocks of a text, in the widest steps that the processor has instructions for. What is told of a block is told with a
//! bit for each of its bytes, the first one lowest.

use multiversion::multiversion;
use multiversion::target::match_target;
use wide::u8x64;

pub(super) const BLOCK: usize = 64;

/// Of each block the bytes that end a run of a string: quotes, backslashes, and control characters. For as many as there
/// are both blocks and places for what is told of them.
#[multiversion(targets("x86_64+avx512f+avx512bw", "x86_64+avx2"))]
pub(super) fn ends(blocks: &[[u8; BLOCK]], bits: &mut [u64]) {
    for (block, bits) in blocks.iter().zip(bits) {
        *bits = match_target! {
            "x86_64+avx512f+avx512bw" => x86::ends_at_once(block),
            "x86_64+avx2" => x86::ends_in_halves(block),
            _ => ends_anywhere(block),
        };
    }
}

fn ends_anywhere(block: &[u8; BLOCK]) -> u64 {
    let bytes = u8x64::from(*block);
    let is = |byte| bytes.simd_eq(u8x64::splat(byte));
    (is(b'"') | is(b'\\') | bytes.simd_eq(bytes.min(u8x64::splat(b' ' - 1)))).to_bitmask()
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    use std::arch::x86_64::*;

    use bytemuck::must_cast;

    use super::BLOCK;

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(super) fn ends_at_once(block: &[u8; BLOCK]) -> u64 {
        let bytes = must_cast(*block);
        is(bytes, b'"') | is(bytes, b'\\') | is_control(bytes)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn is(bytes: __m512i, byte: u8) -> u64 {
        _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte.cast_signed()))
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    fn is_control(bytes: __m512i) -> u64 {
        _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(b' '.cast_signed()))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) fn ends_in_halves(block: &[u8; BLOCK]) -> u64 {
        let halves: [[u8; BLOCK / 2]; 2] = must_cast(*block);
        let [low, high] = halves.map(|half| u64::from(ends_of_half(half)));
        low | high << (BLOCK / 2)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn ends_of_half(half: [u8; BLOCK / 2]) -> u32 {
        let bytes: __m256i = must_cast(half);
        let is = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte.cast_signed()));
        let is_control = _mm256_cmpeq_epi8(bytes, _mm256_min_epu8(bytes, _mm256_set1_epi8(0x1f)));
        let ends = _mm256_or_si256(_mm256_or_si256(is(b'"'), is(b'\\')), is_control);
        _mm256_movemask_epi8(ends).cast_unsigned()
    }

    /// What a block from within a string becomes.
    pub(in crate::json) struct Step {
        /// What it stands for up to where it is to be looked at by itself, and anything behind that.
        pub(in crate::json) unescaped: [u8; BLOCK],
        /// How much of that counts.
        pub(in crate::json) written: usize,
        /// The first byte that is to be looked at by itself: a quote that ends the string, the letter of an escape that is
        /// not of one letter, or what must not stand in a string.
        pub(in crate::json) stop: Option<Stop>,
        /// Whether the first byte of the next block is the letter of an escape: 1 or 0.
        pub(in crate::json) carry: u64,
    }

    pub(in crate::json) struct Stop {
        pub(in crate::json) at: usize,
        /// Whether a backslash stands before it that begins an escape.
        pub(in crate::json) is_letter: bool,
    }

    /// Unescapes what has escapes of one letter: that stands in `characters`, and 0 for those that are none.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
    pub(in crate::json) fn step(block: &[u8; BLOCK], carry: u64, characters: &[u8; 128]) -> Step {
        let bytes: __m512i = must_cast(*block);
        let (escaped, begins, carry) = escapes(is(bytes, b'\\'), carry);
        let [low, high]: [__m512i; 2] = must_cast(*characters);
        let letters = _mm512_permutex2var_epi8(low, bytes, high);
        let is_none = escaped & (_mm512_testn_epi8_mask(letters, letters) | _mm512_movepi8_mask(bytes));
        let stops = is(bytes, b'"') & !escaped | is_control(bytes) | is_none;
        // Most blocks have none, and which one comes next is not waited for then.
        let (before, stop) = if stops == 0 {
            (u64::MAX, None)
        } else {
            let at = stops.trailing_zeros();
            ((1 << at) - 1, Some(Stop { at: at as usize, is_letter: escaped >> at & 1 == 1 }))
        };
        let kept = before & !begins;
        let unescaped = _mm512_maskz_compress_epi8(kept, _mm512_mask_mov_epi8(bytes, escaped, letters));
        Step { unescaped: must_cast(unescaped), written: kept.count_ones() as usize, stop, carry }
    }

    /// Of backslashes, and whether the first byte is a letter: the letters of escapes, the backslashes that begin one, and
    /// whether the byte behind all is a letter.
    #[inline]
    const fn escapes(backslashes: u64, carry: u64) -> (u64, u64, u64) {
        const EVEN: u64 = 0x5555_5555_5555_5555;
        // Of a run of backslashes every other one begins an escape, from the first on. A run that begins at an odd place
        // carries out of it to where it ends (Langdale and Lemire, Parsing Gigabytes of JSON per Second, 3.1.1).
        let backslashes = backslashes & !carry;
        let behind = backslashes << 1 | carry;
        let (ends, is_over) = (backslashes & !EVEN & !behind).overflowing_add(backslashes);
        let escaped = (EVEN ^ ends << 1) & behind;
        (escaped, backslashes & !escaped, is_over as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[multiversion(targets("x86_64+avx512f+avx512bw"), attrs(allow(unused_variables)))]
    fn at_once(block: &[u8; BLOCK]) -> Option<u64> {
        match_target! {
            "x86_64+avx512f+avx512bw" => Some(x86::ends_at_once(block)),
            _ => None,
        }
    }

    #[multiversion(targets("x86_64+avx2"), attrs(allow(unused_variables)))]
    fn in_halves(block: &[u8; BLOCK]) -> Option<u64> {
        match_target! {
            "x86_64+avx2" => Some(x86::ends_in_halves(block)),
            _ => None,
        }
    }

    #[test]
    fn every_byte_ends_a_run_or_does_not_by_all_instructions() {
        for byte in 0..=255 {
            let is_end = byte == b'"' || byte == b'\\' || byte < b' ';
            for place in 0..BLOCK {
                let mut block = [0x80; BLOCK];
                block[place] = byte;
                let expected = u64::from(is_end) << place;
                assert_eq!(ends_anywhere(&block), expected, "{byte} at {place}");
                for known in [at_once(&block), in_halves(&block)].into_iter().flatten() {
                    assert_eq!(known, expected, "{byte} at {place}");
                }
            }
        }
    }

    #[test]
    fn there_are_as_many_as_there_are_places_for() {
        let blocks = [[b'"'; BLOCK], [b' '; BLOCK], [b'\\'; BLOCK]];
        let mut bits = [7; 5];
        ends(&blocks, &mut bits);
        assert_eq!(bits, [u64::MAX, 0, u64::MAX, 7, 7]);
        let mut bits = [7; 1];
        ends(&blocks, &mut bits);
        assert_eq!(bits, [u64::MAX]);
    }
}
