//! SHA-256 over its compression function (FIPS 180-4), so that two texts can be taken in at once.
//!
//! A round of a digest waits for the one before it, and a processor has time for another digest meanwhile: two that are
//! made block by block in turns take three quarters of the time that they take one after the other.

use sha2::block_api::compress256;
use zeroize::optimization_barrier;

pub(super) const BLOCK: usize = 64;
/// The bits of what was taken stand at the end of the last block.
const LENGTH: usize = 8;
pub(super) const BEGINNING: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];

/// What whole blocks lead to.
pub(super) type State = [u32; 8];
/// Whole blocks of a text.
pub(super) type Blocks<'p> = &'p [[u8; BLOCK]];

/// A digest in the making. What it holds of a text is wiped when it is dropped.
#[derive(Clone)]
pub(super) struct Sha256 {
    state: State,
    /// The beginning of the next block, and zeros, as they stand behind the end of what is hashed.
    rest: [u8; BLOCK],
    filled: usize,
    taken: u64,
}

/// The state behind one block.
pub(super) fn behind(block: &[u8; BLOCK]) -> State {
    let mut state = BEGINNING;
    compress256(&mut state, std::slice::from_ref(block));
    state
}

/// The most blocks of what is hashed in one go.
const FEW: usize = 2;
/// The most bytes of it: an end and a length follow them.
pub(super) const SHORT: usize = FEW * BLOCK - 1 - LENGTH;

/// The digest of no more than [`SHORT`] bytes, after so many whole blocks that led to this state. Nothing of more.
#[inline]
pub(super) fn short(mut state: State, blocks: u64, pieces: &[&[u8]]) -> Option<[u8; 32]> {
    let mut few = [0; FEW * BLOCK];
    let mut taken = 0;
    for piece in pieces {
        few.get_mut(taken..taken + piece.len())?.copy_from_slice(piece);
        taken += piece.len();
    }
    let used = if taken + 1 + LENGTH <= BLOCK { 1 } else { FEW };
    *few.get_mut(taken)? = 0x80;
    let bits = (blocks * BLOCK as u64 + taken as u64) * 8;
    let (few_blocks, _) = few.as_chunks_mut();
    let few_blocks = few_blocks.get_mut(..used)?;
    *few_blocks.last_mut().filter(|_| taken <= SHORT)?.last_chunk_mut()? = bits.to_be_bytes();
    compress256(&mut state, few_blocks);
    let digest = bytes(&state);
    wipe(&mut state);
    few = [0; FEW * BLOCK];
    optimization_barrier(&few);
    Some(digest)
}

/// The digest of a digest, after one block that led to this state.
pub(super) fn of_digest(mut state: State, digest: &[u8; 32]) -> [u8; 32] {
    const BITS: u64 = (BLOCK as u64 + 32) * 8;
    let mut block = [0; BLOCK];
    if let ([taken, [end, .., b7, b6, b5, b4, b3, b2, b1, b0]], _) = block.as_chunks_mut::<32>() {
        *taken = *digest;
        *end = 0x80;
        [*b7, *b6, *b5, *b4, *b3, *b2, *b1, *b0] = BITS.to_be_bytes();
    }
    compress256(&mut state, std::slice::from_ref(&block));
    let digest = bytes(&state);
    wipe(&mut state);
    digest
}

fn bytes(state: &State) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (word, bytes) in state.iter().zip(bytes.as_chunks_mut().0) {
        *bytes = word.to_be_bytes();
    }
    bytes
}

pub(super) fn wipe(state: &mut State) {
    *state = [0; 8];
    optimization_barrier(state);
}

/// Has two take blocks, one of each in turns, for as long as both have some.
pub(super) fn take_in_turns(one: (&mut Sha256, &mut Blocks<'_>), other: (&mut Sha256, &mut Blocks<'_>)) {
    let both = one.1.len().min(other.1.len());
    let ((now, later), (now_beside, later_beside)) = (one.1.split_at(both), other.1.split_at(both));
    for (block, beside) in now.iter().zip(now_beside) {
        compress256(&mut one.0.state, std::slice::from_ref(block));
        compress256(&mut other.0.state, std::slice::from_ref(beside));
    }
    (*one.1, *other.1) = (later, later_beside);
}

impl Sha256 {
    pub(super) const fn new() -> Self {
        Self::after(BEGINNING, 0)
    }

    /// One that has taken so many whole blocks, which led to this state.
    pub(super) const fn after(state: State, blocks: u64) -> Self {
        Self { state, rest: [0; BLOCK], filled: 0, taken: blocks * BLOCK as u64 }
    }

    pub(super) fn take(&mut self, piece: &[u8]) {
        let blocks = self.take_ends(piece);
        self.take_blocks(blocks);
    }

    pub(super) fn take_blocks(&mut self, blocks: Blocks<'_>) {
        if !blocks.is_empty() {
            compress256(&mut self.state, blocks);
        }
    }

