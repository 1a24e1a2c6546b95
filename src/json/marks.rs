//! Where the characters stand that end a run of a string: a quote, a backslash, or one that must not stand there. Each
//! byte is looked at once, some blocks of them at a time.

use super::blocks::{BLOCK, ends};

/// The blocks that are looked at together: 1 KiB.
const WINDOW: usize = 16;

/// The places of such characters, asked for from the front to the back.
pub(super) struct Marks<'t> {
    bytes: &'t [u8],
    /// The number of the first block that was looked at.
    first: usize,
    /// Of each of them a bit for each byte that ends a run; none where there is nothing.
    window: [u64; WINDOW],
}

impl<'t> Marks<'t> {
    pub(super) fn of(bytes: &'t [u8]) -> Self {
        let mut marks = Self { bytes, first: 0, window: [0; WINDOW] };
        marks.look(0);
        marks
    }

    /// The first place from `at` on that ends a run; nothing where there is none. Never ask for one before an earlier one.
    #[inline(always)]
    pub(super) fn next(&mut self, at: usize) -> Option<usize> {
        let block = (at / BLOCK).wrapping_sub(self.first);
        if let Some(bits) = self.window.get(block) {
            let bits = bits >> (at % BLOCK);
            if bits != 0 {
                return Some(at + bits.trailing_zeros() as usize);
            }
            return self.next_from(block + 1);
        }
        self.next_far(at)
    }

    /// The first place in this block of the window or after it.
    #[inline]
    fn next_from(&mut self, mut block: usize) -> Option<usize> {
        loop {
            match self.window.get(block) {
                Some(0) => block += 1,
                Some(bits) => return Some((self.first + block) * BLOCK + bits.trailing_zeros() as usize),
                None => {
                    if !self.look(self.first + WINDOW) {
                        return None;
                    }
                    block = 0;
                }
            }
        }
    }

    #[inline(never)]
    fn next_far(&mut self, at: usize) -> Option<usize> {
        if !self.look(at / BLOCK) {
            return None;
        }
        self.next(at)
    }

    /// Looks at the blocks from this one on; false where there is none.
    #[inline(never)]
    fn look(&mut self, first: usize) -> bool {
        let rest = first.checked_mul(BLOCK).and_then(|start| self.bytes.get(start..)).unwrap_or_default();
        let (blocks, end) = rest.as_chunks();
        let blocks = blocks.get(..WINDOW).unwrap_or(blocks);
        ends(blocks, &mut self.window);
        let mut behind = self.window.iter_mut().skip(blocks.len());
        if let Some(bits) = behind.next() {
            let mut block = [b' '; BLOCK];
            if let Some(begin) = block.get_mut(..end.len()) {
                begin.copy_from_slice(end);
            }
            ends(&[block], std::slice::from_mut(bits));
        }
        behind.for_each(|bits| *bits = 0);
        self.first = first;
        !rest.is_empty()
    }
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
            for length in [1, 63, 64, 65, 200, 2100] {
                for place in (0..length).step_by(if length < 2000 { 7 } else { 101 }) {
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
