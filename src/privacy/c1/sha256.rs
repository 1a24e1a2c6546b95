//! SHA-256 over its compression function (FIPS 180-4), so that two texts can be taken in at once.
//!
//! A round of a digest waits for the one before it, and a processor has time for another digest meanwhile: two that are
//! made block by block in turns take three quarters of the time that they take one after the other.

use std::ops::Range;

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

/// A digest that is made beside another one, and the last piece of what is hashed.
pub(super) struct Lane<'p> {
    running: Sha256,
    /// What takes the digest in, where there is a key.
    outer: Option<Sha256>,
    is_keyed: bool,
    /// Whole blocks of the piece.
    text: Blocks<'p>,
    /// What comes behind them, and which of it is left.
    ends: Ends,
    left: Range<usize>,
    is_ending: bool,
}

/// The last blocks of a text, which are wiped when they are dropped.
struct Ends([[u8; BLOCK]; FEW]);

impl Ends {
    const fn new() -> Self {
        Self([[0; BLOCK]; FEW])
    }

    fn get(&self, which: Range<usize>) -> Blocks<'_> {
        self.0.get(which).unwrap_or_default()
    }
}

impl Drop for Ends {
    fn drop(&mut self) {
        self.0 = [[0; BLOCK]; FEW];
        optimization_barrier(&self.0);
    }
}

/// Makes the digests of all, two at a time, and tells of each its number, whether it has a key, and what it is.
pub(super) fn finish_in_turns<'p>(
    lanes: impl Iterator<Item = Lane<'p>>,
    mut finished: impl FnMut(usize, bool, [u8; 32]),
) {
    let mut lanes = lanes.enumerate();
    let mut both = [lanes.next(), lanes.next()];
    loop {
        match &mut both {
            [Some((_, one)), Some((_, other))] => one.take_beside(other),
            [Some((_, alone)), None] | [None, Some((_, alone))] => alone.take_all(),
            [None, None] => return,
        }
        for place in &mut both {
            if let Some((number, lane)) = place
                && lane.blocks().is_empty()
                && let Some(digest) = lane.go_on()
            {
                finished(*number, lane.is_keyed, digest);
                *place = lanes.next();
            }
        }
    }
}

impl<'p> Lane<'p> {
    pub(super) fn of(mut running: Sha256, outer: Option<Sha256>, piece: &'p [u8]) -> Self {
        let text = running.take_ends(piece);
        let (is_keyed, ends) = (outer.is_some(), Ends::new());
        Self { running, outer, is_keyed, text, ends, left: 0..0, is_ending: false }
    }

    /// The blocks that can be taken now.
    fn blocks(&self) -> Blocks<'_> {
        blocks(self.text, &self.ends, &self.left)
    }

    /// Takes blocks, one of each in turns, for as long as both have some.
    fn take_beside(&mut self, other: &mut Self) {
        let (mine, others) = (blocks(self.text, &self.ends, &self.left), blocks(other.text, &other.ends, &other.left));
        for (block, beside) in mine.iter().zip(others) {
            compress256(&mut self.running.state, std::slice::from_ref(block));
            compress256(&mut other.running.state, std::slice::from_ref(beside));
        }
        let both = mine.len().min(others.len());
        self.has_taken(both);
        other.has_taken(both);
    }

    fn take_all(&mut self) {
        let blocks = blocks(self.text, &self.ends, &self.left);
        self.running.take_blocks(blocks);
        self.has_taken(blocks.len());
    }

    fn has_taken(&mut self, blocks: usize) {
        match self.text.get(blocks..) {
            Some(rest) if !self.text.is_empty() => self.text = rest,
            _ => self.left.start += blocks,
        }
    }

    /// All blocks are taken: others come, or the digest is made.
    fn go_on(&mut self) -> Option<[u8; 32]> {
        if !self.is_ending {
            self.is_ending = true;
            self.left = 0..self.running.ends(&mut self.ends);
            return None;
        }
        let digest = bytes(&self.running.state);
        let Some(outer) = self.outer.take() else { return Some(digest) };
        self.running = outer;
        // It fits into a block, so that it waits there for its end.
        let none = self.running.take_ends(&digest);
        debug_assert!(none.is_empty());
        self.left = 0..self.running.ends(&mut self.ends);
        None
    }
}

fn blocks<'l>(text: Blocks<'l>, ends: &'l Ends, left: &Range<usize>) -> Blocks<'l> {
    if text.is_empty() { ends.get(left.clone()) } else { text }
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
        // Where it stands: most digests are of short texts, and blocks apart would have to be wiped too.
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

    /// The last blocks, as many as it says: what is left of the text, its end and its length.
    fn ends(&self, Ends([first, second]): &mut Ends) -> usize {
        *first = self.rest;
        // A block is never left full.
        if let Some(end) = first.get_mut(self.filled) {
            *end = 0x80;
        }
        let bits = (self.taken * 8).to_be_bytes();
        let (last, count) = if self.filled < BLOCK - LENGTH { (first, 1) } else { (second, 2) };
        if count == 2 {
            *last = [0; BLOCK];
        }
        if let Some(place) = last.last_chunk_mut::<LENGTH>() {
            *place = bits;
        }
        count
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
    fn what_is_finished_in_turns_has_the_digests_that_it_has_alone() {
        let lengths = [0, 1, 55, 56, 63, 64, 65, 119, 120, 127, 128, 640, 1000, 4096];
        let orders =
            (1..lengths.len()).map(|step| (0..lengths.len()).map(move |at| lengths[at * step % lengths.len()]));
        for (number, order) in orders.enumerate() {
            let texts: Vec<_> = order.enumerate().map(|(number, length)| text(number, length)).collect();
            for count in [0, 1, 2, 3, texts.len()] {
                let (head, key) = (text(9, number * 5), text(8, BLOCK));
                let outer = || Sha256::after(behind(key.as_array().unwrap()), 1);
                let lanes = texts.iter().take(count).enumerate().map(|(number, text)| {
                    let mut running = Sha256::new();
                    running.take(&head);
                    Lane::of(running, (number % 3 == 0).then(outer), text)
                });
                let mut made = vec![None; count];
                finish_in_turns(lanes, |number, is_keyed, digest| {
                    assert!(made[number].replace((is_keyed, digest)).is_none(), "once");
                });
                for (number, made) in made.into_iter().enumerate() {
                    let inner = expected(&[&head[..], &texts[number]].concat());
                    let is_keyed = number % 3 == 0;
                    let known = if is_keyed { expected(&[&key[..], &inner].concat()) } else { inner };
                    assert_eq!(made, Some((is_keyed, known)), "{number} of {count}");
                }
            }
        }
    }
}
