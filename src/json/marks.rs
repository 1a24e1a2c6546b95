//! Where the characters stand that end a run of a string: a quote, a backslash, or one that must not stand there. Each
//! byte is looked at once, 64 of them at a time.

use memchr::memchr2;
use wide::u8x64;

const BLOCK: usize = 64;

/// The places of such characters, asked for from the front to the back.
pub(super) struct Marks<'t> {
    bytes: &'t [u8],
    /// Where the block begins that was looked at last, and a bit for each of its bytes that ends a run.
    block: usize,
    bits: u64,
}

impl<'t> Marks<'t> {
    pub(super) const fn of(bytes: &'t [u8]) -> Self {
        // No place of a text is in this block.
        Self { bytes, block: usize::MAX - BLOCK, bits: 0 }
    }

    /// The first place from `at` on that ends a run; nothing where there is none. Never ask for one before an earlier one.
    #[inline(always)]
    pub(super) fn next(&mut self, at: usize) -> Option<usize> {
        let within = at.wrapping_sub(self.block);
        if within < BLOCK {
            let bits = self.bits >> within;
            if bits != 0 {
                return Some(at + bits.trailing_zeros() as usize);
            }
            return self.look(self.block + BLOCK);
        }
        self.look(at)
    }

    /// The same from a place on that nothing was looked at from.
    #[inline]
    fn look(&mut self, at: usize) -> Option<usize> {
        // Names, words, and the runs between the escapes of a text end here.
        if let Some(block) = self.bytes.get(at..)?.first_chunk() {
            self.bits = bits(block);
            self.block = at;
            if self.bits != 0 {
                return Some(at + self.bits.trailing_zeros() as usize);
            }
            return self.look_far(at + BLOCK);
        }
        self.look_at_end(at)
    }

    #[inline(never)]
    fn look_far(&mut self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        let run = memchr2(b'"', b'\\', rest).unwrap_or(rest.len());
        let rest = rest.get(..run)?;
        if has_controls(rest) {
            return Some(at + rest.iter().position(|byte| *byte < b' ')?);
        }
        let end = at + run;
        (end < self.bytes.len()).then_some(end)
    }

    #[inline(never)]
    fn look_at_end(&mut self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..)?;
        let mut block = [b' '; BLOCK];
        block.get_mut(..rest.len())?.copy_from_slice(rest);
        (self.block, self.bits) = (at, bits(&block));
        (self.bits != 0).then(|| at + self.bits.trailing_zeros() as usize)
    }
}

/// A bit for each byte that ends a run, the first one lowest.
#[inline(always)]
fn bits(block: &[u8; BLOCK]) -> u64 {
    let bytes = u8x64::from(*block);
    let is_control = bytes.simd_eq(bytes.min(u8x64::splat(b' ' - 1)));
    (bytes.simd_eq(u8x64::splat(b'"')) | bytes.simd_eq(u8x64::splat(b'\\')) | is_control).to_bitmask()
}

/// Whether there is any character that must not stand in a string.
fn has_controls(bytes: &[u8]) -> bool {
    // Without a way out of the loop it is done for many bytes at once.
    bytes.iter().fold(false, |any, byte| any | (*byte < b' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8], step: usize) -> Vec<usize> {
        let (mut marks, mut found, mut at) = (Marks::of(bytes), Vec::new(), 0);
        while let Some(place) = marks.next(at) {
            found.push(place);
            at = place + step;
        }
        found
    }

    #[test]
    fn every_byte_at_every_place_ends_a_run_or_does_not() {
        let ends = |byte: &u8| *byte == b'"' || *byte == b'\\' || *byte < b' ';
        for byte in 0..=255 {
            for length in [1, 63, 64, 65, 200, 300] {
                for place in (0..length).step_by(7) {
                    for follower in [b'a', b'"', 0x1f, 0xff, byte] {
                        let mut bytes = vec![b'x'; length];
                        bytes[place..].iter_mut().step_by(3).for_each(|next| *next = follower);
                        bytes[place] = byte;
                        let expected: Vec<usize> = (0..length).filter(|place| ends(&bytes[*place])).collect();
                        assert_eq!(all(&bytes, 1), expected, "{byte} at {place} of {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_stepped_over_is_not_told() {
        let bytes = [b'\\'; 500];
        assert_eq!(all(&bytes, 2), (0..500).step_by(2).collect::<Vec<_>>());
        assert_eq!(all(&bytes, 70), (0..500).step_by(70).collect::<Vec<_>>());
    }
}