    /// Takes all of a piece but its whole blocks, which have to be taken before anything else.
    pub(super) fn take_ends<'p>(&mut self, piece: &'p [u8]) -> Blocks<'p> {
        self.taken += piece.len() as u64;
        let piece = self.fill(piece);
        let (blocks, rest) = piece.as_chunks();
        // Where the block is still open nothing is left.
        if let Some(room) = self.rest.get_mut(..rest.len())
            && self.filled == 0
        {
            room.copy_from_slice(rest);
            self.filled = rest.len();
        }
        blocks
    }

    /// Completes the block that is open, as far as there is enough for it; gives what is left of the piece.
    fn fill<'p>(&mut self, piece: &'p [u8]) -> &'p [u8] {
        if self.filled == 0 {
            return piece;
        }
        let (now, later) = piece.split_at(piece.len().min(BLOCK - self.filled));
        if let Some(room) = self.rest.get_mut(self.filled..self.filled + now.len()) {
            room.copy_from_slice(now);
            self.filled += now.len();
        }
        if self.filled == BLOCK {
            compress256(&mut self.state, std::slice::from_ref(&self.rest));
            (self.rest, self.filled) = ([0; BLOCK], 0);
        }
        later
    }

    pub(super) fn finish(mut self) -> [u8; 32] {
        let Self { state, rest, filled, taken } = &mut self;
        // A block is never left full.
        if let Some(end) = rest.get_mut(*filled) {
            *end = 0x80;
        }
        if *filled >= BLOCK - LENGTH {
            compress256(state, std::slice::from_ref(rest));
            *rest = [0; BLOCK];
        }
        if let Some(bits) = rest.last_chunk_mut::<LENGTH>() {
            *bits = (*taken * 8).to_be_bytes();
        }
        compress256(state, std::slice::from_ref(rest));
        bytes(state)
    }
}

impl Drop for Sha256 {
    fn drop(&mut self) {
        wipe(&mut self.state);
        self.rest = [0; BLOCK];
        optimization_barrier(&self.rest);
    }
}

#[cfg(test)]
mod tests {
    use sha2::Digest;

    use super::*;

    /// Texts of which no two blocks are alike.
    fn text(number: usize, length: usize) -> Vec<u8> {
        (0..length).map(|at| (at * 31 + at / 64 + number * 7) as u8).collect()
    }

    fn expected(text: &[u8]) -> [u8; 32] {
        sha2::Sha256::digest(text).into()
    }

    #[test]
    fn a_text_in_any_two_pieces_has_the_digest_of_the_whole() {
        for length in 0..200 {
            let text = text(0, length);
            for cut in 0..=length {
                let mut digest = Sha256::new();
                digest.take(&text[..cut]);
                digest.take(&text[cut..]);
                assert_eq!(digest.finish(), expected(&text), "{cut} of {length}");
            }
        }
    }

    #[test]
    fn what_is_short_has_the_same_digest_in_one_go_and_what_is_longer_none() {
        let block = text(1, BLOCK);
        let after = behind(block.as_array().unwrap());
        for length in 0..=SHORT + 80 {
            let whole = text(0, length);
            for cut in (0..=length).step_by(7) {
                let pieces = [&whole[..cut], &whole[cut..], &[]];
                let known = (length <= SHORT).then(|| expected(&whole));
                assert_eq!(short(BEGINNING, 0, &pieces), known, "{cut} of {length}");
                let known = (length <= SHORT).then(|| expected(&[&block[..], &whole].concat()));
                assert_eq!(short(after, 1, &pieces), known, "{cut} of {length} after a block");
            }
        }
    }

    #[test]
    fn the_digest_of_a_digest_is_that_of_its_bytes() {
        let (block, digest) = (text(1, BLOCK), text(2, 32));
        let told = of_digest(behind(block.as_array().unwrap()), digest.as_array().unwrap());
        assert_eq!(told, expected(&[block, digest].concat()));
    }

    #[test]
    fn two_that_take_blocks_in_turns_have_the_digests_that_they_have_alone() {
        let lengths = [(0, 0), (64, 0), (64, 128), (65, 1000), (4096, 640), (129, 127)];
        let heads = [0, 1, 9, 63, 64, 70];
        for ((length, beside), head) in lengths.iter().flat_map(|lengths| heads.map(|head| (*lengths, head))) {
            let texts = [text(0, length), text(1, beside)];
            let (mut one, mut other) = (Sha256::new(), Sha256::new());
            let head = text(2, head);
            one.take(&head);
            other.take(&head);
            let (mut blocks, mut blocks_beside) = (one.take_ends(&texts[0]), other.take_ends(&texts[1]));
            take_in_turns((&mut one, &mut blocks), (&mut other, &mut blocks_beside));
            assert!(blocks.is_empty() || blocks_beside.is_empty());
            one.take_blocks(blocks);
            other.take_blocks(blocks_beside);
            assert_eq!([one.finish(), other.finish()], texts.map(|text| expected(&[&head[..], &text].concat())));
        }
    }
}
